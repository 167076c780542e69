"""Families that take text alone."""

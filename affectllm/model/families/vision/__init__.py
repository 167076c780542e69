"""Families that see pictures and videos."""

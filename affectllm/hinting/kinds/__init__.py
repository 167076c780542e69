"""Kinds of hints, one file each."""

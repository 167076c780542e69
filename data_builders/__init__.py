"""Corpora, one Python file each."""

"""Heads: a pooled representation of a conversation, and a small network that says classes, labels or numbers of it."""

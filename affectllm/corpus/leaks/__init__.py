"""Detect leaks: what training and scored data share, by identity, by text and by the bytes of clips."""

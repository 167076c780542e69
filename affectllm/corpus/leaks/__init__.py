"""Leaks: what two sides share, by identity, by words and by the bytes of clips."""

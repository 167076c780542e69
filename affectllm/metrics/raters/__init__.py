"""Metrics of those who judge: whether they agree, what they are worth, and what they say of generated media."""

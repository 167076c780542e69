"""Metrics of texts: replies, causes, lexical diversity."""

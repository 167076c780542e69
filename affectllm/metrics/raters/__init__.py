"""Metrics of raters: their agreement, their reliability, and their judgements of generated media."""

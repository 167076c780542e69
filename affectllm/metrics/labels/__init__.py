"""Metrics of labels: one, several, ranked, or shared out over an item."""

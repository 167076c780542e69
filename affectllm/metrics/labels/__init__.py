"""Metrics of labels: one per item, several, ranked, or as a distribution."""

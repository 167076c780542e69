"""Metrics of numbers: dimensions, intensities, sentiment on a scale."""

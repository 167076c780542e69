"""Scores as particular benchmarks define them."""

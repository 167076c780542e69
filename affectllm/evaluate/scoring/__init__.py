"""Scoring: readings become values of metrics, with intervals, by task, by suite and in pairs of evaluations."""

"""Metrics: pure functions of (gold, predicted), with intervals. Nothing here knows a corpus, a model or a file."""

from affectllm.metrics.score import METRICS, Form, Score, score

__all__ = ["METRICS", "Form", "Score", "score"]

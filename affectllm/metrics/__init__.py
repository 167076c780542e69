"""Metrics: pure functions of (gold, predicted), each with its interval, its controls and its coverage.

Every metric is a name here (``from affectllm.metrics import uar``) and an entry of ``METRICS``; calling it gives a
``Result``. Strict is the default; ``compat="SYSTEM"`` gives what a published evaluator gives. Nothing here knows a
corpus or a model; files are read only where the user hands over tables that may not be shipped.
"""

from __future__ import annotations

from importlib import import_module

from affectllm.metrics.metric import METRICS, Metric
from affectllm.metrics.result import Result, Score

_FAMILIES = (
    *("classes", "chance_corrected", "multilabel", "ranking"),
    *("dimensions", "vectors", "sentiment_scales", "distributions", "agreement", "raters"),
    *("wheels", "mer2024", "unibench", "unibench_mean"),
    *("cause", "statements", "preference", "alignment", "emobench", "eq_bench_scores", "reasoning"),
    *("ngram_overlap", "replies", "reply_models", "diversity"),
    *("calibration", "selective", "robustness", "generated"),
)
for _family in _FAMILIES:
    import_module(f"affectllm.metrics.{_family}")  # registers its metrics; imports nothing heavy

__all__ = ["METRICS", "Metric", "Result", "Score"]


def __getattr__(name: str) -> Metric:
    if name in METRICS:
        return METRICS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *METRICS})

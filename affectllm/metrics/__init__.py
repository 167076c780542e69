"""Metrics: pure functions of (gold, predicted), each with its interval, its controls and its coverage.

Every metric is a name here (``from affectllm.metrics import uar``) and an entry of ``METRICS``; calling it gives a
``Result``. Strict is the default; ``compat="SYSTEM"`` reproduces a published evaluator. Nothing here depends on a
corpus or a model; files are read only for tables that the user passes because they may not be shipped. A family is a
folder; a new file in it is registered by itself.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from affectllm.metrics.core.metric import METRICS, Metric
from affectllm.metrics.core.result import Result, Score

for _family in iter_modules(__path__, f"{__name__}."):
    if _family.ispkg:
        for _module in iter_modules(import_module(_family.name).__path__, f"{_family.name}."):
            import_module(_module.name)  # registers its metrics; imports nothing heavy

__all__ = ["METRICS", "Metric", "Result", "Score"]


def __getattr__(name: str) -> Metric:
    if name in METRICS:
        return METRICS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *METRICS})

"""How numbers and names are written: one place, so that the page, the table, the figures and the card agree."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from affectllm.metrics import METRICS, Score

METRIC_NAMES = {
    "accuracy": "Accuracy",
    "uar": "UAR",
    "macro_f1": "Macro F1",
    "weighted_f1": "Weighted F1",
    "micro_f1": "Micro F1",
    "jaccard": "Jaccard",
    "bleu": "BLEU",
    "rouge_l": "ROUGE-L",
    "distinct_1": "Distinct-1",
    "distinct_2": "Distinct-2",
}


def headline_metric(metrics: Iterable[str]) -> str:
    """The metric that stands for a task: the one that its page names first."""
    return next(iter(metrics))


def metric_name(metric: str) -> str:
    return METRIC_NAMES.get(metric, metric)


def metric_meaning(metric: str) -> str:
    """The definition in one sentence; empty for a metric that is not ours."""
    return METRICS[metric].definition.removesuffix(".").replace("``", "") if metric in METRICS else ""


def number(value: Any, digits: int = 3) -> str:
    """``0.932``; a dash where there is no number."""
    if not isinstance(value, (int, float)) or math.isnan(value):
        return "–"
    return f"{value:.{digits}f}"


def interval(score: Score) -> str:
    """``[0.905, 0.956]``, or that the clusters are too few for one."""
    if score["low"] is None or score["high"] is None:
        return "none: too few"
    return f"[{number(score['low'])}, {number(score['high'])}]"


def clusters(score: Mapping[str, Any]) -> str:
    """How many speakers, dialogues or items the interval rests on; a dash in scores of earlier versions."""
    return str(score.get("clusters", "–"))


def percent(share: Any) -> str:
    """``3.1 %``; whole numbers where they are exact, so that a true zero looks like one."""
    if not isinstance(share, (int, float)) or math.isnan(share):
        return "–"
    hundred = share * 100
    return f"{hundred:.0f} %" if hundred == round(hundred) else f"{hundred:.1f} %"


def seconds(value: Any) -> str:
    """``48 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if not isinstance(value, (int, float)):
        return "–"
    whole = round(value)
    if whole < 120:
        return f"{value:.1f} s" if value < 10 else f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def compared(score: Score, other: Score) -> str:
    """How two scores stand to each other by their intervals: ``above``, ``below`` or ``overlaps``.

    ``other_items`` where they were not measured on as many items, which no interval makes comparable; ``unknown``
    where one of them has no interval.
    """
    if score["n"] != other["n"]:
        return "other_items"
    if score["low"] is None or score["high"] is None or other["low"] is None or other["high"] is None:
        return "unknown"
    if score["low"] > other["high"]:
        return "above"
    if score["high"] < other["low"]:
        return "below"
    return "overlaps"

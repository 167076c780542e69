"""How numbers and names are written: one place, so that the page, the table, the figures and the card agree."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from affectllm.metrics import Score

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
METRIC_MEANINGS = {
    "accuracy": "share of right answers (weighted average recall); an unreadable answer is a wrong one",
    "uar": "unweighted average recall: the mean of the classes' recalls",
    "macro_f1": "mean of the classes' F1",
    "weighted_f1": "mean of the classes' F1, weighted by their support",
    "micro_f1": "F1 over all pairs of item and label",
    "jaccard": "mean over items of |right ∩ given| / |right ∪ given|",
    "bleu": "corpus BLEU against the one reference reply, between 0 and 1",
    "rouge_l": "F-measure of the longest common subsequence with the reference reply",
    "distinct_1": "different words over all words of the replies",
    "distinct_2": "different pairs of words over all pairs in the replies",
}
_HEADLINE_ORDER = ("uar", "macro_f1", "weighted_f1", "micro_f1", "jaccard", "accuracy", "rouge_l", "bleu")


def headline_metric(metrics: Collection[str]) -> str:
    """The metric that stands for a task: the first of a fixed order, robust to class imbalance before accuracy."""
    return next((name for name in _HEADLINE_ORDER if name in metrics), next(iter(metrics)))


def metric_name(metric: str) -> str:
    return METRIC_NAMES.get(metric, metric)


def number(value: Any, digits: int = 3) -> str:
    """``0.932``; a dash where there is no number."""
    if not isinstance(value, (int, float)) or math.isnan(value):
        return "–"
    return f"{value:.{digits}f}"


def interval(score: Score) -> str:
    """``[0.905, 0.956]``."""
    return f"[{number(score['low'])}, {number(score['high'])}]"


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

    ``other_items`` where they were not measured on as many items, which no interval makes comparable.
    """
    if score["n"] != other["n"]:
        return "other_items"
    if score["low"] > other["high"]:
        return "above"
    if score["high"] < other["low"]:
        return "below"
    return "overlaps"

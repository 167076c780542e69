"""Format numbers and names, in one place, so that the page, the table, the figures and the card agree."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from affectllm.metrics import METRICS, Metric, Score


def headline_metric(metrics: Iterable[str]) -> str:
    """Return the headline metric of a task: the one that its page names first."""
    return next(iter(metrics))


def metric_name(key: str) -> str:
    """Return ``Macro F1``, or ``emotion: Macro F1`` with several slots; the key itself where it is not ours."""
    slot, _, name = key.rpartition(".")
    title = METRICS[name].title if name in METRICS else name
    return f"{slot}: {title}" if slot else title


def metric_meaning(key: str) -> str:
    """Return the metric's definition in one sentence; empty for a metric that is not ours."""
    metric = known_metric(key)
    return metric.definition.removesuffix(".").replace("``", "") if metric else ""


def known_metric(key: str) -> Metric | None:
    """Return the metric of a score's key, None where it is not ours."""
    return METRICS.get(key.rpartition(".")[2])


def number(value: Any, digits: int = 3) -> str:
    """Format a number as ``0.932``; a dash where there is none."""
    if not isinstance(value, (int, float)) or math.isnan(value):
        return "–"
    return f"{value:.{digits}f}"


def interval(score: Score) -> str:
    """Format an interval as ``[0.905, 0.956]``, or say that the clusters are too few for one."""
    if score["low"] is None or score["high"] is None:
        return "none: too few"
    return f"[{number(score['low'])}, {number(score['high'])}]"


def clusters(score: Mapping[str, Any]) -> str:
    """Format the number of speakers, dialogues or items of the interval; a dash in scores of earlier versions."""
    return str(score.get("clusters", "–"))


def percent(share: Any) -> str:
    """Format a share as ``3.1 %``; whole numbers where they are exact, so that a true zero looks like one."""
    if not isinstance(share, (int, float)) or math.isnan(share):
        return "–"
    hundred = share * 100
    return f"{hundred:.0f} %" if hundred == round(hundred) else f"{hundred:.1f} %"


def annotation(value: Any, zeros: bool = True) -> str:
    """Format the value of an annotation, several with their names; without ``zeros``, leave out numbers that are 0."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, Mapping) and "right" in value:
        return f"{', '.join(value['right'])} (of {' | '.join(value['options'])})"
    if isinstance(value, Mapping):
        values = {name: number for name, number in value.items() if number is not None}
        if all(isinstance(number, (int, float)) for number in values.values()):
            return ", ".join(f"{name} {number:g}" for name, number in values.items() if number or zeros)
        return "; ".join(f"{name}: {annotation(each)}" for name, each in values.items())
    return ", ".join(map(_passage, value)) or "(none)"


def _passage(item: Any) -> str:
    if isinstance(item, str):
        return item
    return f"{item['turn']}: “{item['span']}”" if item.get("span") else str(item["turn"])


def seconds(value: Any) -> str:
    """Format seconds as ``48 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if not isinstance(value, (int, float)):
        return "–"
    whole = round(value)
    if whole < 120:
        return f"{value:.1f} s" if value < 10 else f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


VERDICTS = {
    "beats": "beats",
    "does_not_beat": "does not beat",
    "untold": "cannot be told from",
    "other_items": "was not asked the items of",
    "unknown": "has no interval against",
}
"""What a comparison says of a model, before the name of the other one."""


def compared(score: Score, other: Score, better: str = "higher") -> str:
    """Compare two scores by their intervals, where the items are not at hand to be paired.

    ``beats`` and ``does_not_beat`` where the intervals do not touch, and ``untold`` where they do.

    ``other_items`` where they were not measured on as many items, which no interval makes comparable; ``unknown``
    where one of them has no interval.
    """
    if score["n"] != other["n"]:
        return "other_items"
    if score["low"] is None or score["high"] is None or other["low"] is None or other["high"] is None:
        return "unknown"
    return verdict(score["low"] - other["high"], score["high"] - other["low"], better)


def verdict(low: float, high: float, better: str) -> str:
    """Return what the interval of a difference (first less second) says of the first of two models."""
    if better == "lower":
        low, high = -high, -low
    if low > 0:
        return "beats"
    return "does_not_beat" if high < 0 or low == high == 0 else "untold"


def signed(value: float) -> str:
    """Format a difference as ``+0.021``."""
    return f"{value:+.3f}".replace("-", "−")


def bare(value: float, low: float | None = None, high: float | None = None) -> Score:
    """Return a score of which nothing but its value and, perhaps, its interval is known."""
    return {"value": value, "low": low, "high": high, "n": 0, "clusters": 0, "unreadable": 0.0, "controls": {}}

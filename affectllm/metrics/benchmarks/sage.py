"""SAGE, the sentient agent as a judge: how a simulated user feels at the end of a conversation with a model."""

from __future__ import annotations

from math import isfinite, nan
from statistics import fmean
from typing import Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import mean_of_items
from affectllm.metrics.core.metric import Sums, metric

POINT = "emotion-point"
SUCCESS, FAILURE = 100.0, 10.0


@metric(
    "sage_emotion",
    title="SAGE emotion",
    form="raw",
    range=(-100.0, 100.0),
    source="Zhang et al., Sentient Agent as a Judge, 2025 (Tencent/digitalhuman, SAGE)",
    takes="predicted",
)
def sage_emotion(predicted: list[Any], *, simulator: str = "") -> Sums:
    """Mean final feeling of simulated users, 0 to 100, from the logs of their conversations; it holds for a simulator.

    Formula: ``1/N Σ last emotion-point``; an item is the ``history`` of a log (turns, some with ``emotion-point``), or
    the final number, ``emo_point``. ``per_class`` has the name of the simulator and beside it the share of ``success``
    (final 100), of ``failure`` (final below 10), and of histories the mean ``start``, ``lowest`` and number of points.
    Edge cases: a conversation without a point counts for nothing (``coverage.conversations``). The simulator moves the
    value more than the model does (the same model got 37.55 and 65.60 from two), so it has to be named, and values of
    two simulators are no comparison.
    """
    import numpy as np

    if not simulator:
        raise Malformed("the score is one of a simulator", do="name it: --option simulator=deepseek-v3-2024-1227")
    courses = [_course(value) for value in predicted]
    rated = [course for course in courses if course]
    if not rated:
        raise Malformed(f"no conversation has an {POINT}", do="give the column history, or emo_point, of a SAGE log")
    finals = np.array([course[-1] if course else nan for course in courses])
    shares = {
        "success": fmean(course[-1] >= SUCCESS for course in rated),
        "failure": fmean(course[-1] < FAILURE for course in rated),
    }
    if all(len(course) > 1 for course in rated):
        shares |= {
            "start": fmean(course[0] for course in rated),
            "lowest": fmean(min(course) for course in rated),
            "points": fmean(map(len, rated)),
        }
    counted = np.array([bool(course) for course in courses])
    share = {"conversations": float(counted.mean())}
    return mean_of_items(finals, counted, per_class=lambda: {simulator: shares}, coverage=share)


def _course(value: Any) -> list[float]:
    """Return the feelings in the order of a conversation; empty where there is none."""
    if value is None:
        return []
    turns = [turn.get(POINT) for turn in value if isinstance(turn, dict)] if isinstance(value, list) else [value]
    return [_point(point) for point in turns if point is not None]


def _point(value: Any) -> float:
    try:
        point = nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        point = nan
    if not isfinite(point):
        raise Malformed(f"{value!r} is no {POINT}", do="give numbers from 0 to 100, or a history of turns")
    return point

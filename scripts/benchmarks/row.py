"""Rows of the benchmark table, and timing in turns so that other work on the machine hits both sides alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One comparison.

    Args:
        what: what is measured.
        ours, other: both values with their unit, as printed.
        against: what the other side is.
        ratio: how many times better ours is than the other; above 1 is better.
        goal: least ratio, or None where the value is only recorded.
    """

    what: str
    against: str
    ours: str
    other: str
    ratio: float
    goal: float | None = None

    @property
    def verdict(self) -> str:
        """``met``, or by how much the goal is missed."""
        if self.goal is None:
            return "–"
        return "met" if self.ratio >= self.goal else f"missed by {100 * (1 - self.ratio / self.goal):.0f} %"


def alternate(ours: Callable[[], Any], other: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Return the best seconds of each, run in turns in alternating order, after one round that is not counted."""
    ours(), other()
    times: dict[Callable[[], Any], list[float]] = {ours: [], other: []}
    for number in range(rounds):
        for side in (ours, other) if number % 2 else (other, ours):
            times[side].append(seconds(side))
    return min(times[ours]), min(times[other])


def seconds(work: Callable[[], Any]) -> float:
    """Return the wall-clock seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def duration(value: float) -> str:
    """Format seconds in a suitable unit."""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.1f} ms" if value >= 1e-3 else f"{value * 1e6:.0f} µs"

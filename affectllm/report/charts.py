"""Geometry of the inline charts: converts values to positions in percent, without any HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from affectllm.metrics import Score
from affectllm.report.runfolder import History, Point
from affectllm.train.method import LOSS, Curve


@dataclass(frozen=True)
class Tick:
    """A label on an axis and its position in percent."""

    at: float
    label: str


@dataclass(frozen=True)
class Axis:
    """An axis that holds every score of a panel, with labels from end to end."""

    low: float
    high: float
    ticks: tuple[Tick, ...]

    def place(self, value: float) -> float:
        """Return the position of a value, in percent."""
        if math.isnan(value):
            return 0.0
        return round(100 * (value - self.low) / (self.high - self.low), 2)


_UNIT = (0.0, 0.25, 0.5, 0.75, 1.0)
_NOTHING = 1e-9


def axis(scores: Sequence[Score], reach: tuple[float, float] = (-math.inf, math.inf)) -> Axis:
    """Return the axis of a metric's scores: from 0 to 1 where they lie between, else between round numbers around them.

    Args:
        scores: values and intervals that are drawn on it.
        reach: the range of the metric.
    """
    ends = [end for score in scores for end in (score["value"], score["low"], score["high"]) if end is not None]
    finite = [end for end in ends if math.isfinite(end)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    unit = low >= 0 and high <= 1 and reach[1] <= 1
    marks = list(_UNIT) if unit else ticks(low, max(high, min(1.0, reach[1]) if low < 0 and high <= 1 else high), 4)
    step = 100 / (len(marks) - 1)
    return Axis(marks[0], marks[-1], tuple(Tick(number * step, f"{mark:g}") for number, mark in enumerate(marks)))


@dataclass(frozen=True)
class Whisker:
    """A point and its interval on an axis, in percent of the axis; the ends are None where there is no interval."""

    at: float
    low: float | None
    high: float | None


def whisker(score: Score, on: Axis) -> Whisker:
    """Return the positions of a value and the ends of its interval on an axis that holds them."""
    if score["low"] is None or score["high"] is None:
        return Whisker(on.place(score["value"]), None, None)
    return Whisker(on.place(score["value"]), on.place(score["low"]), on.place(score["high"]))


@dataclass(frozen=True)
class Line:
    """A named series: SVG ``points`` in a 100 x 100 box, and its marks as (x, y, text)."""

    name: str
    points: str
    marks: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class LossChart:
    """A curve of a training: series, ticks, the checkpoint that was kept, and whether its axis is logarithmic."""

    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    best: tuple[float, float, str] | None
    logarithmic: bool
    curve: Curve


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers (1, 2 or 5 times a power of ten apart) that cover ``low`` to ``high``."""
    size = max(abs(low), abs(high))
    # What arithmetic leaves of zero is no length of an axis.
    span = high - low if high - low > _NOTHING * max(1.0, size) else size if size > _NOTHING else 1.0
    rough = span / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= rough)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(first, max(last, first + 1) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten that cover two positive values, with 2 and 5 between them where they are few."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    steps = (1, 2, 5) if last - first <= 2 else (1,)
    marks = [step * 10.0**power for power in range(first, last + 1) for step in steps if step * 10**power <= 10**last]
    inside = [value for value in marks if low <= value <= high]
    below, above = [v for v in marks if v < low][-1:], [v for v in marks if v > high][:1]
    return below + inside + above


def wants_logarithm(values: Sequence[float], curve: Curve) -> bool:
    """Return whether the losses need a logarithmic axis; other curves go through zero, or end at one."""
    return curve == LOSS and min(values) > 0 and max(values) > 20 * min(values)


def loss_chart(history: History) -> LossChart | None:
    """Return the chart of a curve, or None where nothing finite was logged."""
    train, evaluation = _finite(history.train), _finite(history.evaluation)
    everything = train + evaluation
    if not everything:
        return None
    steps = [point.step for point in everything]
    x_values = ticks(min(0, *steps), max(steps)) if max(steps) else [0.0, 1.0]
    bounds = [end for end in history.curve.range if math.isfinite(end)]
    values = [*(point.value for point in everything), *bounds]
    logarithmic = wants_logarithm(values, history.curve)
    y_values = (log_ticks if logarithmic else ticks)(min(values), max(values))
    scale = math.log10 if logarithmic else float
    x_low, x_high, y_low, y_high = x_values[0], max(steps) or 1, scale(y_values[0]), scale(y_values[-1])

    def place(point: Point) -> tuple[float, float, str]:
        x = 100 * (point.step - x_low) / (x_high - x_low)
        y = 100 - 100 * (scale(point.value) - y_low) / (y_high - y_low)
        return round(x, 2), round(y, 2), f"step {point.step}: {point.value:.4f}"

    lines = [_line(name, points, place) for name, points in (("train", train), ("eval", evaluation)) if points]
    x_ticks = [Tick(100 * (x - x_low) / (x_high - x_low), f"{x:g}") for x in x_values if x <= x_high]
    y_ticks = [Tick(100 - 100 * (scale(y) - y_low) / (y_high - y_low), f"{y:g}") for y in y_values]
    best = place(history.best) if history.best else None
    return LossChart(tuple(lines), tuple(x_ticks), tuple(y_ticks), best, logarithmic, history.curve)


def _finite(points: Sequence[Point]) -> list[Point]:
    return [point for point in points if math.isfinite(point.value)]


def _line(name: str, points: Sequence[Point], place) -> Line:  # type: ignore[no-untyped-def]
    marks = tuple(place(point) for point in points)
    return Line(name, " ".join(f"{x},{y}" for x, y, _ in marks), marks)

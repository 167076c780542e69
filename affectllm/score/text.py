"""Render results as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from affectllm.metrics.core.comparison import Comparison
from affectllm.metrics.core.metric import Metric
from affectllm.metrics.core.result import Result

_COUNTS = ("support", "n", "count", "items")


def render(metric: Metric, result: Result, system: str = "") -> str:
    """Render value, interval, unreadable share, controls, coverage and classes of one result."""
    return "\n".join(_lines(metric, result, system))


def _lines(metric: Metric, result: Result, system: str) -> Iterator[str]:
    yield f"{result.metric}  {_formatted(result.value)}  {result.interval}  {system}".rstrip()
    read = f"{result.unreadable:.1%} of the answers unreadable"
    yield f"  n {result.n:,}, {read}, {metric.better} is better, range {metric.range[0]:g} to {metric.range[1]:g}"
    for title in ("controls", "coverage", "details"):
        if values := getattr(result, title):
            yield f"  {title:<9} " + ", ".join(f"{name} {_formatted(value)}" for name, value in values.items())
    settings = {name: value for name, value in result.settings.items() if value is not None}
    yield f"  {'settings':<9} " + ", ".join(f"{name} {_brief(value)}" for name, value in settings.items())
    if result.per_class:
        yield from _classes(result.per_class)


def _classes(per_class: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    names = list(dict.fromkeys(name for values in per_class.values() for name in values))
    width = max(map(len, per_class))
    yield "  " + " " * width + "".join(f"{name:>{max(10, len(name) + 2)}}" for name in names)
    for label, values in per_class.items():
        cells = (f"{_cell(name, values):>{max(10, len(name) + 2)}}" for name in names)
        yield f"  {label:<{width}}" + "".join(cells)


def _cell(name: str, values: Mapping[str, float]) -> str:
    if name in _COUNTS and name in values:
        return f"{values[name]:,.0f}"
    return _formatted(values[name]) if name in values else ""


def _formatted(value: Any) -> str:
    if value is None:
        return "–"
    if not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int):  # a count; 1.0 may be a share
        return f"{value:,}"
    return f"{int(value):,}" if float(value).is_integer() and abs(value) > 1 else f"{value:.4f}"


def _brief(value: Any) -> str:
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{name} {_brief(item)}" for name, item in value.items()) + ")"
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= 40 else text[:37] + "…"


def render_comparisons(comparisons: Sequence[Comparison]) -> str:
    """Render one line per pair of systems."""
    lines = ["difference, 95 % interval, p (approximate randomisation), p corrected for all comparisons"]
    for one in comparisons:
        ends = "[no interval]" if one.low is None or one.high is None else f"[{one.low:+.4f}, {one.high:+.4f}]"
        lines.append(f"  {one.first} − {one.second}  {one.difference:+.4f} {ends}  {one.p:.4f}  {one.p_corrected:.4f}")
    return "\n".join(lines)

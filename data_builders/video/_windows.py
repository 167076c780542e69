"""Average continuous annotations of films over windows of time. Not a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple


class Window(NamedTuple):
    """The mean of each trace between two moments in seconds."""

    start: float
    end: float
    means: Mapping[str, float]


def windows(points: Iterable[tuple[float, Mapping[str, float]]], seconds: float) -> Iterator[Window]:
    """Yield means of points (moment, numbers) over windows of ``seconds``, in temporal order; a window may be empty."""
    sums: dict[int, dict[str, list[float]]] = {}
    for moment, numbers in points:
        if moment >= 0:
            place = sums.setdefault(int(moment // seconds), {})
            for name, value in numbers.items():
                place.setdefault(name, []).append(value)
    for index in sorted(sums):
        means = {name: sum(values) / len(values) for name, values in sums[index].items()}
        yield Window(index * seconds, (index + 1) * seconds, means)

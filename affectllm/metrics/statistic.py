"""How the value of a metric follows from its items: by sums over them, or anew for every choice of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from affectllm.metrics import bootstrap

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Interval = tuple[float, float, int]
PerClass = Callable[[], dict[str, dict[str, float]]]


@dataclass
class Sums:
    """A metric that depends on sums over items.

    Args:
        table: one row an item, ``[n, k]``; all zero where an item does not count.
        reduce: summed tables → values, ``[..., k]`` → ``[...]``; NaN only where it is undefined on a resample.
        per_class: computed when asked for: label → name → value.
        coverage: what was left out or reached.
        details: further values of the same computation, and which tokens it took.
        n: items that count, where these are fewer than those given.
    """

    table: Array
    reduce: Callable[[Array], Array]
    per_class: PerClass | None = None
    coverage: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, float | str] = field(default_factory=dict)
    n: int | None = None

    def value(self) -> float:
        """The metric of all items."""
        return float(self.reduce(self.table.sum(0, dtype=float)))

    def interval(self, clusters: Sequence[Hashable] | None, value: float, resamples: int, seed: int) -> Interval:
        """Lower end, upper end, resamples."""
        sums = self.table if clusters is None else bootstrap.by_cluster(self.table, clusters)
        return *bootstrap.interval(sums, self.reduce, value, resamples, seed), resamples


@dataclass
class Rows:
    """A metric that is no function of sums: it is computed anew on the items of each resample.

    Args:
        compute: item numbers, with repetition, → value; the value itself is that of all items in order.
        jackknife: leave clusters out instead of resampling, where repeated items distort the metric.
        bounds: the range that a jackknife interval is cut to.
        size: number of items.
        per_class, coverage, details, n: as in ``Sums``.
    """

    compute: Callable[[Array], float]
    jackknife: bool = False
    per_class: PerClass | None = None
    coverage: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, float | str] = field(default_factory=dict)
    n: int | None = None
    size: int = 0
    bounds: tuple[float, float] = (-math.inf, math.inf)

    def value(self) -> float:
        """The metric of all items."""
        import numpy as np

        return float(self.compute(np.arange(self.size)))

    def interval(self, clusters: Sequence[Hashable] | None, value: float, resamples: int, seed: int) -> Interval:
        """Lower end, upper end, resamples."""
        groups = range(self.size) if clusters is None else clusters
        if self.jackknife:
            return *bootstrap.jackknife(self.compute, groups, value, self.bounds, seed), bootstrap.GROUPS
        return bootstrap.interval_of_rows(self.compute, groups, value, resamples, seed)


Statistic = Sums | Rows

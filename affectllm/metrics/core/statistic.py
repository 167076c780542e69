"""Statistics of items: metrics that depend on sums over items, and metrics recomputed for every resample."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from affectllm.metrics.core import bootstrap, jackknife

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class Resampling(NamedTuple):
    """The parameters of an interval: the range of the metric, the number of resamples, and the seed."""

    bounds: tuple[float, float]
    resamples: int
    seed: int


class Interval(NamedTuple):
    """Both ends of an interval, None where the clusters are too few, and the method: ``jackknife`` or ``bootstrap``."""

    low: float | None
    high: float | None
    method: str


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

    def interval(self, clusters: Sequence[Hashable] | None, value: float, how: Resampling) -> Interval:
        """Compute the interval from the sums of each cluster."""
        import numpy as np

        sums = self.table if clusters is None else bootstrap.by_cluster(self.table, clusters)
        if len(sums) >= jackknife.FEW:
            return Interval(*bootstrap.interval(sums, self.reduce, value, how.resamples, how.seed), "bootstrap")
        left = self.reduce(sums.sum(0, dtype=float) - sums) if len(sums) > 1 else np.full(1, np.nan)
        sizes = np.ones(len(sums)) if clusters is None else bootstrap.sizes(clusters)
        return Interval(*jackknife.interval(value, left, sizes, how.bounds, bootstrap.CONFIDENCE), "jackknife")


@dataclass
class Rows:
    """A metric that is no function of sums: it is computed anew on the items of each resample.

    Args:
        compute: item numbers, with repetition, → value; the value itself is that of all items in order.
        jackknife: always leave clusters out, where repeated items distort the metric.
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

    def value(self) -> float:
        """The metric of all items."""
        import numpy as np

        return float(self.compute(np.arange(self.size)))

    def interval(self, clusters: Sequence[Hashable] | None, value: float, how: Resampling) -> Interval:
        """Compute the interval from the metric recomputed without each cluster, or on resamples of them."""
        import numpy as np

        named: Sequence[Hashable] = range(self.size) if clusters is None else clusters
        members = bootstrap.members(named)
        if len(members) >= jackknife.FEW and not self.jackknife:
            low, high = bootstrap.interval_of_rows(self.compute, members, value, how.resamples, how.seed)
            return Interval(low, high, "bootstrap")
        parts = jackknife.groups(members, how.seed)
        every = np.arange(self.size)
        enough = len(parts) >= jackknife.FEWEST
        left = np.array([self.compute(np.setdiff1d(every, part)) for part in parts] if enough else [np.nan])
        sizes = np.array([len(part) for part in parts], float)
        return Interval(*jackknife.interval(value, left, sizes, how.bounds, bootstrap.CONFIDENCE), "jackknife")


Statistic = Sums | Rows

"""Scores of parts of the items, such as those of each sex or language, and how far the best part is from the worst.

The gap of parts is never zero, however fair a system is, and the more parts there are and the fewer items they have,
the larger it is. So it stands with its interval, from the same clusters as that of the score, and with the share of
shuffles that give one as large: the parts' names are dealt out anew, to whole clusters where each lies within one part
(the speakers of a sex), else among the items of each cluster (the levels at which a speaker speaks).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core import bootstrap, jackknife
from affectllm.metrics.core.metric import Metric
from affectllm.metrics.core.result import Result
from affectllm.metrics.core.statistic import Rows, Statistic, Sums

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

FEWEST_ITEMS = 10
"""A part with fewer items is not compared with others: chance alone would make it the best or the worst."""
_SHUFFLES = 999
_MOST_DEALT = 5_000_000  # items dealt out over all shuffles


@dataclass(frozen=True)
class Gap:
    """The largest value of a part less the smallest, of parts with enough items.

    Args:
        value: the difference.
        low, high: its 95 % interval; None from fewer than five clusters, or where no cluster moves the gap.
        largest, smallest: names of these parts.
        p: share of shuffles with a gap as large; never 0.
        parts: how many were compared.
    """

    value: float
    low: float | None
    high: float | None
    largest: str
    smallest: str
    p: float
    parts: int


def scores_of_groups(
    metric: Metric,
    gold: Sequence[Any],
    predicted: Sequence[Any],
    groups: Sequence[str | None],
    *,
    clusters: Sequence[Hashable] | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Result | None]:
    """Compute a metric of the items of each group, in order of first appearance; None where it is undefined there.

    Args:
        groups: of each item; None where it is not known, and the item is in none.
        clusters: as of ``Metric``.
        options: of the metric; one that is a column has a value for each item.
    """
    scores: dict[str, Result | None] = {}
    for name in dict.fromkeys(group for group in groups if group is not None):
        rows = [row for row, group in enumerate(groups) if group == name]
        own: dict[str, Any] = {
            key: [value[row] for row in rows] if key in metric.columns and value is not None else value
            for key, value in options.items()
        }
        try:
            scores[name] = metric(
                [gold[row] for row in rows],
                [predicted[row] for row in rows],
                clusters=None if clusters is None else [clusters[row] for row in rows],
                controls=False,
                **own,
            )
        except Malformed:
            scores[name] = None  # undefined on so few items, as the metric's own page says
    return scores


def gap_of_groups(
    metric: Metric,
    gold: Sequence[Any],
    predicted: Sequence[Any],
    groups: Sequence[str | None],
    *,
    clusters: Sequence[Hashable] | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    seed: int = bootstrap.SEED,
) -> Gap | None:
    """Return the gap of groups with at least ``FEWEST_ITEMS`` items; None where fewer than two have a value."""
    import numpy as np

    sizes = {name: groups.count(name) for name in dict.fromkeys(groups) if name is not None}
    names = [name for name, size in sizes.items() if size >= FEWEST_ITEMS]
    if len(names) < 2:
        return None
    numbers = {name: number for number, name in enumerate(names)}
    labels = np.array([numbers.get(group, -1) if group is not None else -1 for group in groups])
    statistic = metric.statistic(gold, predicted, **options)
    parts = _Parts(statistic, labels, len(names))
    values = parts.values(labels)
    if np.isfinite(values).sum() < 2:
        return None
    value = _spread(values)
    named: Sequence[Hashable] = list(range(len(gold)) if clusters is None else clusters)
    low, high = parts.interval(value, named, seed)
    p = parts.share_as_large(value, named, seed)
    largest, smallest = names[int(np.nanargmax(values))], names[int(np.nanargmin(values))]
    return Gap(value, low, high, largest, smallest, p, len(names))


class _Parts:
    """The values of a metric on parts of the items, for any way of dealing the items out to them.

    Args:
        statistic: of all items.
        labels: ``[n]``, the part of each item; -1 for those in none.
        size: number of parts.
    """

    def __init__(self, statistic: Statistic, labels: Array, size: int) -> None:
        self._statistic, self._labels, self._size = statistic, labels, size

    def values(self, labels: Array) -> Array:
        """Return the metric of each part, ``[size]``, where ``labels`` say who is in it; NaN where it is undefined."""
        import numpy as np

        if isinstance(self._statistic, Sums):
            return self._reduced(_summed(self._statistic.table, labels, self._size))
        return np.array([self._of_rows(np.flatnonzero(labels == number)) for number in range(self._size)])

    def _reduced(self, sums: Array) -> Array:
        import numpy as np

        assert isinstance(self._statistic, Sums)
        with np.errstate(all="ignore"):
            return np.asarray(self._statistic.reduce(sums), float)

    def _of_rows(self, rows: Array) -> float:
        assert isinstance(self._statistic, Rows)
        try:
            return self._statistic.compute(rows) if len(rows) else math.nan
        except Malformed:
            return math.nan

    def interval(self, value: float, clusters: Sequence[Hashable], seed: int) -> jackknife.Interval:
        """Return the interval of the gap: by leaving out each cluster, or at most ``GROUPS`` groups of them."""
        import numpy as np

        numbers = bootstrap.cluster_numbers(clusters)
        count = int(numbers.max()) + 1
        if count < jackknife.FEWEST:
            return None, None
        if count > jackknife.GROUPS:
            numbers, count = (
                np.random.default_rng(seed).permutation(count)[numbers] % jackknife.GROUPS,
                jackknife.GROUPS,
            )
        left = np.array([_spread(one) for one in self._without_each(numbers, count)])
        sizes = np.bincount(numbers).astype(float)
        ends = jackknife.interval(value, left, sizes, (-math.inf, math.inf), bootstrap.CONFIDENCE)
        # A gap that no cluster moves at all rests on too few items for an interval to say anything.
        if ends[0] is None or ends[1] is None or (value and ends[0] == ends[1]):
            return None, None
        return max(0.0, ends[0]), ends[1]

    def _without_each(self, numbers: Array, count: int) -> Iterator[Array]:
        """Yield the values of the parts without each cluster."""
        import numpy as np

        if not isinstance(self._statistic, Sums):
            yield from (self.values(np.where(numbers == number, -1, self._labels)) for number in range(count))
            return
        cells = np.where(self._labels < 0, -1, numbers * self._size + self._labels)
        sums = _summed(self._statistic.table, cells, count * self._size).reshape(count, self._size, -1)
        total = sums.sum(0)
        yield from (self._reduced(total - own) for own in sums)

    def share_as_large(self, value: float, clusters: Sequence[Hashable], seed: int) -> float:
        """Return the share of shuffles whose gap is at least ``value``, that of the data among them."""
        import numpy as np

        random, numbers = np.random.default_rng(seed), bootstrap.cluster_numbers(clusters)
        rounds = max(99, min(_SHUFFLES, _MOST_DEALT // len(numbers)))
        shuffled = _shuffles(self._labels, numbers, rounds, random)
        drawn = [_spread(self.values(labels)) for labels in shuffled]
        return (1 + sum(one >= value - 1e-12 for one in drawn if math.isfinite(one))) / (1 + rounds)


def _summed(table: Array, cells: Array, size: int) -> Array:
    """Sum the rows of ``table`` (``[n, k]``) by cell: ``[size, k]``; rows of the cell -1 are left out."""
    import numpy as np
    from scipy.sparse import csr_matrix

    own = np.flatnonzero(cells >= 0)
    belongs = csr_matrix((np.ones(len(own)), (cells[own], own)), shape=(size, len(cells)))
    return np.asarray(belongs @ table)


def _spread(values: Array) -> float:
    import numpy as np

    finite = values[np.isfinite(values)]
    return float(finite.max() - finite.min()) if len(finite) > 1 else math.nan


def _shuffles(labels: Array, clusters: Array, rounds: int, random: np.random.Generator) -> Iterator[Array]:
    """Yield ``labels`` dealt out anew: to whole clusters where each has one label, else within each cluster."""
    import numpy as np

    of_clusters = np.empty(int(clusters.max()) + 1, labels.dtype)
    of_clusters[clusters] = labels
    if (of_clusters[clusters] == labels).all():
        yield from (random.permutation(of_clusters)[clusters] for _ in range(rounds))
        return
    places = np.argsort(clusters, kind="stable")
    for _ in range(rounds):
        shuffled = np.empty_like(labels)
        shuffled[places] = labels[np.argsort(clusters + random.random(len(labels)))]
        yield shuffled

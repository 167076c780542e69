"""Agreement of raters beyond chance: Krippendorff's α and Fleiss' κ.

An item is a mapping rater → rating; raters may have left items out. Items with one rating say nothing about agreement
and do not count (``n``, ``coverage``). Intervals resample items.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import nan
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import choice, label_names, rating_name, ratio
from affectllm.metrics.core.metric import Rows, Sums, metric
from affectllm.metrics.core.statistic import Statistic

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Ratings = list[dict[str, Any]]
_MANY_CELLS = 50_000_000  # of a table of counts per item and value
_MANY_VALUES = 4_000  # pairs of which fill a matrix
_FEW_VALUES = 16  # pairs of which fit one column each


@metric(
    "krippendorff_alpha",
    title="Krippendorff's α",
    form="ratings",
    range=(-1.0, 1.0),
    source="Krippendorff, Content Analysis: An Introduction to Its Methodology, 2004, ch. 11",
    takes="gold",
)
def krippendorff_alpha(gold: Ratings, *, level: str = "nominal", labels: Sequence[str] = ()) -> Statistic:
    """Krippendorff's α: 1 less observed disagreement as a share of the disagreement expected by chance.

    Formula: ``α = 1 − (Σ_u Σ_{i≠j} δ²(x_ui, x_uj) / (m_u − 1)) / (Σ_{v≠w} δ²(v, w) / (n − 1))`` over items u with
    m_u ≥ 2 ratings, n ratings in all; δ² is 0 or 1 (``level="nominal"``), the squared difference of mid-ranks
    (``ordinal``), of values (``interval``), or ``((v − w)/(v + w))²`` (``ratio``).
    Edge cases: ordinal labels are ordered by ``labels``; missing ratings are no disagreement; errors where no item has
    two ratings, and where all ratings are the same, since chance agreement is then complete.
    """
    choice(level, ("nominal", "ordinal", "interval", "ratio"), "level")
    units = _Units(gold, level, labels)
    if level == "interval":
        return units.with_coverage(_interval(units))
    if level == "ordinal":
        return units.with_coverage(_ordinal(units))
    return units.with_coverage(_fixed(units, _distances(units, level)))


def _distances(units: _Units, level: str) -> Array:
    import numpy as np

    if level == "nominal":
        return np.array(1.0)  # between any two different values
    if units.values.min() < 0 or len(units.values) > _MANY_VALUES:
        message = f"the ratio level takes ratings from 0, of at most {_MANY_VALUES} different values"
        raise Malformed(message, do="round the ratings, or choose level='interval'")
    over, under = np.subtract.outer(units.values, units.values), np.add.outer(units.values, units.values)
    return ratio(over, under) ** 2


def _fixed(units: _Units, distances: Array) -> Statistic:
    """Build α for levels at which the distance of two values depends on nothing else."""
    import numpy as np

    within = units.within(distances)

    def alpha(observed: Array, counts: Array) -> Array:
        total = counts.sum(-1)
        alike = (counts**2).sum(-1)
        expected = ((counts @ distances) * counts).sum(-1) if distances.ndim else total**2 - alike
        return _alpha(observed, expected / np.maximum(total - 1, 1))

    if units.size * len(units.values) <= _MANY_CELLS:
        table = np.concatenate([within[:, None], units.dense()], axis=1)
        return Sums(table, lambda sums: alpha(sums[..., 0], sums[..., 1:]))
    return Rows(lambda rows: float(alpha(within[rows].sum(), units.counted(rows))))


def _interval(units: _Units) -> Sums:
    """Build α of squared differences: both disagreements are variances, so sums of squares are enough."""
    import numpy as np

    x = units.values[units.codes]
    count, first, second = (units.per_item(part) for part in (np.ones(len(x)), x - x.mean(), (x - x.mean()) ** 2))
    within = 2 * ratio(count * second - first**2, count - 1)

    def reduce(sums: Array) -> Array:
        observed, total, one, two = np.moveaxis(sums, -1, 0)
        expected = total * two - one**2
        varies = expected > 1e-11 * total * two  # less is rounding
        return _alpha(observed, np.where(varies, 2 * expected / np.maximum(total - 1, 1), 0.0))

    return Sums(np.stack([within, count, first, second], axis=1), reduce)


def _ordinal(units: _Units) -> Statistic:
    """Build α as ``_interval``, on mid-ranks, which depend on the counts of all values and so on the resample."""
    import numpy as np

    if len(units.values) <= _FEW_VALUES:
        return _ordinal_sums(units)

    def value(rows: Array) -> float:
        counts, weights = units.counted(rows), np.bincount(rows, minlength=units.size)
        x = (counts.cumsum() - counts / 2)[units.codes]
        x = x - counts.sum() / 2
        count, first, second = (units.per_item(part) for part in (np.ones(len(x)), x, x**2))
        within = 2 * ratio(count * second - first**2, count - 1)
        total = counts.sum()
        expected = 2 * (total * (second @ weights) - (first @ weights) ** 2) / max(total - 1, 1)
        return float(_alpha(within @ weights, expected))

    return Rows(value)


def _ordinal_sums(units: _Units) -> Sums:
    """Build ordinal α for few values: one column per pair of values, how often it occurs within an item."""
    import numpy as np

    counts, size = units.dense(), len(units.values)
    first, second = np.triu_indices(size, 1)
    pairs = 2 * ratio(counts[:, first] * counts[:, second], np.maximum(counts.sum(1, keepdims=True) - 1, 1))

    def reduce(sums: Array) -> Array:
        observed, totals = sums[..., : len(first)], sums[..., len(first) :]
        ranks = totals.cumsum(-1) - totals / 2
        distances = (ranks[..., first] - ranks[..., second]) ** 2
        expected = (2 * totals[..., first] * totals[..., second] * distances).sum(-1)
        return _alpha((observed * distances).sum(-1), expected / np.maximum(totals.sum(-1) - 1, 1))

    return Sums(np.concatenate([pairs, counts], axis=1), reduce)


def _alpha(observed: Array, expected: Array) -> Array:
    return 1 - ratio(observed, expected, nan)


class _Units:
    """The ratings of items with two or more: the item of each, and its value as an index into ``values``."""

    def __init__(self, gold: Ratings, level: str, labels: Sequence[str]) -> None:
        import numpy as np

        self.size = len(gold)
        sizes = np.fromiter(map(len, gold), np.int64, len(gold))
        ratings = list(chain.from_iterable(item.values() for item in gold if len(item) > 1))
        self.paired = sizes > 1
        if not ratings:
            raise Malformed("no item has two ratings, so there is no agreement to measure", do="give more ratings")
        self.items = np.repeat(np.flatnonzero(self.paired), sizes[self.paired])
        self.values, self.codes = _encoded(ratings, level, labels)
        self.shares = {"items": float(self.paired.mean()), "ratings": len(ratings) / int(sizes.sum())}
        if self.codes.min() == self.codes.max():
            raise Malformed("all ratings are the same, so agreement beyond chance is undefined", do="give more items")

    def per_item(self, values: Array) -> Array:
        """Sum values over the ratings of each item."""
        import numpy as np

        return np.bincount(self.items, values, self.size)

    def dense(self) -> Array:
        """Count how often each item has each value, ``[items, values]``."""
        import numpy as np

        width = len(self.values)
        cells = np.bincount(self.items * width + self.codes, minlength=self.size * width)
        return cells.reshape(self.size, width).astype(float)

    def counted(self, rows: Array) -> Array:
        """Count how often each value occurs in the items ``rows``."""
        import numpy as np

        weights = np.bincount(rows, minlength=self.size)
        return np.bincount(self.codes, weights[self.items], len(self.values))

    def within(self, distances: Array) -> Array:
        """Return the observed disagreement of each item: distances of its ordered pairs over its ratings less one."""
        import numpy as np
        from scipy.sparse import csr_matrix

        sizes, shape = self.per_item(np.ones(len(self.items))), (self.size, len(self.values))
        counts = csr_matrix((np.ones(len(self.items)), (self.items, self.codes)), shape)
        if distances.ndim:
            apart = np.concatenate(
                [_apart(counts[start : start + 20_000], distances) for start in range(0, self.size, 20_000)]
            )
        else:
            apart = sizes**2 - np.asarray(counts.multiply(counts).sum(1)).ravel()
        return ratio(apart, sizes - 1)

    def with_coverage(self, statistic: Statistic) -> Statistic:
        """Set the number of items and the coverage of a statistic, and return it."""
        statistic.n, statistic.coverage = int(self.paired.sum()), self.shares
        return statistic


def _apart(counts: Any, distances: Array) -> Array:
    import numpy as np

    return np.asarray(counts.multiply(counts @ distances).sum(1)).ravel()


def _encoded(ratings: list[Any], level: str, labels: Sequence[str]) -> tuple[Array, Array]:
    """Return the distinct values in order, and the index of each rating's value."""
    import numpy as np

    named = isinstance(ratings[0], str)
    if level == "nominal" or (level == "ordinal" and named):
        names = [rating if isinstance(rating, str) else rating_name(rating) for rating in ratings]
        if level == "ordinal" and not labels:
            raise Malformed("ordinal labels need their order", do="give labels=…, from lowest to highest")
        ordered = label_names(labels, names)
        positions = {name: number for number, name in enumerate(ordered)}
        return np.arange(float(len(ordered))), np.fromiter((positions[name] for name in names), np.int64, len(names))
    if strange := [rating for rating in ratings if isinstance(rating, (str, bool))]:
        raise Malformed(f"the {level} level takes numbers, and {strange[0]!r} is none", do="choose level='nominal'")
    numbers = np.array(ratings, float)
    if not np.isfinite(numbers).all():
        raise Malformed("a rating is not finite", do="leave such ratings out")
    values, codes = np.unique(numbers, return_inverse=True)
    return values, codes


@metric(
    "fleiss_kappa",
    title="Fleiss' κ",
    form="ratings",
    range=(-1.0, 1.0),
    source="Fleiss, Measuring nominal scale agreement among many raters, Psychological Bulletin 76(5), 1971",
    takes="gold",
)
def fleiss_kappa(gold: Ratings, *, labels: Sequence[str] = ()) -> Sums:
    """Fleiss' κ: agreement of a fixed number of ratings an item, beyond what label frequencies alone would give.

    Formula: ``(P̄ − P̄_e) / (1 − P̄_e)``, ``P_i = (Σ_c n_ic² − m) / (m (m − 1))``, ``P̄_e = Σ_c (Σ_i n_ic / (N·m))²``.
    Edge cases: errors where items differ in their number of ratings (α takes these), where that is 1, and where all
    ratings are the same.
    """
    import numpy as np

    units = _Units(gold, "nominal", labels)
    counts = units.dense()
    sizes = counts.sum(1)
    if sizes.min() != sizes.max():
        raise Malformed("items differ in their number of ratings", do="use krippendorff_alpha, which takes these")
    agree = ((counts**2).sum(1) - sizes) / (sizes * (sizes - 1))

    def reduce(sums: Array) -> Array:
        mean, shares = (
            ratio(sums[..., 0], sums[..., 1], nan),
            ratio(sums[..., 2:], sums[..., 2:].sum(-1, keepdims=True)),
        )
        chance = (shares**2).sum(-1)
        return ratio(mean - chance, 1 - chance, nan)

    return Sums(np.concatenate([agree[:, None], np.ones((len(gold), 1)), counts], axis=1), reduce)

"""Reliability of raters: how well one predicts the others, and mean scores corrected for rater effects."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from math import inf, nan
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import choice, mean_of_items, per_part, rating_name, ratio
from affectllm.metrics.core.metric import Rows, Sums, metric
from affectllm.metrics.core.moments import ccc_of, pearson_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Ratings = list[dict[str, Any]]


@metric(
    "human_ceiling",
    form="ratings",
    range=(-1.0, 1.0),
    source="Demszky et al., GoEmotions, ACL 2020 (each rater against the mean of the others)",
    takes="gold",
)
def human_ceiling(gold: Ratings, *, measure: str = "accuracy") -> Rows:
    """How well each rater agrees with the others of an item, mean over raters: what a model can be expected to reach.

    Formula: per rater, ``measure`` of that rater's ratings against the majority (``accuracy``, ``uar``) or the mean
    (``pearson``, ``ccc``) of the other ratings of the same items; then the mean over raters.
    Edge cases: ratings whose others tie, or that have no others, do not count (``coverage.ratings``); neither do raters
    on whose items the measure is undefined (``coverage.raters``). ``details.pooled`` is the measure over the ratings of
    all raters together, which suits crowds of which each rater saw few items.
    """
    choice(measure, ("accuracy", "uar", "pearson", "ccc"), "measure")
    pairs = _majorities(gold) if measure in ("accuracy", "uar") else _means(gold)
    return pairs.mean_over_raters(_MEASURES[measure])


class _Pairs:
    """Each rating that counts: its item, its rater, its own value and that of the others."""

    def __init__(self, rows: list[tuple[int, str, Any, Any]], items: int, ratings: int) -> None:
        import numpy as np

        if not rows:
            raise Malformed("no rating has others to be compared with", do="give items with two raters or more")
        self.names = sorted({rater for _, rater, _, _ in rows})
        positions = {rater: number for number, rater in enumerate(self.names)}
        self.items, self.size = np.array([row[0] for row in rows]), items
        self.raters = np.array([positions[row[1]] for row in rows])
        self.own, self.others = [row[2] for row in rows], [row[3] for row in rows]
        self.share = len(rows) / ratings

    def mean_over_raters(self, measure: Callable[[Array, Any, Any, Array, int], Array]) -> Rows:
        """Build the mean over raters of ``measure``."""
        import numpy as np

        parts, whole = len(self.names), np.zeros(len(self.raters), np.int64)

        def each(rows: Array) -> Array:
            weights = np.bincount(rows, minlength=self.size)[self.items].astype(float)
            return measure(self.raters, self.own, self.others, weights, parts)

        def mean(rows: Array) -> float:
            values = each(rows)
            defined = np.isfinite(values)
            return float(values[defined].mean()) if defined.any() else nan

        ones = np.ones(len(self.raters))
        values, counts = each(np.arange(self.size)), np.bincount(self.raters, minlength=parts)
        defined = np.flatnonzero(np.isfinite(values))
        if not len(defined):
            raise Malformed("the measure is undefined for every rater", do="choose measure='accuracy', or more items")
        pooled = float(measure(whole, self.own, self.others, ones, 1)[0])
        return Rows(
            mean,
            per_class=lambda: per_part([self.names[i] for i in defined], agreement=values[defined], n=counts[defined]),
            coverage={"ratings": self.share, "raters": len(defined) / parts},
            details={"pooled": pooled} if np.isfinite(pooled) else {},
            n=len(set(self.items.tolist())),
        )


def _majorities(gold: Ratings) -> _Pairs:
    """Pair each rating with the most frequent of the others, where that is one label."""
    rows = []
    for item, ratings in enumerate(gold):
        names = {rater: rating_name(rating) for rater, rating in ratings.items()}
        counts = Counter(names.values())
        for rater, label in names.items():
            others = {name: count - (name == label) for name, count in counts.items()}
            most = max(others.values())
            top = [name for name, count in others.items() if count == most]
            if most and len(top) == 1:
                rows.append((item, rater, label, top[0]))
    return _Pairs(rows, len(gold), sum(map(len, gold)))


def _means(gold: Ratings) -> _Pairs:
    """Pair each rating with the mean of the others."""
    rows = []
    for item, ratings in enumerate(gold):
        numbers = {rater: _number(rating) for rater, rating in ratings.items()}
        total = sum(numbers.values())
        if len(numbers) > 1:
            rows += [(item, rater, own, (total - own) / (len(numbers) - 1)) for rater, own in numbers.items()]
    return _Pairs(rows, len(gold), sum(map(len, gold)))


def _number(rating: Any) -> float:
    if isinstance(rating, (str, bool)) or not abs(rating) <= sys.float_info.max:
        raise Malformed(f"{rating!r} is no number", do="give numbers, or choose measure='accuracy'")
    return float(rating)


def _accuracy(raters: Array, own: Any, others: Any, weights: Array, parts: int) -> Array:
    import numpy as np

    right = np.array([mine == theirs for mine, theirs in zip(own, others, strict=True)]) * weights
    return ratio(np.bincount(raters, right, parts), np.bincount(raters, weights, parts), np.nan)


def _uar(raters: Array, own: Any, others: Any, weights: Array, parts: int) -> Array:
    import numpy as np

    names, codes = np.unique(others, return_inverse=True)
    cells = raters * len(names) + codes
    right = np.array([mine == theirs for mine, theirs in zip(own, others, strict=True)]) * weights
    hits, support = (np.bincount(cells, part, parts * len(names)).reshape(parts, -1) for part in (right, weights))
    return ratio(ratio(hits, support).sum(1), (support > 0).sum(1), np.nan)


def _moments_of(value: Any) -> Any:
    def measure(raters: Array, own: Any, others: Any, weights: Array, parts: int) -> Array:
        import numpy as np

        x, y = np.array(others, float), np.array(own, float)
        x, y = x - x.mean(), y - x.mean()
        columns = (np.ones(len(x)), x, y, x * x, y * y, x * y)
        sums = np.stack([np.bincount(raters, column * weights, parts) for column in columns], axis=-1)
        return np.asarray(value(sums))

    return measure


_MEASURES = {"accuracy": _accuracy, "uar": _uar, "pearson": _moments_of(pearson_of), "ccc": _moments_of(ccc_of)}


@metric(
    "mos",
    form="ratings",
    range=(-inf, inf),
    source="ITU-T P.800, 1996; rater and item effects: Rosenberg and Ramabhadran, Bias and statistical significance in "
    "evaluating speech synthesis with mean opinion scores, Interspeech 2017",
    takes="gold",
)
def mos(gold: Ratings) -> Sums:
    """Mean opinion score, allowing for raters who are strict or generous and did not rate the same items.

    Formula: ratings are fitted by least squares as ``mean + rater effect + item effect``, the rater effects summing to
    0; the value is the mean over items of ``mean + item effect``. ``details`` holds the raw mean of all ratings, the
    variance of rater effects, of item scores and of what is left over.
    Edge cases: where raters fall into groups that share no item (``details.groups``), effects sum to 0 within each
    group, as nothing links them. The interval is over items and takes the rater effects as known.
    """
    import numpy as np

    if not any(gold):
        raise Malformed("there is no rating", do="give ratings")
    names = {rater: number for number, rater in enumerate(sorted({rater for item in gold for rater in item}))}
    triples = [(row, names[rater], _number(score)) for row, item in enumerate(gold) for rater, score in item.items()]
    items, raters, scores = (np.array(column) for column in zip(*triples, strict=True))
    item_scores, effects, groups = additive(items, raters, scores, len(gold), len(names))
    rated = np.bincount(items, minlength=len(gold)) > 0
    left = scores - item_scores[items] - effects[raters]
    details = {
        "raw_mean": float(scores.mean()),
        "rater_variance": float(effects.var()),
        "item_variance": float(item_scores[rated].var()),
        "residual_variance": float((left**2).mean()),
        "groups": float(groups),
    }
    return mean_of_items(item_scores, rated, details=details, coverage={"items": float(rated.mean())})


def additive(items: Array, raters: Array, scores: Array, n: int, m: int) -> tuple[Array, Array, int]:
    """Fit by least squares; return item scores, rater effects, and the number of groups that share no item."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.sparse.linalg import lsmr

    rows = np.arange(len(scores))
    shape = (len(scores), n + m)
    design = csr_matrix((np.ones(2 * len(rows)), (np.tile(rows, 2), np.concatenate([items, n + raters]))), shape)
    solved = lsmr(design, scores - scores.mean(), atol=1e-13, btol=1e-13, maxiter=10_000)[0]
    links = csr_matrix((np.ones(len(rows)), (items, n + raters)), (n + m, n + m))
    belongs = connected_components(links, directed=False)[1]
    # What is added to the raters of a group and taken from its items fits as well; this makes the raters sum to 0.
    group = belongs[n:]
    shift = ratio(np.bincount(group, solved[n:], belongs.max() + 1), np.bincount(group, minlength=belongs.max() + 1))
    return solved[:n] + shift[belongs[:n]] + scores.mean(), solved[n:] - shift[group], len(set(group.tolist()))

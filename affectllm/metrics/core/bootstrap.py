"""Cluster bootstrap intervals: whole speakers or dialogues are resampled, never single items of them.

Items of one speaker or dialogue resemble each other, so resampling items makes intervals too narrow. Clusters are drawn
with replacement, as many as there are, and the metric is computed on each draw; the interval holds the middle 95 % of
these values (percentile bootstrap; Efron & Tibshirani, 1993, ch. 13; for clusters Davison & Hinkley, 1997, §3.8). It is
widened to hold the value itself where the percentiles miss it, which happens with biased metrics. From few clusters it
is too narrow; ``jackknife`` is for these.

Speed: a metric that depends on sums over items (a confusion matrix, the counts of BLEU) is resampled by summing the
table of each cluster once, and multiplying by the number of times that each cluster was drawn. Clusters with equal sums
are drawn together, by a multinomial, which is the same distribution and does not depend on the order of the items.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

RESAMPLES, CONFIDENCE, SEED = 1_000, 0.95, 0
_CHUNK_CELLS = 4_000_000  # drawn clusters held in memory at once
_ROW_BUDGET = 20_000_000  # items that a metric without sums is recomputed on, over all resamples


def cluster_numbers(clusters: Sequence[Hashable]) -> Array:
    """Number the clusters in order of first appearance, ``[n]``."""
    import numpy as np

    order = {cluster: number for number, cluster in enumerate(dict.fromkeys(clusters))}
    return np.fromiter((order[cluster] for cluster in clusters), np.int64, len(clusters))


def by_cluster(table: Array, clusters: Sequence[Hashable]) -> Array:
    """Sum the rows of ``table`` (``[n, k]``) per cluster: ``[C, k]``, clusters in order of first appearance."""
    import numpy as np
    from scipy.sparse import csr_matrix

    numbers = cluster_numbers(clusters)
    belongs = csr_matrix((np.ones(len(numbers)), (numbers, np.arange(len(numbers)))))
    return np.asarray(belongs @ table)


def sizes(clusters: Sequence[Hashable]) -> Array:
    """Return the number of items of each cluster, ``[C]``, in order of first appearance."""
    import numpy as np

    return np.bincount(cluster_numbers(clusters)).astype(float)


def interval(
    sums: Array, reduce: Callable[[Array], Array], value: float, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[float, float]:
    """Compute the percentile interval of a metric of sums.

    Args:
        sums: one summed table per cluster, ``[C, k]``.
        reduce: the metric for many tables at once, ``[B, k]`` → ``[B]``; NaN where it is undefined on a resample.
        value: the metric of all items, which the interval is widened to hold.

    Returns:
        The lower and the upper end.
    """
    import numpy as np

    values = [reduce(totals) for totals in resampled(sums, resamples, seed)]
    return percentiles(np.concatenate(values), value)


def resampled(sums: Array, resamples: int, seed: int) -> Iterator[Array]:
    """Yield summed tables of resamples, as arrays ``[b, k]`` that together have ``resamples`` rows."""
    import numpy as np

    kinds, counts = _kinds(sums)
    random = np.random.default_rng(seed)
    size = max(1, min(resamples, _CHUNK_CELLS // len(kinds)))
    draw = _multinomial if 4 * len(kinds) <= len(sums) else _drawn_singly
    for start in range(0, resamples, size):
        yield draw(random, counts, min(size, resamples - start)) @ kinds


def _kinds(sums: Array) -> tuple[Array, Array]:
    """Return the distinct rows in ascending order, and how often each occurs."""
    import numpy as np

    if sums.dtype != np.uint8 or not sums.size or sums.max() > 1:
        return np.unique(sums, axis=0, return_counts=True)
    # Rows of zeros and ones: eight in a byte they sort alike, in a tenth of the memory.
    packed = np.packbits(sums, axis=1)
    whole, counts = np.unique(packed.view(np.dtype((np.void, packed.shape[1]))).ravel(), return_counts=True)
    bits = whole.view(np.uint8).reshape(len(whole), packed.shape[1])
    return np.unpackbits(bits, axis=1, count=sums.shape[1]), counts


def _multinomial(random: np.random.Generator, counts: Array, rows: int) -> Array:
    total = counts.sum()
    return random.multinomial(total, counts / total, rows).astype(float)


def _drawn_singly(random: np.random.Generator, counts: Array, rows: int) -> Array:
    """Draw from the same distribution as ``_multinomial``; faster where nearly every cluster is a kind of its own."""
    import numpy as np

    kind_of = np.repeat(np.arange(len(counts)), counts)
    drawn = kind_of[random.integers(0, len(kind_of), (rows, len(kind_of)))]
    drawn += np.arange(rows)[:, None] * len(counts)
    return np.bincount(drawn.ravel(), minlength=rows * len(counts)).reshape(rows, len(counts)).astype(float)


def interval_of_rows(
    value_of: Callable[[Array], float], members: Sequence[Array], value: float, resamples: int, seed: int
) -> tuple[float, float]:
    """Compute the percentile interval of a metric that is recomputed on each resample; fewer where items are many.

    Args:
        members: of each cluster, the numbers of its items.
    """
    import numpy as np

    resamples = max(50, min(resamples, _ROW_BUDGET // sum(map(len, members))))
    random = np.random.default_rng(seed)
    draws = (random.integers(0, len(members), len(members)) for _ in range(resamples))
    values = np.array([value_of(np.concatenate([members[number] for number in draw])) for draw in draws])
    return percentiles(values, value)


def percentiles(values: Array, value: float) -> tuple[float, float]:
    """Return the ends of the middle 95 % of the defined values, widened to hold ``value``; twice ``value`` if none."""
    import numpy as np

    defined = values[np.isfinite(values)]
    if not len(defined):
        return value, value
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return min(float(low), value), max(float(high), value)


def members(clusters: Sequence[Hashable]) -> list[Array]:
    """Return for each cluster the numbers of its items."""
    import numpy as np

    numbers = cluster_numbers(clusters)
    order = np.argsort(numbers, kind="stable")
    return list(np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1))

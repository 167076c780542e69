"""Intervals that respect who speaks: whole speakers or dialogues are resampled, never single items.

Items of one speaker or dialogue resemble each other, so resampling items makes intervals too narrow. Clusters are drawn
with replacement, as many as there are, and the metric is computed on each draw; the interval holds the middle 95 % of
these values (percentile bootstrap; Efron & Tibshirani, 1993, ch. 13; for clusters Davison & Hinkley, 1997, §3.8). It is
widened to hold the value itself where the percentiles miss it, which happens with few clusters and biased metrics.

Speed: a metric that depends on sums over items (a confusion matrix, the counts of BLEU) is resampled by summing the
table of each cluster once, and multiplying by the number of times that each cluster was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

RESAMPLES, CONFIDENCE, SEED = 1_000, 0.95, 0
_CHUNK_CELLS = 4_000_000  # drawn clusters held in memory at once


def by_cluster(table: Array, clusters: Sequence[Hashable]) -> Array:
    """Sum the rows of ``table`` (``[n, k]``) per cluster: ``[C, k]``, clusters in order of first appearance."""
    import numpy as np

    numbers = np.array(cluster_numbers(clusters))
    sums = np.zeros((int(numbers.max()) + 1, table.shape[1]))
    np.add.at(sums, numbers, table)
    return sums


def cluster_numbers(clusters: Sequence[Hashable]) -> list[int]:
    """Clusters numbered in order of first appearance."""
    order = {cluster: number for number, cluster in enumerate(dict.fromkeys(clusters))}
    return [order[cluster] for cluster in clusters]


def interval(sums: Array, statistic: Callable[[Array], Array], value: float) -> tuple[float, float]:
    """Percentile interval of a metric of sums.

    Args:
        sums: one summed table per cluster, ``[C, k]``.
        statistic: the metric for many tables at once, ``[B, k]`` → ``[B]``.
        value: the metric of all items, which the interval is widened to hold.

    Returns:
        The lower and the upper end; both are ``value`` when there is one cluster only.
    """
    import numpy as np

    values = np.concatenate([statistic(counts @ sums) for counts in _draws(len(sums))])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return min(float(low), value), max(float(high), value)


def _draws(clusters: int) -> Iterator[Array]:
    """How often each cluster is drawn, as arrays ``[b, C]`` that together have ``RESAMPLES`` rows."""
    import numpy as np

    random = np.random.default_rng(SEED)
    size = max(1, min(RESAMPLES, _CHUNK_CELLS // clusters))
    for start in range(0, RESAMPLES, size):
        rows = min(size, RESAMPLES - start)
        drawn = random.integers(0, clusters, (rows, clusters)) + np.arange(rows)[:, None] * clusters
        counts = np.bincount(drawn.ravel(), minlength=rows * clusters)
        yield counts.reshape(rows, clusters).astype(np.float32)


def jackknife(leave_one_out: Array, value: float) -> tuple[float, float]:
    """Normal interval from the values of a metric with each cluster left out once (``[C]``), cut to [0, 1].

    For metrics on which the bootstrap fails: a cluster that is drawn twice brings no new word, so resamples
    systematically have fewer distinct n-grams than the replies themselves. Source: Efron & Tibshirani, 1993, ch. 11.
    """
    import numpy as np

    clusters = len(leave_one_out)
    deviation = leave_one_out - leave_one_out.mean()
    error = float(np.sqrt((clusters - 1) / clusters * (deviation**2).sum()))
    return max(0.0, value - 1.959964 * error), min(1.0, value + 1.959964 * error)

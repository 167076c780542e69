"""The interval of distinct-n, by leaving one cluster out at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from affectllm.metrics.bootstrap import cluster_numbers, jackknife
from affectllm.metrics.replies import Answers, ngrams


def distinct_interval(
    predicted: Answers, clusters: Sequence[Hashable], order: int, value: float
) -> tuple[float, float]:
    """95 % interval of distinct-``order``; both ends are ``value`` when there is one cluster only."""
    import numpy as np

    numbers = cluster_numbers(clusters)
    if max(numbers) == 0:
        return value, value
    seen_by: dict[tuple[str, ...], set[int]] = {}
    totals: Counter[int] = Counter()
    for number, reply in zip(numbers, predicted, strict=True):
        grams = ngrams(reply, order)
        totals[number] += len(grams)
        for gram in grams:
            seen_by.setdefault(gram, set()).add(number)
    alone = Counter(next(iter(owners)) for owners in seen_by.values() if len(owners) == 1)
    everything = totals.total()
    left = [(len(seen_by) - alone[number]) / max(1, everything - totals[number]) for number in range(max(numbers) + 1)]
    return jackknife(np.array(left), value)

"""Jackknife intervals from few clusters: each is left out once, and Student's t allows for how few they are.

A percentile bootstrap of a handful of speakers is far too narrow: it covers the truth in four cases of five where it
promises nineteen of twenty. Leaving out each cluster and taking the squared distances of these values from the value
itself (the cluster-robust CV3; MacKinnon, Nielsen & Webb, Journal of Applied Econometrics 38(5), 2023) with the
quantile of Student's t covers it as promised from five clusters up; docs/intervals.md has the simulation.

Metrics of a bounded range are taken to the logit scale first, errors from 0 upwards to the logarithm, so that no
interval leaves the range. Clusters of unlike sizes count as fewer: (Σ size)² / Σ size² of them (Kish, Survey Sampling,
1965, §8.2) give the degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

FEWEST = 5
"""From fewer clusters no interval is given: none that is narrow enough to say anything covers the truth."""
FEW = 1_000
"""Below this many clusters they are left out; from there on resampling them covers the truth as often."""
GROUPS = 200  # of clusters that are left out together, where a metric is computed anew without each
_EDGE = 1e-9

Interval = tuple[float | None, float | None]


def interval(value: float, left: Array, sizes: Array, bounds: tuple[float, float], confidence: float) -> Interval:
    """Compute the interval of a metric from its values with each cluster left out.

    Args:
        value: of all items.
        left: ``[C]``, the value without each cluster.
        sizes: ``[C]``, items of each cluster.
        bounds: the range of the metric; either end may be infinite.
        confidence: nominal coverage, 0..1.

    Returns:
        The lower and the upper end; None for both from fewer than five clusters, or where the metric is undefined
        without one of them.
    """
    import numpy as np
    from scipy.stats import t

    if len(left) < FEWEST or not np.isfinite(left).all():
        return None, None
    there, back = _scale(np.append(left, value), bounds)
    distances = there(left) - there(np.array(value))
    # Not (C − 1)/C of it, as for a mean: for errors with heavy tails that is too little.
    error = math.sqrt(float((distances**2).sum()))
    freedom = max(1.0, float(sizes.sum() ** 2 / (sizes**2).sum()) - 1)
    reach = float(t.ppf((1 + confidence) / 2, freedom)) * error
    middle = float(there(np.array(value)))
    low, high = (min(max(back(end), bounds[0]), bounds[1]) for end in (middle - reach, middle + reach))
    return min(low, value), max(high, value)  # by rounding only


def _scale(values: Array, bounds: tuple[float, float]) -> tuple[Callable[[Array], Array], Callable[[float], float]]:
    """Return the map to the scale on which the interval is symmetric, and back; values at an end of the range stay."""
    import numpy as np

    low, high = bounds
    at_an_end = values.min() <= low + _EDGE or values.max() >= high - _EDGE
    if at_an_end or not math.isfinite(low):
        return lambda x: x, lambda end: end
    if not math.isfinite(high):
        return lambda x: np.log(x - low), lambda end: low + math.exp(min(700.0, end))
    return (
        lambda x: np.log((x - low) / (high - x)),
        lambda end: low + (high - low) / (1 + math.exp(-max(-700.0, min(700.0, end)))),
    )


def groups(members: list[Array], seed: int) -> list[Array]:
    """Return the items that are left out together: each cluster by itself, or at most ``GROUPS`` random groups."""
    import numpy as np

    if len(members) <= GROUPS:
        return members
    order = np.random.default_rng(seed).permutation(len(members))
    return [np.concatenate([members[number] for number in part]) for part in np.array_split(order, GROUPS)]

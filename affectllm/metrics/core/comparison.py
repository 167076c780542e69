"""Compare systems on the same items: paired, clustered, and corrected for multiple comparisons.

Two intervals that overlap say little, since both systems met the same items. Here the difference itself is resampled
(paired bootstrap; Koehn, EMNLP 2004), and its probability under "the systems are exchangeable" comes from swapping
their answers cluster by cluster (approximate randomisation; Noreen, 1989; Yeh, COLING 2000).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from affectllm.errors import Malformed
from affectllm.metrics.core import bootstrap, jackknife
from affectllm.metrics.core.metric import Metric, Rows, Sums
from affectllm.metrics.core.statistic import Statistic

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

ROUNDS = 10_000
Correction = Literal["holm", "benjamini_hochberg", "none"]


@dataclass(frozen=True)
class Comparison:
    """The comparison of two systems.

    Args:
        metric: name of the metric.
        first, second: names of the systems.
        difference: value of the first less value of the second.
        low, high: 95 % interval of the difference, paired over clusters; None from fewer than five of them.
        p: two-sided probability of so large a difference if the systems were exchangeable; never 0.
        p_corrected: the same after correction for all comparisons made together.
        rounds: swaps drawn.
    """

    metric: str
    first: str
    second: str
    difference: float
    low: float | None
    high: float | None
    p: float
    p_corrected: float
    rounds: int


def smallest_p(comparisons: int, clusters: int, rounds: int) -> float:
    """Return the smallest corrected probability that so many comparisons can reach, by Holm's correction.

    Swapping whole clusters has ``2 ** clusters`` outcomes, of which two are as large as the largest, and ``rounds``
    draws show no probability below ``1 / (rounds + 1)``.
    """
    return comparisons * max(2.0 ** (1 - clusters), 1 / (rounds + 1))


def compare(
    metric: Metric,
    gold: Sequence[Any],
    systems: Mapping[str, Sequence[Any]],
    *,
    clusters: Sequence[Hashable] | None = None,
    correction: Correction = "holm",
    rounds: int = ROUNDS,
    seed: int = bootstrap.SEED,
    **options: Any,
) -> list[Comparison]:
    """Compare every pair of ``systems`` (name → answers to the same items), in the order in which they are given.

    Raises:
        Malformed: when there are fewer than two systems, or their answers do not fit the items.
    """
    if len(systems) < 2:
        raise Malformed("one system cannot be compared", do="give the answers of two or more systems")
    if lacking := [name for name, answers in systems.items() if len(answers) != len(gold)]:
        raise Malformed(f"{lacking[0]} has not one answer for each item", do="give one answer for each item")
    groups: list[Hashable] = list(range(len(gold)) if clusters is None else clusters)
    rows = []
    for first, second in combinations(systems, 2):
        pair = (systems[first], systems[second])
        rows.append((first, second, *_paired(metric, gold, pair, groups, rounds, seed, options)))
    corrected = _corrected([row[-2] for row in rows], correction)
    return [Comparison(metric.name, *row[:-1], p, row[-1]) for row, p in zip(rows, corrected, strict=True)]


def _paired(
    metric: Metric,
    gold: Sequence[Any],
    pair: tuple[Sequence[Any], Sequence[Any]],
    groups: list[Hashable],
    rounds: int,
    seed: int,
    options: dict[str, Any],
) -> tuple[float, float | None, float | None, float, int]:
    """Return difference, lower end, upper end, p, rounds."""
    import numpy as np

    columns = {name: options[name] for name in metric.columns if options.get(name) is not None}
    doubled = {name: [*values, *_again(name, values)] for name, values in columns.items()}
    # Both systems in one table, so that its columns mean the same for both.
    both = metric.statistic([*gold, *gold], [*pair[0], *pair[1]], **{**options, **doubled})
    values = [metric.statistic(gold, answers, **options).value() for answers in pair]
    difference = values[0] - values[1]
    if isinstance(both, Sums):
        resampled, swapped = _by_sums(both, groups, rounds, seed)
    else:
        rounds = min(rounds, 1_000)
        resampled, swapped = _by_rows(both, groups, rounds, seed)
    swapped = swapped[np.isfinite(swapped)]
    if not math.isfinite(difference):  # undefined for one of them: no draw is as large as that, so p would be smallest
        return difference, None, None, 1.0, len(swapped)
    p = (1 + int((np.abs(swapped) >= abs(difference) - 1e-12).sum())) / (1 + len(swapped))
    low, high = _ends(both, groups, difference, resampled)
    width = metric.range[1] - metric.range[0]  # no two values lie further apart, though a straight interval may
    low, high = (None if end is None else min(max(end, -width), width) for end in (low, high))
    return difference, low, high, p, len(swapped)


def _ends(both: Statistic, groups: list[Hashable], difference: float, resampled: Array) -> jackknife.Interval:
    """Return the interval of the difference: from few clusters by the jackknife, as that of a value."""
    import numpy as np

    members = bootstrap.members(groups)
    if len(members) >= jackknife.FEW:
        return bootstrap.percentiles(resampled, difference)
    every, size = np.arange(len(groups)), len(groups)

    def without(part: Array) -> float:
        rest = np.setdiff1d(every, part)
        if isinstance(both, Sums):
            first, second = (both.reduce(both.table[side].sum(0, dtype=float)) for side in (rest, rest + size))
            return float(first - second)
        return both.compute(rest) - both.compute(rest + size)

    left = np.array([without(part) for part in members] if len(members) >= jackknife.FEWEST else [np.nan])
    sizes = np.array([len(part) for part in members], float)
    unbounded = (-math.inf, math.inf)
    return jackknife.interval(difference, left, sizes, unbounded, bootstrap.CONFIDENCE)


def _again(column: str, values: Sequence[Any]) -> Sequence[Any]:
    """Return a column for the second system; its traces must not continue those of the first."""
    return [("second", value) for value in values] if column == "sequences" else values


def _by_sums(both: Sums, groups: list[Hashable], rounds: int, seed: int) -> tuple[Array, Array]:
    import numpy as np

    half = len(groups)
    sums = [bootstrap.by_cluster(part, groups) for part in (both.table[:half], both.table[half:])]
    width = sums[0].shape[1]
    draws = bootstrap.resampled(np.concatenate(sums, axis=1), bootstrap.RESAMPLES, seed)
    resampled = np.concatenate([both.reduce(total[:, :width]) - both.reduce(total[:, width:]) for total in draws])
    random = np.random.default_rng(seed)
    gap, second, whole = sums[0] - sums[1], sums[1].sum(0), sums[0].sum(0) + sums[1].sum(0)
    swapped = []
    for start in range(0, rounds, 256):
        keeps = random.integers(0, 2, (min(256, rounds - start), len(gap))).astype(float)
        one = second + keeps @ gap
        swapped.append(both.reduce(one) - both.reduce(whole - one))
    return resampled, np.concatenate(swapped)


def _by_rows(both: Rows, groups: list[Hashable], rounds: int, seed: int) -> tuple[Array, Array]:
    """As ``_by_sums``, recomputing the metric: the second system's item ``i`` is item ``i + n`` of the doubled list."""
    import numpy as np

    numbers, size = bootstrap.cluster_numbers(groups), len(groups)
    random = np.random.default_rng(seed)
    resampled, swapped = [], []
    members = [np.flatnonzero(numbers == number) for number in range(int(numbers.max()) + 1)]
    for _ in range(rounds):
        drawn = np.concatenate([members[i] for i in random.integers(0, len(members), len(members))])
        resampled.append(both.compute(drawn) - both.compute(drawn + size))
        moved = random.integers(0, 2, len(members))[numbers] * size
        one = np.arange(size) + moved
        swapped.append(both.compute(one) - both.compute(np.arange(size) + size - moved))
    return np.array(resampled), np.array(swapped)


def _corrected(values: list[float], correction: Correction) -> list[float]:
    """Correct p values.

    Holm, Scandinavian Journal of Statistics 6(2), 1979; Benjamini & Hochberg, JRSS B 57(1), 1995.
    """
    from scipy.stats import false_discovery_control

    if correction == "none":
        return values
    if correction == "benjamini_hochberg":
        return [float(p) for p in false_discovery_control(values)]
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected, largest = [0.0] * len(values), 0.0
    for rank, position in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[position]))
        corrected[position] = largest
    return corrected

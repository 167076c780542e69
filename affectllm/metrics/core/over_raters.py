"""A metric as the mean over raters, each with items of its own; its interval resamples clusters of items.

The mean weighs each rater by the number of its ratings, so that one who rated three items decides little. Where a
metric is undefined for a rater on a resample, the others' mean stands.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core import bootstrap
from affectllm.metrics.core.metric import Metric
from affectllm.metrics.core.result import Score
from affectllm.metrics.core.statistic import Resampling, Rows, Statistic, Sums

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def mean_over_raters(
    metric: Metric,
    gold: Sequence[Any],
    answers: Sequence[Any],
    raters: Sequence[str],
    clusters: Sequence[Hashable],
    **options: Any,
) -> Score:
    """Score each rater's answers by ``metric`` and return the mean with its interval.

    Args:
        gold, answers, raters, clusters: one a rating; ratings of one item are of one cluster.

    Raises:
        Malformed: when the metric is undefined for every rater.
    """
    import numpy as np

    names = np.array(raters, dtype=object)
    parts = [np.flatnonzero(names == name) for name in dict.fromkeys(raters)]
    statistics = [_statistic(metric, gold, answers, part, options) for part in parts]
    weights = np.array([len(part) for part in parts], float)

    def compute(rows: Array) -> float:
        counts = np.bincount(rows, minlength=len(gold))
        values = np.array([_value(one, counts[part]) for one, part in zip(statistics, parts, strict=True)])
        known = np.isfinite(values)
        return float(values[known] @ weights[known] / weights[known].sum()) if known.any() else float("nan")

    whole = Rows(compute, size=len(gold))
    value = whole.value()
    if not np.isfinite(value):
        raise Malformed(f"{metric.name} is undefined on these ratings", do="see its edge cases: affectllm show")
    interval = whole.interval(clusters, value, Resampling(metric.range, bootstrap.RESAMPLES, bootstrap.SEED))
    missing = sum(answer is None for answer in answers)
    count = len(set(clusters))
    return Score(
        value=value,
        low=interval.low,
        high=interval.high,
        n=len(gold),
        clusters=count,
        unreadable=missing / len(gold),
        controls={},
    )


def _statistic(
    metric: Metric, gold: Sequence[Any], answers: Sequence[Any], part: Array, options: Mapping[str, Any]
) -> Statistic:
    own = {name: [v[row] for row in part] if name in metric.columns else v for name, v in options.items()}
    return metric.statistic([gold[row] for row in part], [answers[row] for row in part], **own)


def _value(statistic: Statistic, counts: Array) -> float:
    """Return the value of a rater whose items were drawn so many times each; NaN where none was."""
    import numpy as np

    if not counts.any():
        return float("nan")
    if isinstance(statistic, Sums):
        return float(statistic.reduce(counts.astype(float) @ statistic.table))
    return statistic.compute(np.repeat(np.arange(len(counts)), counts))

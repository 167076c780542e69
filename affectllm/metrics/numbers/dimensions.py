"""Metrics of one number per item: correlation, concordance, error; also along the sequences of continuous traces.

An unreadable answer has become the end of the range that is farthest from gold before these functions see it. Gold that
does not vary leaves every correlation undefined, which is an error; answers that do not vary give 0 and
``details.constant``.

Published under these names: Pearson of EI-reg, V-reg and CH-SIMS (definitions 26, 27 of the reference), MSE and Pearson
of LIRIS-ACCEDE with smoothed traces and R² of ridge probes (41, 46), MSE within the MER2023 score (17).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.bootstrap import cluster_numbers
from affectllm.metrics.core.counts import mean_of_items, ratio
from affectllm.metrics.core.metric import Rows, Sums, metric
from affectllm.metrics.core.moments import (
    Value,
    ccc_of,
    check_varies,
    constant,
    mean_over_sequences,
    pearson_of,
    pooled,
)
from affectllm.metrics.core.statistic import Statistic

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Numbers = Sequence[float]
Parts = Sequence[Hashable]
_PEARSON = "Mohammad et al., SemEval-2018 Task 1: Affect in Tweets, 2018; Pearson, Proc. Royal Society 58, 1895"
_LIRIS = "Baveye et al., LIRIS-ACCEDE, IEEE Transactions on Affective Computing 6(1), 2015"


@metric("pearson", form="number", range=(-1.0, 1.0), source=_PEARSON, columns=("sequences",))
def pearson(
    gold: Numbers,
    predicted: Numbers,
    *,
    sequences: Parts = (),
    pool: bool = False,
    smooth: str = "",
    window: int = 101,
    polyorder: int = 3,
    some_emotion: float | None = None,
) -> Statistic:
    """Pearson's correlation of gold and answers; with ``sequences``, of each sequence, then the mean.

    Formula: ``cov(x, y) / (sd(x) sd(y))``.
    Options: ``pool`` takes all sequences together; ``smooth="savgol"`` smooths the answers of each sequence with a
    filter of Savitzky and Golay (1964; ``window``, ``polyorder``); ``some_emotion`` keeps items with |gold| at or above
    it, as the second measures of SemEval-2018 do (0.5 for EI-reg and V-reg, 1 for EI-oc and V-oc).
    Edge cases: as told for all correlations; a sequence whose gold does not vary is left out (``coverage``).
    """
    traces = _Traces(gold, predicted, sequences).smoothed(smooth, window, polyorder)
    return traces.correlation(pearson_of, "pearson", pool, some_emotion)


@metric(
    "ccc",
    form="number",
    range=(-1.0, 1.0),
    source="Lin, A concordance correlation coefficient to evaluate reproducibility, Biometrics 45(1), 1989; as in "
    "Ringeval et al., AVEC 2015",
    columns=("sequences",),
)
def ccc(
    gold: Numbers,
    predicted: Numbers,
    *,
    sequences: Parts = (),
    pool: bool = False,
    smooth: str = "",
    window: int = 101,
    polyorder: int = 3,
) -> Statistic:
    """Concordance correlation coefficient; with ``sequences``, of each sequence, then the mean.

    Formula: ``2 cov(x, y) / (var(x) + var(y) + (mean(x) − mean(y))²)``, variances with 1/n as in Lin (1989) and AVEC;
    libraries that divide by n − 1 give slightly smaller values.
    Options: ``pool`` takes all sequences together; ``smooth`` as in ``pearson``.
    Edge cases: as ``pearson``. The mean over sequences and the pooled value differ, the latter being larger where
    sequences differ in level, so a paper must say which it reports. Points of one sequence resemble each other: give
    the sequences (or the speakers) as ``clusters`` too, else the interval is too narrow.
    """
    traces = _Traces(gold, predicted, sequences).smoothed(smooth, window, polyorder)
    return traces.correlation(ccc_of, "ccc", pool, None)


@metric(
    "spearman",
    form="number",
    range=(-1.0, 1.0),
    source="Spearman, The proof and measurement of association between two things, American J. of Psychology 15, 1904",
)
def spearman(gold: Numbers, predicted: Numbers) -> Rows:
    """Spearman's rank correlation: Pearson's of the ranks, equal numbers sharing the mean of their ranks.

    Formula: ``cov(R(x), R(y)) / (sd(R(x)) sd(R(y)))``.
    Edge cases: as ``pearson``.
    """
    import numpy as np

    truth, answers = np.array(gold, float), np.array(predicted, float)
    check_varies(truth)
    one = np.zeros(len(truth), np.int64)
    return Rows(rank_correlation(truth, answers, one), details=constant(answers))


def rank_correlation(gold: Array, predicted: Array, parts: Array) -> Any:
    """Return a function from item numbers to the mean of Spearman's correlation over parts, by the share drawn of each.

    Ranks are counted, not sorted, since every resample needs them anew: the rank of a number is the count of smaller
    ones in its part, and half of its equals.
    """
    import numpy as np

    sizes = np.bincount(parts)
    sides = []
    for side in (gold, predicted):
        levels = np.unique(side, return_inverse=True)[1]
        sides.append(np.unique(parts * (levels.max() + 1) + levels, return_inverse=True)[1])

    def ranks(levels: Array, drawn: Array, starts: Array) -> Array:
        counts = np.bincount(levels)
        return (counts.cumsum() - counts / 2)[levels] - starts[drawn]

    def value(rows: Array) -> float:
        drawn = parts[rows]
        counts = np.bincount(drawn, minlength=len(sizes)).astype(float)
        starts = counts.cumsum() - counts / 2  # the mean rank of each part
        x, y = (ranks(side[rows], drawn, starts) for side in sides)
        sums = [np.bincount(drawn, column, len(sizes)) for column in (x, y, x * x, y * y, x * y)]
        values = pearson_of(np.stack([counts, *sums], axis=-1))
        weights = np.where(np.isfinite(values), counts / sizes, 0.0)
        return float(ratio((np.nan_to_num(values) * weights).sum(), weights.sum(), np.nan))

    return value


@metric(
    "mae",
    form="number",
    range=(0.0, inf),
    source="Zadeh et al., MOSI, IEEE Intelligent Systems 31(6), 2016",
    better="lower",
)
def mae(gold: Numbers, predicted: Numbers) -> Sums:
    """Mean absolute error.

    Formula: ``1/N Σ |x_i − y_i|``.
    Edge cases: defined for any finite numbers.
    """
    return mean_of_items(abs(_error(gold, predicted)))


@metric(
    "mse",
    form="number",
    range=(0.0, inf),
    source=_LIRIS,
    better="lower",
    columns=("sequences",),
)
def mse(
    gold: Numbers,
    predicted: Numbers,
    *,
    sequences: Parts = (),
    smooth: str = "",
    window: int = 101,
    polyorder: int = 3,
) -> Sums:
    """Mean squared error.

    Formula: ``1/N Σ (x_i − y_i)²``.
    Options: ``smooth`` as in ``pearson``, along ``sequences``.
    Edge cases: defined for any finite numbers.
    """
    traces = _Traces(gold, predicted, sequences).smoothed(smooth, window, polyorder)
    return mean_of_items((traces.gold - traces.predicted) ** 2)


@metric(
    "rmse",
    form="number",
    range=(0.0, inf),
    source="Ringeval et al., AVEC 2015, ACM Multimedia workshop, 2015",
    better="lower",
)
def rmse(gold: Numbers, predicted: Numbers) -> Sums:
    """Root of the mean squared error.

    Formula: ``sqrt(1/N Σ (x_i − y_i)²)``.
    Edge cases: defined for any finite numbers.
    """
    import numpy as np

    squared = mean_of_items(_error(gold, predicted) ** 2)
    return Sums(squared.table, lambda sums: np.sqrt(ratio(sums[..., 0], sums[..., 1], np.nan)))


@metric(
    "r2",
    form="number",
    range=(-inf, 1.0),
    source="Wright, Correlation and causation, J. of Agricultural Research 20, 1921",
)
def r2(gold: Numbers, predicted: Numbers) -> Sums:
    """Coefficient of determination: 1 less the squared error as a share of that of always answering gold's mean.

    Formula: ``1 − Σ (x_i − y_i)² / Σ (x_i − mean(x))²``; below 0 for answers worse than the mean.
    Edge cases: an error where gold does not vary.
    """
    import numpy as np

    truth = np.array(gold, float)
    check_varies(truth)
    x = truth - truth.mean()
    table = np.stack([np.ones(len(x)), _error(gold, predicted) ** 2, x, x * x], axis=1)
    return Sums(table, r2_of)


def r2_of(sums: Array) -> Array:
    """Compute R² from summed count, squared error, x and x² of centred gold."""
    import numpy as np

    count, error, x, xx = np.moveaxis(sums, -1, 0)
    spread = xx - ratio(x**2, count)
    return 1 - ratio(error, np.where(spread > 1e-11 * xx, spread, 0.0), np.nan)


def _error(gold: Numbers, predicted: Numbers) -> Array:
    import numpy as np

    return np.array(gold, float) - np.array(predicted, float)


class _Traces:
    """Gold and answers as arrays, and the sequences that they run along."""

    def __init__(self, gold: Numbers, predicted: Numbers, sequences: Parts) -> None:
        import numpy as np

        self.gold, self.predicted, self.sequences = np.array(gold, float), np.array(predicted, float), sequences

    def smoothed(self, smooth: str, window: int, polyorder: int) -> _Traces:
        """Return the traces with the answers of each sequence smoothed, in the order in which they are given.

        Raises:
            Malformed: when the filter is unknown or a sequence is shorter than its window.
        """
        if not smooth:
            return self
        if smooth != "savgol":
            raise Malformed(f"smooth is {smooth!r}", do="choose savgol, or leave it out")
        import numpy as np
        from scipy.signal import savgol_filter

        numbers = cluster_numbers(self.sequences) if len(self.sequences) else np.zeros(len(self.gold), np.int64)
        shortest = int(np.bincount(numbers).min())
        if not polyorder < window <= shortest:
            message = (
                f"a window of {window} does not fit the shortest sequence of {shortest} items, or order {polyorder}"
            )
            raise Malformed(message, do="choose a window between the two")
        smoothed = self.predicted.copy()
        for number in np.unique(numbers):
            rows = np.flatnonzero(numbers == number)
            smoothed[rows] = savgol_filter(self.predicted[rows], window, polyorder)
        return _Traces(list(self.gold), list(smoothed), self.sequences)

    def correlation(self, value: Value, name: str, pool: bool, some_emotion: float | None) -> Statistic:
        """Build ``value`` over sequences, or over all items."""
        if not len(self.sequences) or pool:
            counted = None if some_emotion is None else abs(self.gold) >= some_emotion
            if counted is not None and not counted.any():
                raise Malformed(f"no gold value reaches some_emotion={some_emotion}", do="choose a smaller one")
            return pooled(value, self.gold, self.predicted, counted)
        if some_emotion is not None:
            raise Malformed(
                "some_emotion is defined for pooled items only", do="leave out sequences, or give pool=True"
            )
        return mean_over_sequences(value, name, self.sequences, self.gold, self.predicted)

"""Ranking metrics of a score per label and item, against a set of gold labels.

A label without a score ranks below all others. An unreadable answer (None) ranks every label wrongly: gold labels
below all others, the rest above. Abstaining then never helps a metric that counts pairs (ROC-AUC, ranking loss) or
best labels; areas under precision-recall curves can still gain a little where it breaks a tie.

Published under these names: mAP and ROC-AUC of BoLD and EMOTIC and the top-1 hit of MovieGraphs (definition 41 of the
reference; gold weights become labels at 0.5, see ``threshold``), the mean AP of EMOTIC in UniEmoX.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import inf, nan
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import indicators, label_names, mean_of_items, per_part, ratio
from affectllm.metrics.core.metric import Rows, Sums, metric

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Gold = list[Collection[str]]
Scores = list[dict[str, float] | None]
_BOLD = "Luo et al., ARBEE: Towards Automated Recognition of Bodily Expression of Emotion in the Wild, IJCV 128, 2020"
_TSOUMAKAS = "Tsoumakas, Katakis, Vlahavas, Mining multi-label data, Data Mining and Knowledge Discovery Handbook, 2010"
_CHUNK = 4_000  # items compared label by label at once


@metric("mean_average_precision", form="scores", range=(0.0, 1.0), source=_BOLD)
def mean_average_precision(
    gold: Gold, predicted: Scores, *, labels: Sequence[str] = (), threshold: float = 0.5
) -> Rows:
    """Mean over labels of average precision (mAP): precision at each threshold, weighted by the recall gained there.

    Formula: per label ``AP = Σ_k (R_k − R_{k−1}) P_k`` over the distinct scores from high to low; then the mean.
    Edge cases: labels without a positive item are left out (``coverage``); equal scores form one step; gold weights
    count as labels from ``threshold`` on; an error where no label has a positive item.
    """
    return _macro(gold, predicted, labels, threshold, _average_precision, "average_precision")


@metric("pr_auc_macro", form="scores", range=(0.0, 1.0), source="Davis and Goadrich, ICML 2006")
def pr_auc_macro(gold: Gold, predicted: Scores, *, labels: Sequence[str] = (), threshold: float = 0.5) -> Rows:
    """Mean over labels of the area under the precision-recall curve, with straight lines between its points.

    Formula: per label ``Σ_k (R_k − R_{k−1}) (P_k + P_{k−1}) / 2``, from the point (recall 0, precision 1) on.
    It differs from average precision, which is a sum of steps and interpolates nothing: straight lines between points
    of a precision-recall curve promise what no threshold reaches (Davis and Goadrich, 2006), so this one is mostly
    the larger, most so with few positive items. Prefer ``mean_average_precision``.
    Edge cases: as there.
    """
    return _macro(gold, predicted, labels, threshold, _trapezoids, "pr_auc")


@metric("roc_auc_macro", form="scores", range=(0.0, 1.0), source="Fawcett, Pattern Recognition Letters 27(8), 2006")
def roc_auc_macro(gold: Gold, predicted: Scores, *, labels: Sequence[str] = (), threshold: float = 0.5) -> Rows:
    """Mean over labels of the area under the ROC curve: how often a positive item scores above a negative one.

    Formula: per label ``P(s⁺ > s⁻) + ½ P(s⁺ = s⁻)``; then the mean.
    Edge cases: labels without a positive or without a negative item are left out (``coverage``); an error where that
    leaves none. 0.5 is chance.
    """
    return _macro(gold, predicted, labels, threshold, _roc_auc, "roc_auc")


@metric("ranking_loss", form="scores", range=(0.0, 1.0), source=_TSOUMAKAS, better="lower")
def ranking_loss(gold: Gold, predicted: Scores, *, labels: Sequence[str] = (), threshold: float = 0.5) -> Sums:
    """Share of pairs of a gold label and another label that the scores put in the wrong order, mean over items.

    Formula: ``1/N Σ_i |{(a, b): a ∈ g_i, b ∉ g_i, s_i(a) ≤ s_i(b)}| / (|g_i| (L − |g_i|))``.
    Edge cases: equal scores are wrong; an item with no gold label or with all of them has loss 0.
    """
    sides = _Sides(gold, predicted, labels, threshold)
    pairs = sides.truth.sum(1) * (~sides.truth).sum(1)
    wrong = sides.by_item(lambda truth, above: (above & truth[:, :, None] & ~truth[:, None, :]).sum((1, 2)))
    return mean_of_items(ratio(wrong, pairs))


@metric("coverage_error", form="scores", range=(0.0, inf), source=_TSOUMAKAS, better="lower")
def coverage_error(gold: Gold, predicted: Scores, *, labels: Sequence[str] = (), threshold: float = 0.5) -> Sums:
    """How many of the best-scored labels one must take to have every gold label, mean over items.

    Formula: ``1/N Σ_i max_{a ∈ g_i} |{b: s_i(b) ≥ s_i(a)}|``; the best possible value is the mean number of gold labels
    (``details.best``).
    Edge cases: an item without gold labels has 0; equal scores count as ranked before.
    """
    sides = _Sides(gold, predicted, labels, threshold)
    depth = sides.by_item(lambda truth, above: (above.sum(2) * truth).max(1, initial=0))
    return mean_of_items(depth, details={"best": float(sides.truth.sum(1).mean())})


@metric("top1_hit", form="scores", range=(0.0, 1.0), source="Xeaver/EmotionCLIP, linear_eval.py (MovieGraphs)")
def top1_hit(gold: Gold, predicted: Scores, *, labels: Sequence[str] = (), threshold: float = 0.5) -> Sums:
    """Share of items whose best-scored label is one of the gold labels.

    Formula: ``1/N Σ_i 1[argmax s_i ∈ g_i]``.
    Edge cases: where k labels tie for the best score, the share of them that is gold; unreadable answers miss.
    """
    sides = _Sides(gold, predicted, labels, threshold)
    best = sides.scores == sides.scores.max(1, keepdims=True, initial=-inf)
    return mean_of_items(ratio((best & sides.truth).sum(1), best.sum(1)) * sides.readable)


@metric(
    "writer_reader_gap",
    form="number",
    range=(0.0, 1.0),
    source="Buechel and Hahn, EmoBank, EACL 2017 (writers and readers); Fawcett, Pattern Recognition Letters 27(8), "
    "2006 (area under the ROC curve)",
)
def writer_reader_gap(gold: list[float], predicted: list[float]) -> Rows:
    """How well a score tells items on which writer and reader differ (gold 1) from those on which they agree (gold 0).

    Formula: area under the ROC curve, ``P(s⁺ > s⁻) + ½ P(s⁺ = s⁻)``; 0.5 is chance.
    Edge cases: an error where gold holds another number, or only one of the two; constant scores give 0.5.
    """
    import numpy as np

    if set(gold) != {0.0, 1.0}:
        raise Malformed("gold must hold 0 (they agree) and 1 (they differ), each at least once", do="give such gold")
    truth, levels = np.array(gold), np.unique(predicted, return_inverse=True)[1]
    return Rows(lambda rows: _roc_auc(*_steps(levels[rows], truth[rows])), details=_constant(predicted))


def _constant(predicted: Sequence[float]) -> dict[str, float]:
    return {"constant": 1.0} if len(set(predicted)) == 1 else {}


class _Sides:
    """Gold labels as indicators, scores as a matrix; both ``[n, L]``."""

    def __init__(self, gold: Gold, predicted: Scores, labels: Sequence[str], threshold: float) -> None:
        import numpy as np

        sets = [_positive(truth, threshold) for truth in gold]
        self.names = label_names(labels, *sets, *(answer for answer in predicted if answer))
        self.truth = indicators(sets, self.names)
        self.readable = np.array([bool(answer) for answer in predicted])
        self.scores = np.where(self.truth, -inf, inf)
        if self.readable.any():
            rows = [[answer.get(name, -inf) for name in self.names] for answer in predicted if answer]
            self.scores[self.readable] = np.array(rows)

    def by_item(self, value: Callable[[Array, Array], Array]) -> Array:
        """Compute ``value(truth, above)`` of all items; ``above[i, a, b]``: b scores at least as high as a."""
        import numpy as np

        parts = []
        for start in range(0, len(self.truth), _CHUNK):
            scores, truth = self.scores[start : start + _CHUNK], self.truth[start : start + _CHUNK]
            parts.append(value(truth, scores[:, None, :] >= scores[:, :, None]))
        return np.concatenate(parts).astype(float)


def _positive(truth: Collection[str], threshold: float) -> Collection[str]:
    if isinstance(truth, Mapping):
        return [label for label, weight in truth.items() if weight >= threshold]
    return truth


def _macro(
    gold: Gold, predicted: Scores, labels: Sequence[str], threshold: float, curve: Callable[..., float], column: str
) -> Rows:
    import numpy as np

    sides = _Sides(gold, predicted, labels, threshold)
    columns = [(np.unique(s, return_inverse=True)[1], t) for s, t in zip(sides.scores.T, sides.truth.T, strict=True)]

    def each(rows: Array) -> Array:
        return np.array([curve(*_steps(levels[rows], truth[rows])) for levels, truth in columns])

    def value(rows: Array) -> float:
        values = each(rows)
        return float(np.nanmean(values)) if np.isfinite(values).any() else nan

    everything = each(np.arange(len(gold)))
    defined = np.isfinite(everything)
    if not defined.any():
        raise Malformed(f"no label has the items that its {column} needs", do="give items with and without a label")
    names = [name for name, is_defined in zip(sides.names, defined, strict=True) if is_defined]
    per_label = {column: everything[defined], "support": sides.truth.sum(0)[defined]}
    coverage = {"labels": float(len(sides.names)), "labels_scored": float(defined.sum())}
    return Rows(value, per_class=lambda: per_part(names, **per_label), coverage=coverage)


def _steps(levels: Array, truth: Array) -> tuple[Array, Array]:
    """Count positive and all items at each score, from the highest score to the lowest."""
    import numpy as np

    size = int(levels.max()) + 1
    return np.bincount(levels, truth, size)[::-1], np.bincount(levels, minlength=size)[::-1].astype(float)


def _average_precision(positive: Array, total: Array) -> float:
    precision = ratio(positive.cumsum(), total.cumsum())
    return float((precision * positive).sum() / positive.sum()) if positive.any() else nan


def _trapezoids(positive: Array, total: Array) -> float:
    import numpy as np

    if not positive.any():
        return nan
    met = total > 0
    precision = np.concatenate([[1.0], positive.cumsum()[met] / total.cumsum()[met]])
    return float(((precision[1:] + precision[:-1]) / 2 * positive[met]).sum() / positive.sum())


def _roc_auc(positive: Array, total: Array) -> float:
    negative = total - positive
    if not positive.any() or not negative.any():
        return nan
    below = negative.sum() - negative.cumsum() + negative / 2
    return float((positive * below).sum() / (positive.sum() * negative.sum()))

"""Metrics of a set of labels per item. An unreadable answer (None) has no hit and is never as good as an empty set.

Published under these names: the accuracy, micro F1 and macro F1 of SemEval-2018 E-c and of GoEmotions (definition 28 of
the reference). MMAFFBen computes other things under the same names; they are its compat modes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.metrics.core.check import check_lengths
from affectllm.metrics.core.counts import (
    blocks,
    class_rows,
    counted_sums,
    f1,
    indicators,
    label_names,
    mean_of_items,
    mean_over,
    pooled_f1,
    ratio,
)
from affectllm.metrics.core.metric import Sums, metric

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Sets = Sequence[Collection[str]]
Answers = Sequence[Collection[str] | None]
Labels = Sequence[str]
_SEMEVAL = "Mohammad et al., SemEval-2018 Task 1: Affect in Tweets, SemEval 2018"
_TSOUMAKAS = "Tsoumakas, Katakis, Vlahavas, Mining multi-label data, Data Mining and Knowledge Discovery Handbook, 2010"


@metric(
    "jaccard",
    form="set",
    range=(0.0, 1.0),
    source=_SEMEVAL + " (as accuracy of E-c)",
    compat={"mmaffben": "mean over labels of tp / (tp + fp + fn), weighted by support, called acc (lzw108/MMAFFBen)"},
)
def jaccard(
    gold: list[frozenset[str]],
    predicted: list[frozenset[str] | None],
    *,
    labels: Labels = (),
    compat: str | None = None,
) -> Sums:
    """Mean over items of shared labels by all labels of both sets: what SemEval-2018 calls the accuracy of E-c.

    Formula: ``1/N Σ_i |g_i ∩ p_i| / |g_i ∪ p_i|``.
    Edge cases: 1 if both sets are empty, 0 if the answer is unreadable. The compat mode is another metric under the
    same name; there an unreadable answer is the empty set, and 0 is the value where gold names no label at all.
    """
    sides = _Sides(gold, predicted, labels)
    if compat == "mmaffben":
        return sides.sums(_weighted_jaccard)
    both, either = (sides.truth & sides.answers).sum(1), (sides.truth | sides.answers).sum(1)
    return mean_of_items(ratio(both, either, empty=1.0) * sides.readable, **sides.fields())


def _weighted_jaccard(hits: Array, support: Array, claimed: Array) -> Array:
    each = ratio(hits, support + claimed - hits)
    return ratio((each * support).sum(-1), support.sum(-1))


@metric("multilabel_samples_f1", form="set", range=(0.0, 1.0), source=_TSOUMAKAS)
def multilabel_samples_f1(
    gold: list[frozenset[str]], predicted: list[frozenset[str] | None], *, labels: Labels = ()
) -> Sums:
    """Mean over items of F1 of both sets, as questions with several right options are scored.

    Formula: ``1/N Σ_i 2·|g_i ∩ p_i| / (|g_i| + |p_i|)``.
    Edge cases: 1 if both sets are empty, 0 if the answer is unreadable.
    """
    sides = _Sides(gold, predicted, labels)
    both, sizes = (sides.truth & sides.answers).sum(1), sides.truth.sum(1) + sides.answers.sum(1)
    return mean_of_items(ratio(2 * both, sizes, empty=1.0) * sides.readable, **sides.fields())


@metric("multilabel_micro_f1", form="set", range=(0.0, 1.0), source=_SEMEVAL)
def multilabel_micro_f1(
    gold: list[frozenset[str]], predicted: list[frozenset[str] | None], *, labels: Labels = ()
) -> Sums:
    """F1 over all labels of all items together.

    Formula: ``2·Σtp / (2·Σtp + Σfp + Σfn)``.
    Edge cases: an unreadable answer misses its labels; where no side names any label, 1, or less by the share of
    unreadable answers.
    """
    sides = _Sides(gold, predicted, labels)
    return sides.sums(lambda hits, support, claimed: pooled_f1(hits, support, claimed, empty=sides.share_readable))


@metric(
    "multilabel_macro_f1",
    form="set",
    range=(0.0, 1.0),
    source=_SEMEVAL,
    compat={"mmaffben": "mean over all labels; one that occurs on neither side has F1 = 1 (lzw108/MMAFFBen)"},
)
def multilabel_macro_f1(
    gold: list[frozenset[str]],
    predicted: list[frozenset[str] | None],
    *,
    labels: Labels = (),
    compat: str | None = None,
) -> Sums:
    """Mean of F1 over the labels that occur in gold.

    Formula: ``1/|C| Σ_c 2·tp_c / (2·tp_c + fp_c + fn_c)``, C the labels that occur in gold.
    Edge cases: where gold names no label, 0 if an answer does, else 1 less the share of unreadable answers.
    """
    sides = _Sides(gold, predicted, labels)

    def value(hits: Array, support: Array, claimed: Array) -> Array:
        import numpy as np

        if compat == "mmaffben":
            return f1(hits, support, claimed, empty=1.0).mean(-1) if sides.names else np.ones(hits.shape[:-1])
        nothing = np.where(claimed.any(-1), 0.0, sides.share_readable)
        return np.where(support.any(-1), mean_over(f1(hits, support, claimed), support > 0), nothing)

    return sides.sums(value)


@metric("hamming_loss", form="set", range=(0.0, 1.0), source=_TSOUMAKAS, better="lower")
def hamming_loss(gold: list[frozenset[str]], predicted: list[frozenset[str] | None], *, labels: Labels = ()) -> Sums:
    """Share of wrong yes-or-no decisions, one for each label and item.

    Formula: ``1/(N·L) Σ_i |g_i △ p_i|``, L the number of labels.
    Edge cases: it depends on L, so give ``labels``, else L counts those that occur; an unreadable answer has every
    decision wrong; 0 where there is no label at all.
    """
    import numpy as np

    sides = _Sides(gold, predicted, labels)
    wrong = ratio((sides.truth ^ sides.answers).sum(1), np.array(float(len(sides.names))))
    return mean_of_items(np.where(sides.readable, wrong, 1.0), **sides.fields())


@metric("subset_accuracy", form="set", range=(0.0, 1.0), source=_TSOUMAKAS)
def subset_accuracy(gold: list[frozenset[str]], predicted: list[frozenset[str] | None], *, labels: Labels = ()) -> Sums:
    """Share of items whose answer is exactly the gold set.

    Formula: ``1/N Σ_i 1[g_i = p_i]``.
    Edge cases: an empty answer to an empty gold set is right, an unreadable one never is.
    """
    sides = _Sides(gold, predicted, labels)
    return mean_of_items((sides.truth == sides.answers).all(1) & sides.readable, **sides.fields())


def per_class(gold: Sets, predicted: Answers, labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return ``{label: {precision, recall, f1, support}}`` for every label of ``labels``; 0 where a ratio is 0/0."""
    sides = _Sides(gold, predicted, labels)
    return class_rows(sides.names, sides.counts())


class _Sides:
    """Gold sets and answers as indicators over the same labels."""

    def __init__(self, gold: Sets, predicted: Answers, labels: Labels) -> None:
        import numpy as np

        check_lengths(gold, predicted)
        answers = [answer if answer is not None else () for answer in predicted]
        self.names = label_names(labels, *gold, *answers)
        self.truth, self.answers = indicators(gold, self.names), indicators(answers, self.names)
        self.readable = np.array([answer is not None for answer in predicted])
        self.share_readable = float(self.readable.mean())

    def table(self) -> Array:
        """Return the table of counts, as in ``metrics.core.counts``."""
        import numpy as np

        return np.concatenate([self.truth & self.answers, self.truth, self.answers], axis=1).view(np.uint8)

    def counts(self) -> Array:
        """Return the sums of the table over the items."""
        import numpy as np

        tables = self.truth & self.answers, self.truth, self.answers
        return np.concatenate([table.sum(0, dtype=float) for table in tables])

    def sums(self, value: Any) -> Sums:
        """Build a metric that follows from hits, support and claimed per label."""
        result = counted_sums(self.names, self.table(), value)
        result.coverage = {**result.coverage, **self._sizes()}
        return result

    def fields(self) -> dict[str, Any]:
        """Return ``per_class`` and ``coverage`` of a mean over items."""
        sums = self.counts()
        present = int((blocks(sums)[1] > 0).sum())
        return {
            "per_class": lambda: class_rows(self.names, sums),
            "coverage": {"labels": len(self.names), "labels_in_gold": present, **self._sizes()},
        }

    def _sizes(self) -> dict[str, float]:
        items = self.answers[self.readable]
        return {
            "labels_per_item_gold": float(self.truth.sum(1).mean()),
            "labels_per_item_answered": float(items.sum(1).mean()) if len(items) else 0.0,
        }

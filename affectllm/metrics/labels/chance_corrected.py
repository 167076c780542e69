"""Metrics of one label per item: agreement beyond chance, and hits among the first k answers."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import (
    Coded,
    blocks,
    choice,
    class_rows,
    coded,
    counted_sums,
    mean_of_items,
    ratio,
    tally,
)
from affectllm.metrics.core.metric import Sums, metric

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


@metric(
    "cohen_kappa",
    title="Cohen's κ",
    form="label",
    range=(-1.0, 1.0),
    source="Cohen, A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20(1), "
    "1960; weighted: Cohen, Psychological Bulletin 70(4), 1968",
)
def cohen_kappa(
    gold: list[str], predicted: list[str | None], *, labels: Sequence[str] = (), weights: str = "none"
) -> Sums:
    """Cohen's κ: agreement of answers with gold beyond what their label frequencies alone would give.

    Formula: ``κ = 1 − Σ w_ij o_ij / Σ w_ij e_ij`` with observed counts o and counts expected by chance
    ``e_ij = n_i m_j / N``; w_ij is 1 off the diagonal (``weights="none"``), ``|i − j|`` (``linear``) or ``(i − j)²``
    (``quadratic``), i and j positions in ``labels``, which must therefore be in order and complete.
    Edge cases: an unreadable answer is an answer of its own that disagrees with every label as much as the farthest
    label does; 0 for constant answers; an error where gold holds one class only, since chance is then already certain.
    """
    choice(weights, ("none", "linear", "quadratic"), "weights")
    _two_classes(gold)
    if weights != "none" and not labels:
        raise Malformed("weighted κ needs the order of the labels", do="give labels=…, from lowest to highest")
    codes = coded(gold, predicted, labels)
    return _plain_kappa(codes) if weights == "none" else _weighted_kappa(codes, 1 if weights == "linear" else 2)


def _plain_kappa(codes: Coded) -> Sums:
    def value(hits: Array, support: Array, claimed: Array) -> Array:
        total = support.sum(-1)
        expected = ratio((support * claimed).sum(-1), total)
        return ratio(hits.sum(-1) - expected, total - expected, nan)

    return counted_sums(codes.labels, tally(codes), value)


def _weighted_kappa(codes: Coded, power: int) -> Sums:
    import numpy as np

    size = len(codes.labels)
    square = np.abs(np.arange(size)[:, None] - np.arange(size)) ** power
    weights = np.concatenate([square, square.max(1, keepdims=True)], axis=1).astype(float)
    counts = tally(codes)
    observed = weights[codes.truth, codes.answers]

    def reduce(sums: Array) -> Array:
        _, support, claimed = blocks(sums[..., :-1])
        total = support.sum(-1, keepdims=True)
        answers = np.concatenate([claimed, total - claimed.sum(-1, keepdims=True)], axis=-1)
        expected = ((support @ weights) * answers).sum(-1)
        return 1 - ratio(sums[..., -1] * total[..., 0], expected, np.nan)

    table = np.concatenate([counts, observed[:, None]], axis=1)
    return Sums(table, reduce, per_class=lambda: class_rows(codes.labels, counts.sum(0, dtype=float)))


@metric(
    "mcc",
    form="label",
    range=(-1.0, 1.0),
    source="Matthews, Biochimica et Biophysica Acta 405(2), 1975; several classes: Gorodkin, Computational Biology and "
    "Chemistry 28(5-6), 2004",
)
def mcc(gold: list[str], predicted: list[str | None], *, labels: Sequence[str] = ()) -> Sums:
    """Matthews correlation coefficient of gold and answers, for any number of classes (Gorodkin's R_K).

    Formula: ``(c·N − Σ_k n_k m_k) / sqrt((N² − Σ m_k²)(N² − Σ n_k²))`` with c correct answers, n_k gold and m_k answers
    of class k.
    Edge cases: unreadable answers are one more class, which gold never has; constant answers give 0 and
    ``details.constant``; an error where gold holds one class only.
    """
    import numpy as np

    _two_classes(gold)
    codes = coded(gold, predicted, labels)

    def value(hits: Array, support: Array, claimed: Array) -> Array:
        total, unread = support.sum(-1), support.sum(-1) - claimed.sum(-1)
        gold_spread = total**2 - (support**2).sum(-1)
        answer_spread = total**2 - (claimed**2).sum(-1) - unread**2
        over = hits.sum(-1) * total - (support * claimed).sum(-1)
        coefficient = ratio(over, np.sqrt(np.maximum(gold_spread * answer_spread, 0)))
        return np.where(gold_spread > 0, coefficient, np.nan)

    result = counted_sums(codes.labels, tally(codes), value)
    result.details = {"constant": 1.0} if len(set(predicted)) == 1 else {}
    return result


@metric(
    "top_k_accuracy",
    form="ranked",
    range=(0.0, 1.0),
    source="Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, IJCV 115(3), 2015",
)
def top_k_accuracy(gold: list[str], predicted: list[tuple[str, ...] | None], *, k: int = 3) -> Sums:
    """Share of items whose gold label is among the first k answers.

    Formula: ``1/N Σ_i 1[y_i ∈ first k of ŷ_i]``.
    Edge cases: an unreadable answer misses; a ranking shorter than k is taken as it is; a label named twice counts at
    its first place and uses up both.
    """
    import numpy as np

    if k < 1:
        raise Malformed(f"k is {k}", do="choose a whole number from 1")
    pairs = zip(gold, predicted, strict=True)
    hits = [answers is not None and truth in answers[:k] for truth, answers in pairs]
    return mean_of_items(np.array(hits, float))


def _two_classes(gold: Sequence[str]) -> None:
    if len(set(gold)) < 2:
        raise Malformed(
            "gold holds one class only, so agreement beyond chance is undefined", do="use accuracy, or more items"
        )

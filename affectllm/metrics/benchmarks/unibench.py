"""Metrics of MER-UniBench other than its emotion wheels: sentiment; and the overall score of MER2023."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import blocks, class_rows, coded, f1, tally, weighted
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.core.value_forms import missing
from affectllm.metrics.labels.subset_f1 import weighted_f1_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

POSITIVE, NEGATIVE, NEUTRAL = "positive", "negative", "neutral"
_EDGES = " \t\r\n.,;!\"'`*()[]"


def _polarity(valence: Any) -> str | None:
    if isinstance(valence, str) and (word := _polarity_word(valence)):
        return None if word == NEUTRAL else word
    number = float(valence)
    if not math.isfinite(number):
        raise ValueError(f"{valence!r} is no number")
    return None if number == 0 else POSITIVE if number > 0 else NEGATIVE


@metric(
    "mer_unibench_sentiment",
    form="raw",
    also=("label",),
    range=(0.0, 1.0),
    source="Lian et al., AffectGPT (MER-UniBench), evaluation-scoreonly.py, calculate_dimension_zeroshot",
    compat={"affectgpt": "an answer other than exactly 'positive' counts as negative: neutral, 'Positive', anything"},
    controls_as=("label", lambda value: _polarity(value) or NEUTRAL),
    gold_is_number=True,
)
def mer_unibench_sentiment(gold: list[Any], predicted: list[Any], *, compat: str | None = None) -> Sums:
    """Weighted F1 of the sign of valence, over items whose valence is not 0.

    Formula: ``Σ_c n_c/N · F1_c``, c positive (gold > 0) and negative (gold < 0), where the sign of gold may also be
    given as a word; the answer is one of the words "positive", "negative" and "neutral". ``details.accuracy`` is the
    second published value.
    Edge cases: case, blanks, quotation marks and a full stop do not matter; an answer that is neutral, unreadable or
    another word is wrong, whichever sign is right, and claims neither.
    """
    signs = _signs(gold)
    if not any(signs):
        raise Malformed("no item has a valence other than 0", do="check the column of the gold values")
    polarities = [_polarity_word(answer) for answer in predicted]
    return weighted_f1_of(
        signs,
        [_published(answer) for answer in predicted] if compat else polarities,
        (NEGATIVE, POSITIVE),
        zero_valence=float(signs.count(None)),
        neutral_answers=polarities.count(NEUTRAL) / len(polarities),
        foreign_answers=polarities.count(None) / len(polarities),
    )


def _signs(gold: Sequence[Any]) -> list[str | None]:
    signs = []
    for row, valence in enumerate(gold, start=1):
        try:
            signs.append(_polarity(valence))
        except (TypeError, ValueError) as error:
            message = f"gold value {row} is {valence!r}, no valence"
            raise Malformed(message, do="give a number, below 0 for negative") from error
    return signs


def _polarity_word(answer: Any) -> str | None:
    word = answer.strip(_EDGES).lower() if isinstance(answer, str) else ""
    return word if word in (POSITIVE, NEGATIVE, NEUTRAL) else None


def _published(answer: Any) -> str:
    return POSITIVE if answer == POSITIVE else NEGATIVE


@metric(
    "mer2023_overall",
    form="label",
    range=(-math.inf, 1.0),
    source="Lian et al., MER 2023; MERTools, MERBench/toolkit/utils/metric.py, overall_metric",
    columns=("valence", "predicted_valence"),
)
def mer2023_overall(
    gold: list[str],
    predicted: list[str | None],
    *,
    valence: Sequence[Any] | None = None,
    predicted_valence: Sequence[Any] | None = None,
    labels: Sequence[str] = (),
) -> Sums:
    """Weighted F1 of the emotion minus a quarter of the mean squared error of the valence.

    Formula: ``Σ_c n_c/N · F1_c − 0.25 · 1/N Σ_i (v_i − v̂_i)²``.
    Args: the emotions are gold and answer; ``valence`` and ``predicted_valence`` are columns beside them.
    Edge cases: an unreadable emotion is wrong; an unreadable valence counts as the end of the gold range that is
    farthest from the gold valence. There is no lower bound. Controls change the emotion only.
    """
    import numpy as np

    if valence is None or predicted_valence is None:
        raise Malformed("the valences are missing", do="give valence=… and predicted_valence=…, one number an item")
    codes, errors = coded(gold, predicted, labels), _squared_errors(valence, predicted_valence)
    counts = tally(codes)
    table = np.concatenate([counts, errors[:, None], np.ones((len(gold), 1))], axis=1)
    sums, score = table.sum(0), weighted(f1)

    def reduce(totals: Array) -> Array:
        return np.asarray(score(*blocks(totals[..., :-2])) - 0.25 * totals[..., -2] / totals[..., -1])

    return Sums(
        table,
        reduce,
        per_class=lambda: class_rows(codes.labels, sums[:-2]),
        coverage={"unreadable_valence": sum(map(missing, predicted_valence)) / len(gold)},
        details={"weighted_f1": float(score(*blocks(sums[:-2]))), "mse": float(errors.mean())},
    )


def _squared_errors(truth: Sequence[Any], answers: Sequence[Any]) -> Array:
    import numpy as np

    right = np.array([_finite(value, row, "valence") for row, value in enumerate(truth, start=1)])
    low, high = right.min(), right.max()
    farthest = np.where(right - low > high - right, low, high)
    answered = [
        far if missing(answer) else _finite(answer, row, "predicted_valence")
        for row, (far, answer) in enumerate(zip(farthest.tolist(), answers, strict=True), start=1)
    ]
    return np.asarray((right - np.array(answered)) ** 2)


def _finite(value: Any, row: int, column: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise Malformed(f"{column} {row} is {value!r}, no number", do="give one finite number for each item")
    return number

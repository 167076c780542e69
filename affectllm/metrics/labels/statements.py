"""Metrics of judgements whether statements about the emotion of an image or a clip are correct."""

from __future__ import annotations

from collections.abc import Sequence

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import mean_of_items
from affectllm.metrics.core.metric import Sums, metric

CORRECT, INCORRECT = "correct", "incorrect"


@metric(
    "statement_judgement",
    form="label",
    range=(0.0, 1.0),
    source="wdqqdw/MVEI (Emotion Statement Judgment), README; no script was published",
    columns=("dimensions",),
)
def statement_judgement(
    gold: list[str], predicted: list[str | None], *, dimensions: Sequence[str] | None = None
) -> Sums:
    """Share of statements that are judged rightly as correct or incorrect.

    Formula: ``1/N Σ_i [answer_i = gold_i]``; with ``dimensions`` (polarity, interpretation, context, subjectivity) the
    same per dimension in ``per_class``. Details: ``positive_ratio``, the share of all statements judged correct, and
    ``give_up_ratio``, the share without a judgement.
    Edge cases: an unreadable answer, or another word than the two, is given up and wrong.
    """
    import numpy as np

    truth = [_judgement(label) for label in gold]
    if None in truth:
        row = truth.index(None)
        message = f"gold value {row + 1} is {gold[row]!r}, neither correct nor incorrect"
        raise Malformed(message, do="map the gold labels to these two words")
    answers = [None if label is None else _judgement(label) for label in predicted]
    right = np.array([answer == label for answer, label in zip(answers, truth, strict=True)], float)
    details = {
        "positive_ratio": answers.count(CORRECT) / len(answers),
        "give_up_ratio": answers.count(None) / len(answers),
    }
    return mean_of_items(right, per_class=lambda: shares_by(dimensions, right.tolist()), details=details)


def shares_by(parts: Sequence[str] | None, right: Sequence[float]) -> dict[str, dict[str, float]]:
    """Return accuracy and number of items of each part of the data; empty where the parts are not known."""
    by_part: dict[str, list[float]] = {}
    for part, value in zip(parts or (), right, strict=bool(parts)):
        by_part.setdefault(str(part), []).append(value)
    return {part: {"accuracy": sum(values) / len(values), "n": len(values)} for part, values in sorted(by_part.items())}


def _judgement(label: str) -> str | None:
    word = label.strip(" \t\r\n.!\"'*").lower()
    return word if word in (CORRECT, INCORRECT) else None

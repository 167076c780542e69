"""EmoBench: understanding an emotion together with its cause (EU), and choosing how to act on it (EA)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import mean_of_items
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.labels.statements import shares_by

_SOURCE = "Sabour et al., EmoBench, ACL 2024; Sahandfer/EmoBench, src/data.py"
_PUBLISHED = {
    "emobench": "answers must equal gold to the letter, so 'a', 'A ' and 'A) text' are wrong where gold is 'A'"
}
_OPTION = re.compile(r"\(?([a-z])\s*[).:：）、]\s*(.*)", re.DOTALL)
_EDGES = " .。*\"'“”‘’"
_AS_LABELS = ("label", str)


@metric(
    "emobench_eu",
    form="raw",
    range=(0.0, 1.0),
    source=_SOURCE,
    columns=("cause", "predicted_cause", "category"),
    compat=_PUBLISHED,
    controls_as=_AS_LABELS,
)
def emobench_eu(
    gold: list[Any],
    predicted: list[Any],
    *,
    cause: Sequence[Any] | None = None,
    predicted_cause: Sequence[Any] | None = None,
    category: Sequence[str] | None = None,
    compat: str | None = None,
) -> Sums:
    """Share of items on which both the emotion and its cause are right.

    Formula: ``1/N Σ_i [ê_i = e_i][ĉ_i = c_i]``, e the emotion (gold and answer), c the cause (``cause`` and
    ``predicted_cause``); per ``category`` in ``per_class``. Details: the shares of right emotions and right causes.
    Edge cases: an option may be given by its letter, by its text or by both, in either case; an unreadable or empty
    answer is wrong. Controls change the emotion only, and leave the cause as it was answered.
    """
    import numpy as np

    if cause is None or predicted_cause is None:
        raise Malformed("the causes are missing", do="give cause=… and predicted_cause=…, one an item")
    emotions = _right(gold, predicted, compat)
    causes = _right(cause, predicted_cause, compat)
    right = np.array(emotions) * np.array(causes)
    details = {"emotion_accuracy": float(np.mean(emotions)), "cause_accuracy": float(np.mean(causes))}
    return mean_of_items(right, per_class=lambda: shares_by(category, right.tolist()), details=details)


@metric(
    "emobench_ea",
    form="raw",
    range=(0.0, 1.0),
    source=_SOURCE,
    columns=("category",),
    compat=_PUBLISHED,
    controls_as=_AS_LABELS,
)
def emobench_ea(
    gold: list[Any], predicted: list[Any], *, category: Sequence[str] | None = None, compat: str | None = None
) -> Sums:
    """Share of items on which the best way to act or answer is chosen.

    Formula: ``1/N Σ_i [ŷ_i = y_i]``; per ``category`` in ``per_class``.
    Edge cases: an option may be given by its letter, by its text or by both, in either case; an unreadable or empty
    answer is wrong.
    """
    import numpy as np

    right = _right(gold, predicted, compat)
    return mean_of_items(np.array(right), per_class=lambda: shares_by(category, right))


def _right(gold: Sequence[Any], predicted: Sequence[Any], compat: str | None) -> list[float]:
    if strange := [row for row, truth in enumerate(gold, start=1) if not isinstance(truth, str) or not truth.strip()]:
        message = f"gold value {strange[0]} is {gold[strange[0] - 1]!r}, no option"
        raise Malformed(message, do="give the letter or the text of the right option")
    if compat:
        return [float(answer == truth) for truth, answer in zip(gold, predicted, strict=True)]
    return [float(bool(_names(truth) & _names(answer))) for truth, answer in zip(gold, predicted, strict=True)]


def _names(option: Any) -> set[str]:
    """Return the names of an option: the whole text, its letter where it begins with one, and the text after that."""
    text = " ".join(option.lower().split()).strip(_EDGES) if isinstance(option, str) else ""
    match = _OPTION.fullmatch(text)
    return {name for name in (text, *(part.strip(_EDGES) for part in (match.groups() if match else ()))) if name}

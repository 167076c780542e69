"""Metrics of preferences between two descriptions of an emotion (a1, a2, same), and of their consistency."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import mean_of_items, ratio
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.core.value_forms import missing
from affectllm.metrics.labels.subset_f1 import weighted_f1_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

FIRST, SECOND, SAME = "a1", "a2", "same"
CHOICES = (FIRST, SECOND, SAME)
SWAPPED = {FIRST: SECOND, SECOND: FIRST, SAME: SAME}
_NOT_FOUND = 10_000  # where the published reader supposes a word that is not there
_SOURCE = "Lian et al., EmoPrefer; MERTools, MER2026/MER2026_Track3/utils/common.py"
_READER = "the answer is a1, a2 or same by its beginning, else by the word named first, else same"


@metric(
    "preference_two_class",
    form="label",
    range=(0.0, 1.0),
    source=_SOURCE,
    compat={"emoprefer": f"{_READER}; and same counts as a1"},
)
def preference_two_class(gold: list[str], predicted: list[str | None], *, compat: str | None = None) -> Sums:
    """Weighted F1 of a1 and a2, over items where people prefer one.

    Formula: ``Σ_c n_c/N · F1_c``, c of a1 and a2; items with gold "same" are left out (``same_in_gold``).
    ``details.accuracy`` is the second published value.
    Edge cases: "same", an unreadable answer or any other word is wrong and claims neither.
    """
    labels = _checked(gold)
    if set(labels) == {SAME}:
        raise Malformed("people prefer neither on all items", do="score preference_three_class")
    read = [_published(answer) if compat else _strict(answer) for answer in predicted]
    claims = [FIRST if answer == SAME and compat else answer for answer in read]
    same = {"same_in_gold": labels.count(SAME) / len(labels), "same_answered": read.count(SAME) / len(read)}
    return weighted_f1_of(labels, claims, CHOICES[:2], **same)


@metric("preference_three_class", form="label", range=(0.0, 1.0), source=_SOURCE, compat={"emoprefer": _READER})
def preference_three_class(gold: list[str], predicted: list[str | None], *, compat: str | None = None) -> Sums:
    """Weighted F1 of a1, a2 and same.

    Formula: ``Σ_c n_c/N · F1_c``; ``details.accuracy`` is the second published value.
    Edge cases: an unreadable answer or any other word is wrong and claims none of the three.
    """
    read = [_published(answer) if compat else _strict(answer) for answer in predicted]
    return weighted_f1_of(_checked(gold), read, CHOICES)


def _checked(gold: Sequence[str]) -> list[str]:
    labels = [_strict(label) for label in gold]
    if None in labels:
        row = labels.index(None)
        raise Malformed(f"gold value {row + 1} is {gold[row]!r}, not a1, a2 or same", do="correct it")
    return [label for label in labels if label is not None]


def _strict(answer: Any) -> str | None:
    word = answer.strip(" \t\r\n.!\"'*()[]").lower() if isinstance(answer, str) else ""
    return word if word in CHOICES else None


def _published(answer: str | None) -> str:
    text = (answer or "").lower()
    if begun := next((choice for choice in CHOICES if text.startswith(choice)), None):
        return begun
    if not any(choice in text for choice in CHOICES):
        return SAME
    # A word found beyond the place that stands for "not there" loses to one that is not there.
    return min(CHOICES, key=lambda choice: text.find(choice) if choice in text else _NOT_FOUND)


@metric(
    "preference_rate",
    form="label",
    range=(0.0, 1.0),
    source="the share of wins of blind comparisons, as in Zheng et al., 2023, arXiv:2306.05685; ties count half",
    takes="predicted",
)
def preference_rate(predicted: list[str | None]) -> Sums:
    """Share of comparisons in which a1 is preferred to a2, a tie counting half.

    Formula: ``1/n Σ_i v_i``, v_i = 1 for a1, 1/2 for same and 0 for a2; the share of ties is ``details.ties``.
    Edge cases: an unreadable answer (None) or any other word is left out, and counted as ``unreadable``; 0.5 means that
    neither is preferred.
    """
    import numpy as np

    read = [_strict(answer) for answer in predicted]
    readable = np.array([answer is not None for answer in read])
    if not readable.any():
        raise Malformed("there is no vote among the answers", do="answer a1, a2 or same")
    worth = {FIRST: 1.0, SAME: 0.5, SECOND: 0.0}
    values = np.array([worth.get(answer or "", 0.0) for answer in read])
    return mean_of_items(values, readable, details={"ties": read.count(SAME) / int(readable.sum())})


@metric(
    "swap_consistency",
    form="raw",
    range=(0.0, 1.0),
    source="Lian et al., EmoPrefer, statistic.py, func_reverse_consistency (as a percentage)",
    columns=("runs",),
)
def swap_consistency(gold: list[Any], predicted: list[Any], *, runs: Sequence[Hashable] | None = None) -> Sums:
    """Share of items on which a model keeps its preference when the two descriptions change places.

    Formula: ``1/N Σ_i [a_i = swap(b_i)]``, a_i the answer (given as gold), b_i that with a1 and a2 in each other's
    place; swap exchanges a1 and a2. With ``runs`` the standard deviation over runs is ``details.std_over_runs``.
    Edge cases: an unreadable answer on either side keeps nothing; a model that always says a1 has 0, one that always
    says same has 1.
    """
    import numpy as np

    forward, backward = [_strict(answer) for answer in gold], [_strict(answer) for answer in predicted]
    consistent = [
        first is not None and second is not None and first == SWAPPED[second]
        for first, second in zip(forward, backward, strict=True)
    ]
    values = np.array(consistent, float)
    unread = [side.count(None) / len(side) for side in (forward, backward)]
    details = {} if runs is None else {"std_over_runs": _deviation(values, runs)}
    return mean_of_items(
        values, coverage=dict(zip(("unread_forward", "unread_swapped"), unread, strict=True)), details=details
    )


def _deviation(values: Array, runs: Sequence[Hashable]) -> float:
    import numpy as np

    names = np.array([str(run) for run in runs])
    return float(np.std([values[names == name].mean() for name in np.unique(names)]))


@metric(
    "run_consistency",
    form="sequence",
    range=(0.0, 1.0),
    source="Lian et al., EmoPrefer, statistic.py, func_consistency (as a percentage)",
    takes="predicted",
)
def run_consistency(predicted: list[list[Any] | None]) -> Sums:
    """Share of items on which two runs answer the same, mean over all pairs of runs.

    Formula: ``1/|pairs| Σ_{r<s} 1/N Σ_i [a_ir = a_is]``; the standard deviation over the pairs is
    ``details.std_over_pairs``.
    Edge cases: an unreadable answer (None) agrees with nothing, not even another one; every item needs an answer or
    None of each run, and there must be two runs.
    """
    import numpy as np

    sizes = {len(answers or ()) for answers in predicted}
    if len(sizes) != 1 or min(sizes) < 2:
        message = f"items have answers of {', '.join(map(str, sorted(sizes)))} runs"
        raise Malformed(
            message, do="give the answers of the same two or more runs for each item, None where unreadable"
        )
    readable = np.array([[not missing(answer) for answer in row or ()] for row in predicted])
    answers = np.array([[str(answer) for answer in row or ()] for row in predicted])
    pairs = list(combinations(range(answers.shape[1]), 2))
    equal = [(answers[:, one] == answers[:, two]) & readable[:, one] & readable[:, two] for one, two in pairs]
    table = np.stack([*equal, np.ones(len(answers))], axis=1).astype(float)
    by_pair = table[:, :-1].mean(0)
    return Sums(
        table,
        lambda totals: ratio(totals[..., :-1].mean(-1), totals[..., -1], np.nan),
        coverage={"runs": float(answers.shape[1]), "unread": float(1 - readable.mean())},
        details={"std_over_pairs": float(by_pair.std())},
    )

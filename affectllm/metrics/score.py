"""All metrics of one task at once, with intervals: the shape of ``scores.json``."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial
from typing import Any, Literal, TypedDict

from affectllm.errors import NotFound
from affectllm.metrics.check import check_lengths

Form = Literal["choice", "set", "reply"]

METRICS: dict[Form, tuple[str, ...]] = {
    "choice": ("accuracy", "uar", "macro_f1", "weighted_f1"),
    "set": ("micro_f1", "macro_f1", "jaccard"),
    "reply": ("bleu", "rouge_l", "distinct_1", "distinct_2"),
}
"""The metrics of each form of answer, in the order in which they are shown."""


class Score(TypedDict):
    """One number with its 95 % interval, on how many items, and the share of answers that could not be read."""

    value: float
    low: float
    high: float
    n: int
    unreadable: float


def score(
    form: Form,
    names: Sequence[str],
    gold: Sequence[Any],
    predicted: Sequence[Any],
    *,
    labels: Sequence[str] = (),
    clusters: Sequence[Hashable] | None = None,
) -> dict[str, Score]:
    """Every metric of ``names`` on the answers of one task.

    Args:
        form: ``choice`` (a label each), ``set`` (a list of labels each) or ``reply`` (a text each).
        gold: the right answers.
        predicted: the given answers, None where one could not be read.
        labels: the label space; unused for ``reply``.
        clusters: who spoke, or in which dialogue, per item; None resamples single items.

    Raises:
        NotFound: when the form has no metric of that name.
        Malformed: when there is nothing to score, lengths differ or a label is not in ``labels``.
    """
    check_lengths(gold, predicted)
    if strange := [name for name in names if name not in METRICS[form]]:
        raise NotFound(f"a {form} task has no metric called {strange[0]!r}", do=f"choose of {', '.join(METRICS[form])}")
    groups = list(clusters) if clusters is not None else list(range(len(gold)))
    check_lengths(gold, groups)
    unreadable = sum(answer is None for answer in predicted) / len(predicted)
    bounds = _bounds(form, names, gold, predicted, labels, groups)
    return {
        name: Score(value=value, low=low, high=high, n=len(gold), unreadable=unreadable)
        for name, (value, low, high) in bounds.items()
    }


def _bounds(
    form: Form,
    names: Sequence[str],
    gold: Sequence[Any],
    predicted: Sequence[Any],
    labels: Sequence[str],
    groups: Sequence[Hashable],
) -> dict[str, tuple[float, float, float]]:
    from affectllm.metrics import bootstrap, multilabel, replies
    from affectllm.metrics import labels as single
    from affectllm.metrics.diversity import distinct_interval

    room = {"choice": single, "set": multilabel, "reply": replies}[form]
    table = room.table(gold, predicted) if form == "reply" else room.table(gold, predicted, labels)
    sums = bootstrap.by_cluster(table, groups)
    found = {}
    for name in names:
        if name.startswith("distinct"):
            value = getattr(room, name)(predicted)
            ends = distinct_interval(predicted, groups, int(name[-1]), value)
        else:
            value = getattr(room, name)(gold, predicted)
            ends = bootstrap.interval(sums, partial(room.from_sums, name), value)
        found[name] = (value, *ends)
    return found

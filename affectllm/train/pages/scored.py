"""Whether a metric scores the answers to a question, found out on a few values of its space; and their value by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from affectllm.errors import AffectError
from affectllm.instruct.slots import Slot
from affectllm.labels import LabelSpace
from affectllm.labels.form import Refused
from affectllm.metrics import Metric
from affectllm.metrics.core.fitting import needs_pairs_only, scores_shape


def why_unfit(metric: Metric, slot: Slot, items: int | None = None) -> str:
    """Return why answers to a slot have no value of a metric; empty where they have.

    Args:
        items: on which it must be defined; None for as many as it takes.
    """
    shape = slot.how.shape(slot.space)
    if metric.better == "none" or not needs_pairs_only(metric) or not scores_shape(metric, shape):
        return f"they are scored as {shape} values"
    try:
        if examples := _examples(slot)[:items]:
            value_of(metric, slot, examples)
    except AffectError as error:
        return error.what
    return ""


def _examples(slot: Slot) -> list[tuple[Any, Any]]:
    """Return gold values of a slot's space, each answered rightly; none where they belong to the item."""
    values = _VALUES[slot.space.kind](slot.space) if slot.space.kind in _VALUES else []
    golds = [(slot.how.gold(value, slot.space), value) for value in values]
    return [(gold, value) for gold, value in golds if not isinstance(gold, Refused)]


_VALUES = {
    "category": lambda space: list(space.names),
    "set": lambda space: [[name] for name in space.names],
    "dimension": lambda space: [dict.fromkeys(space.names, float(end)) for end in space.bounds],
    "distribution": lambda space: [{one: float(one == name) for one in space.names} for name in space.names],
}
"""Kind of a space → a few values of it that differ."""


def value_of(metric: Metric, slot: Slot, read: Sequence[tuple[Any, Any]]) -> float:
    """Return the value of a metric over gold values and what was read of answers, None where that could not be.

    Several numbers are scored one dimension at a time, on the items that have it, and the mean is taken over those that
    vary: rows need not have all of them.

    Raises:
        Malformed: when the metric is not defined on such values.
    """
    pairs = [slot.how.scored(gold, value, slot.space) for gold, value in read]
    options: dict[str, Any] = {"labels": list(slot.space.names)} if slot.space.names else {}
    options["bounds"] = slot.space.bounds
    if metric.form.name != "vector":
        return _value(metric, pairs, options)
    parts = [_of_dimension(name, pairs) for name in _dimensions(slot.space, pairs)]
    return fmean(_value(metric, part, options) for part in parts)


def _dimensions(space: LabelSpace, pairs: Sequence[tuple[Any, Any]]) -> list[str]:
    """Return the dimensions whose gold numbers vary, without which most metrics are not defined.

    Where none does, all that are there.
    """
    numbers = {name: {gold[name] for gold, _ in pairs if name in gold} for name in space.names}
    return [name for name, own in numbers.items() if len(own) > 1] or [name for name, own in numbers.items() if own]


def _of_dimension(name: str, pairs: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return the pairs of the items with a gold number of one dimension; an answer without it is none."""
    return [
        ({name: gold[name]}, None if answer is None or answer.get(name) is None else {name: answer[name]})
        for gold, answer in pairs
        if name in gold
    ]


def _value(metric: Metric, pairs: Sequence[tuple[Any, Any]], options: Mapping[str, Any]) -> float:
    truths, answers = zip(*pairs, strict=True)
    return metric.statistic(list(truths), list(answers), **options).value()

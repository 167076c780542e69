"""Functions shared by the forms whose answers are names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from affectllm.labels.form import OUTSIDE, Refused
from affectllm.labels.names import named
from affectllm.labels.pictures import Bars, bars_of_names
from affectllm.labels.space import LabelSpace


def one(value: Any, space: LabelSpace) -> Any:
    """Return the one name of an annotation, or why it cannot be asked."""
    if not isinstance(value, str):
        return Refused("tie")
    return value if value in space.names else OUTSIDE


def say_one(gold: str, space: LabelSpace, language: str, nothing: str) -> str:
    """Return the name in the language of the answer."""
    return named(space.names, language)[gold]


def several(value: Any, space: LabelSpace) -> Any:
    """Return the names that hold, of scores those from one half on; or why they cannot be asked."""
    if isinstance(value, Mapping):
        value = [name for name, score in value.items() if score is not None and score >= 0.5]
    return list(value) if set(value) <= set(space.names) else OUTSIDE


def as_set(value: Any, space: LabelSpace) -> list[str]:
    """Return the names as a list, also a single one."""
    return [value] if isinstance(value, str) else list(value)


def same_set(answer: Any, gold: Any, space: LabelSpace) -> float:
    """Return 1 where both name the same labels, in any order, else 0."""
    both = [{side} if isinstance(side, str) else set(side) for side in (answer, gold) if isinstance(side, (str, list))]
    return float(len(both) == 2 and both[0] == both[1])


def other_set(gold: Any, space: LabelSpace, draw: Random) -> Any:
    """Draw as many names outside the gold set, as far as there are; at least one. None where no other set exists."""
    gold_names = as_set(gold, space)
    outside = [name for name in space.names if name not in gold_names]
    if not outside:
        return [draw.choice(gold_names)] if len(gold_names) > 1 else None
    chosen = draw.sample(outside, min(len(outside), max(1, len(gold_names))))
    return [name for name in space.names if name in chosen]


def shown_names(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Bars]:
    """Yield how often each name is right and is given: a leaning to one answer is seen at a glance."""
    right = (as_set(gold, space) for gold in golds)
    given = ([] if reading is None else as_set(reading, space) for reading in readings)
    bars = bars_of_names("How often each label is right, and is given", right, given, space.names)
    unread = sum(reading is None for reading in readings)
    yield replace(bars, note=f"{unread} of {len(golds)} answers could not be read." if unread else "")

"""A score from 0 to 1 for each label of a space, 1 where the label holds; ranked and never cut at a threshold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from affectllm.labels.figures import figure, rounded
from affectllm.labels.form import Form, shape_of
from affectllm.labels.forms._names import as_set, other_set, several
from affectllm.labels.forms._numbers import by_name
from affectllm.labels.names import named
from affectllm.labels.pictures import Bars
from affectllm.labels.space import LabelSpace


def _scores(value: Any, space: LabelSpace) -> dict[str, float]:
    """Return a score per label of gold labels or of scores."""
    if isinstance(value, Mapping):
        return {name: score for name, score in value.items() if score is not None}  # Arrow fills in missing names
    return {name: float(name in value) for name in space.names}


def _worded(gold: Any, space: LabelSpace, language: str, nothing: str) -> str:
    words = named(space.names, language)
    return ", ".join(f"{words[name]}: {figure(score)}" for name, score in _scores(gold, space).items())


def _read(text: str, space: LabelSpace, language: str) -> Any:
    return by_name(text, space, language, 0.0, 1.0)


def _prevalences(golds: Sequence[Any], space: LabelSpace) -> dict[str, float]:
    return {name: rounded(sum(name in gold for gold in golds) / len(golds)) for name in space.names}


def _drawn(golds: Sequence[Any], space: LabelSpace, draw: Random) -> dict[str, float]:
    return {name: rounded(draw.random()) for name in space.names}


def _close(answer: Any, gold: Any, space: LabelSpace) -> float:
    """Return 1 less the mean distance of the scores from what holds, in [0, 1]."""
    given, right = _scores(answer, space), _scores(gold, space)
    return 1.0 - math.fsum(abs(given.get(name, 0.5) - right[name]) for name in space.names) / len(space.names)


def _pictured(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Bars]:
    """Yield how often each label holds, beside its mean score."""
    total = len(golds) or 1
    given = [{} if one is None else _scores(one, space) for one in readings]
    rows = tuple(
        (
            name,
            sum(name in as_set(gold, space) for gold in golds) / total,
            math.fsum(one.get(name, 0.0) for one in given) / total,
        )
        for name in space.names
    )
    unread = sum(reading is None for reading in readings)
    note = f"{unread} of {total} answers could not be read." if unread else ""
    yield Bars("How often each label holds, and its mean score", rows, note)


FORM = Form(
    description="a score from 0 to 1 for each label",
    kinds=("set",),
    gold=several,
    worded=_worded,
    read=_read,
    shape=shape_of("scores"),
    tokens=256,
    truth=as_set,
    answer=_scores,
    majority=_prevalences,
    chance=_drawn,
    wrong=other_set,
    agreement=_close,
    needs=("labels",),
    pictures=_pictured,
)

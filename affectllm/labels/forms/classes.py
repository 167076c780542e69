"""A whole number for each dimension of a space, such as intensity from 0 to 3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from affectllm.labels.form import Form, Refused
from affectllm.labels.forms._numbers import (
    alone,
    bounds,
    means,
    mirrored,
    nearness,
    numbers,
    read_all,
    say_numbers,
    scattered,
    shape,
)
from affectllm.labels.pictures import Picture, matrix, of_dimension
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def _gold(value: Mapping[str, float], space: LabelSpace) -> Any:
    values = numbers(value, space)
    return values if isinstance(values, Refused) or _whole(values) else Refused("not_ordinal")


def _read(text: str, space: LabelSpace, language: str) -> Any:
    reading = read_all(text, space, language)
    return reading if isinstance(reading, Unreadable) or _whole(reading) else Unreadable("out_of_range", text)


def _whole(values: Mapping[str, float]) -> bool:
    return all(number == int(number) for number in values.values())


def _middle(golds: Sequence[Mapping[str, float]], space: LabelSpace) -> dict[str, float]:
    return {name: float(round(number)) for name, number in means(golds, space).items()}


def _drawn(golds: Sequence[Mapping[str, float]], space: LabelSpace, draw: Random) -> dict[str, float]:
    return {name: float(draw.choice(_scale(space))) for name in means(golds, space)}


def _scale(space: LabelSpace) -> range:
    low, high = bounds(space)
    return range(int(low), int(high) + 1)


def _pictured(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Picture]:
    """Yield the ordinal confusion of each dimension; of a scale of more than eleven classes a scatter."""
    if len(_scale(space)) > 11:
        yield from scattered(golds, readings, space)
        return
    for name in space.names:
        if pairs := of_dimension(golds, readings, name):
            yield matrix(name, pairs, _scale(space), "unreadable")


def _unfit(space: LabelSpace) -> str:
    if space.bounds and any(bound != int(bound) for bound in space.bounds):
        return f"asks for classes, but the bounds of {space.name} are no whole numbers"
    return ""


FORM = Form(
    description="whole numbers",
    kinds=("dimension",),
    gold=_gold,
    worded=say_numbers,
    read=_read,
    shape=shape,
    tokens=96,
    truth=alone,
    answer=alone,
    majority=_middle,
    chance=_drawn,
    wrong=mirrored,
    agreement=nearness,
    needs=("dimensions", "scale"),
    unfit=_unfit,
    pictures=_pictured,
)

"""The names of a space in order, from the one that holds most; names that nobody gave are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from affectllm.labels.form import OUTSIDE, Form, Refused, shape_of
from affectllm.labels.names import named, understood
from affectllm.labels.pictures import Matrix, Rates, matrix, share
from affectllm.labels.reading.order import read_order
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def _gold(value: Mapping[str, float], space: LabelSpace) -> Any:
    if not set(value) <= set(space.names):
        return OUTSIDE
    weights = {name: weight for name, weight in value.items() if weight > 0}
    if not weights:
        return Refused("no_votes")
    if len(set(weights.values())) < len(weights):
        return Refused("tie")
    return sorted(weights, key=lambda name: -weights[name])


def _worded(gold: Sequence[str], space: LabelSpace, language: str, nothing: str) -> str:
    words = named(space.names, language)
    return " > ".join(words[name] for name in gold)


def _read(text: str, space: LabelSpace, language: str) -> Any:
    reading = read_order(text, understood(space, language))
    return reading if isinstance(reading, Unreadable) else _by_rank(reading)


def _by_rank(names: Sequence[str]) -> dict[str, float]:
    """Map every ranked name to ``1 / rank``."""
    return {name: 1 / place for place, name in enumerate(names, 1)}


def _weights(names: Sequence[str], space: LabelSpace) -> dict[str, float]:
    """Map every name of the space to ``1 / rank``, or to 0 where it is not ranked."""
    return {**dict.fromkeys(space.names, 0.0), **_by_rank(names)}


def _answered(value: Mapping[str, float], space: LabelSpace) -> dict[str, float]:
    return {**dict.fromkeys(space.names, 0.0), **value}


def _by_mean_weight(golds: Sequence[Sequence[str]], space: LabelSpace) -> list[str]:
    totals = {name: sum(_weights(gold, space)[name] for gold in golds) for name in space.names}
    return sorted((name for name in space.names if totals[name]), key=lambda name: -totals[name])


def _shuffled(golds: Sequence[Any], space: LabelSpace, draw: Random) -> list[str]:
    return draw.sample(space.names, len(space.names))


def _reversed(gold: Sequence[str], space: LabelSpace, draw: Random) -> Any:
    return [*reversed(gold)] if len(gold) > 1 else [draw.choice([name for name in space.names if name not in gold])]


def _agreement(answer: Sequence[str], gold: Sequence[str], space: LabelSpace) -> float:
    """Return the share of the pairs that both rank alike (Kendall's tau from 0 to 1); what is not ranked comes last."""
    ours, theirs = _weights(list(answer), space), _weights(list(gold), space)
    pairs = [(one, other) for one in gold for other in space.names if theirs[one] > theirs[other]]
    return sum(ours[one] > ours[other] for one, other in pairs) / len(pairs) if pairs else float(answer == gold)


def _pictured(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Matrix | Rates]:
    """Yield the places that labels hold by the places that they are given, and how each label's place is met."""
    orders = [sorted(one, key=lambda name: -one[name]) if one else [] for one in readings]
    places = range(1, max((len(gold) for gold in golds), default=0) + 1)
    placed = [
        (name, place, order.index(name) + 1 if name in order else None)
        for gold, order in zip(golds, orders, strict=True)
        for place, name in enumerate(gold, 1)
    ]
    note = "not ranked"
    yield matrix("Place of a label, right and given", [(place, given) for _, place, given in placed], places, note)
    rows = []
    for name in space.names:
        own = [(place, given) for one, place, given in placed if one == name]
        first = [given for place, given in own if place == 1]
        met = sum(place == given for place, given in own)
        rows.append((name, len(own), (share(met, len(own)), share(first.count(1), len(first)))))
    yield Rates("How often a label is put in its place", ("its place", "first, where it is first"), tuple(rows))


FORM = Form(
    description="labels in order",
    kinds=("distribution",),
    gold=_gold,
    worded=_worded,
    read=_read,
    shape=shape_of("scores"),
    tokens=96,
    truth=_weights,
    answer=_answered,
    majority=_by_mean_weight,
    chance=_shuffled,
    wrong=_reversed,
    agreement=_agreement,
    needs=("labels",),
    pictures=_pictured,
)

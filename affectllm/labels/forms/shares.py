"""A share for each name of a space, in whole percents that sum to 100."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from affectllm.labels.form import OUTSIDE, Form, Refused, shape_of
from affectllm.labels.forms._numbers import by_name
from affectllm.labels.names import named
from affectllm.labels.pictures import Bars, Scatter, scatter
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def _gold(value: Mapping[str, float], space: LabelSpace) -> Any:
    """Round shares to whole percents that sum to 100, by largest remainders; as fractions."""
    if not all(0 <= weight < math.inf for weight in value.values()) or not set(value) <= set(space.names):
        return OUTSIDE
    if not (total := sum(value.values())):
        return Refused("no_votes")
    exact = {name: 100 * value[name] / total for name in space.names if value.get(name)}
    percents = {name: int(share) for name, share in exact.items()}
    ranked = sorted(exact, key=lambda name: percents[name] - exact[name])
    for name in ranked[: 100 - sum(percents.values())]:
        percents[name] += 1
    return {name: percent / 100 for name, percent in percents.items() if percent}


def _worded(gold: Mapping[str, float], space: LabelSpace, language: str, nothing: str) -> str:
    words = named(space.names, language)
    return ", ".join(f"{words[name]}: {round(100 * share)}%" for name, share in gold.items())


def _read(text: str, space: LabelSpace, language: str) -> Any:
    """Read percents or votes, as fractions of their sum."""
    weights = by_name(text, space, language, 0.0, float("inf"))
    if isinstance(weights, Unreadable):
        return weights
    total = sum(weights.values())
    if not total > 0:
        return Unreadable("no_number", text)
    if "%" in text and not 98 <= total <= 102:
        return Unreadable("incomplete", text)
    return {name: number / total for name, number in weights.items() if number}


def _nonzero(value: Mapping[str, float | None], space: LabelSpace) -> dict[str, float]:
    return {name: share for name, share in value.items() if share}  # Arrow fills in missing names


def _mean(golds: Sequence[Mapping[str, float]], space: LabelSpace) -> Any:
    return _gold({name: math.fsum(gold.get(name) or 0.0 for gold in golds) for name in space.names}, space)


def _drawn(golds: Sequence[Any], space: LabelSpace, draw: Random) -> Any:
    return _gold({name: draw.random() for name in space.names}, space)


def _dealt(gold: Mapping[str, float], space: LabelSpace, draw: Random) -> Any:
    """Rotate the shares among the labels; where that changes little, give all to one. None for a space of one label."""
    names = space.names
    if len(names) < 2:
        return None
    shares = [gold.get(name) or 0.0 for name in names]
    step = draw.randrange(1, len(names))
    dealt = [shares[number - step] for number in range(len(names))]
    if max(abs(new - old) for new, old in zip(dealt, shares, strict=True)) < 0.1:
        return {names[step]: 1.0}
    return {name: share for name, share in zip(names, dealt, strict=True) if share}


def _shared(answer: Any, gold: Mapping[str, float | None], space: LabelSpace) -> float:
    """Return the overlap of two distributions, the sum of the minima, from 0 to 1."""
    if not isinstance(answer, Mapping):
        return 0.0
    common = sum(min(answer.get(name, 0.0), share or 0.0) for name, share in gold.items())
    return min(1.0, round(float(common), 9))  # percents that sum to 100 are no exact fractions


def _pictured(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Bars | Scatter]:
    """Yield the mean shares, right and given, with the mean divergence, and the shares of single items."""
    pairs = [(gold, one) for gold, one in zip(golds, readings, strict=True) if one is not None]
    total = len(pairs) or 1
    right, given = ([pair[side] for pair in pairs] for side in (0, 1))
    means = [(name, _mean_share(right, name), _mean_share(given, name)) for name in (space.names if pairs else ())]
    mean = math.fsum(_divergence(gold, one, space.names) for gold, one in pairs) / total
    note = f"Mean Jensen-Shannon divergence {mean:.3f} bits over {len(pairs)} of {len(golds)} items that could be read."
    yield Bars("Mean share of each label, right and given", tuple(means), note)
    single = [(gold.get(name) or 0.0, one.get(name) or 0.0) for gold, one in pairs for name in space.names]
    yield scatter("Shares of single items and labels", single, 0.0, 1.0)


def _mean_share(shares: Sequence[Mapping[str, Any]], name: str) -> float:
    return math.fsum(one.get(name) or 0.0 for one in shares) / len(shares)


def _divergence(gold: Mapping[str, Any], answer: Mapping[str, Any], names: Sequence[str]) -> float:
    """Return the Jensen-Shannon divergence of two distributions, in bits."""
    both = [[side.get(name) or 0.0 for name in names] for side in (gold, answer)]
    middle = [(one + other) / 2 for one, other in zip(*both, strict=True)]
    return math.fsum(
        one / 2 * math.log2(one / between) for side in both for one, between in zip(side, middle, strict=True) if one
    )


FORM = Form(
    description="shares",
    kinds=("distribution",),
    gold=_gold,
    worded=_worded,
    read=_read,
    shape=shape_of("distribution"),
    tokens=128,
    truth=_nonzero,
    answer=_nonzero,
    majority=_mean,
    chance=_drawn,
    wrong=_dealt,
    agreement=_shared,
    needs=("labels",),
    pictures=_pictured,
)

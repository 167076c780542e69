"""What forms whose answers are numbers by name have in common."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from affectllm.labels.figures import figure, rounded
from affectllm.labels.form import OUTSIDE, Refused
from affectllm.labels.names import named, understood
from affectllm.labels.reading.numbers import read_number, read_numbers
from affectllm.labels.reading.text import bare, normalised
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def numbers(value: Mapping[str, float], space: LabelSpace) -> Any:
    """The numbers that were given, in the order of the space."""
    low, high = bounds(space)
    found = {name: rounded(value[name]) for name in space.names if name in value}
    if not all(low <= number <= high for number in found.values()):  # false for NaN too
        return OUTSIDE
    return found or Refused("no_number")


def bounds(space: LabelSpace) -> tuple[float, float]:
    """The smallest and largest value of a dimension."""
    return space.bounds or (-math.inf, math.inf)


def say_numbers(gold: Mapping[str, float], space: LabelSpace, language: str, nothing: str) -> str:
    """A number that stands alone has no name."""
    if len(space.names) == 1:
        return figure(next(iter(gold.values())))
    words = named(space.names, language)
    return ", ".join(f"{words[name]}: {figure(number)}" for name, number in gold.items())


def read_all(text: str, space: LabelSpace, language: str) -> Any:
    """The numbers that an answer gives, each within the bounds."""
    low, high = space.bounds or (0.0, 0.0)
    if len(space.names) == 1:
        found = read_number(text, low, high)
        return found if isinstance(found, Unreadable) else {space.names[0]: found}
    return by_name(text, space, language, low, high)


def by_name(text: str, space: LabelSpace, language: str, low: float, high: float) -> Any:
    """Numbers by the names of the space, in either language; those that the answer gives."""
    names = {word: name for name, word in named(space.names, language).items()} | {name: name for name in space.names}
    words = names
    found = read_numbers(text, tuple(words), low, high, every=False)
    if space.kind == "distribution" and (isinstance(found, Unreadable) or {*map(names.get, found)} != {*space.names}):
        # "Wut: 40" is a share of anger too: what is left out would be shared among the others.
        words = {**understood(space, language).aliases, **names}
        found = read_numbers(text, tuple(words), low, high, every=False)
    if isinstance(found, Unreadable):
        return found
    if _named_without_number(text, names, {words[word] for word in found}):
        return Unreadable("incomplete", text)
    by_name: dict[str, float] = {}
    for word, number in found.items():
        if by_name.setdefault(words[word], number) != number:
            return Unreadable("ambiguous", text)
    return {name: by_name[name] for name in space.names if name in by_name}


def _named_without_number(text: str, words: Mapping[str, str], found: set[str]) -> bool:
    """Whether the answer also speaks of a name for which it gives no number that can be read."""
    part = normalised(text)
    left = [word for word, name in words.items() if name not in found and not word[0].isdigit()]
    return any(re.search(rf"(?<!\w){re.escape(bare(word))}(?!\w)", part) for word in left)


def shape(space: LabelSpace) -> str:
    """One dimension is a number, several are a vector."""
    return "number" if len(space.names) == 1 else "vector"


def alone(value: Mapping[str, float | None], space: LabelSpace) -> Any:
    """The number of the only dimension, or those of several."""
    given = {name: number for name, number in value.items() if number is not None}  # Arrow fills in missing names
    return given.get(space.names[0]) if len(space.names) == 1 else given


def means(golds: Sequence[Mapping[str, float]], space: LabelSpace) -> dict[str, float]:
    """The mean of each dimension over the items that have it."""
    columns = {name: [gold[name] for gold in golds if gold.get(name) is not None] for name in space.names}
    return {name: rounded(math.fsum(column) / len(column)) for name, column in columns.items() if column}


def drawn(golds: Sequence[Mapping[str, float]], space: LabelSpace, draw: Random) -> dict[str, float]:
    """Numbers drawn uniformly within the bounds."""
    return {name: rounded(draw.uniform(*bounds(space))) for name in means(golds, space)}


def mirrored(gold: Mapping[str, float | None], space: LabelSpace, draw: Random) -> dict[str, float]:
    """Numbers as far from the other end of the scale; one near its middle goes to an end."""
    low, high = bounds(space)
    end = draw.choice((low, high))
    given = {name: number for name, number in gold.items() if number is not None}
    turned = {name: rounded(low + high - number) for name, number in given.items()}
    return {name: turned[name] if abs(turned[name] - given[name]) >= (high - low) / 4 else end for name in given}


def nearness(answer: Any, gold: Mapping[str, float | None], space: LabelSpace) -> float:
    """``1 - |x - g| / (high - low)``, the mean over the dimensions; one that is missing counts 0."""
    if not isinstance(answer, Mapping):
        return 0.0
    wanted = {name: number for name, number in gold.items() if number is not None}
    low, high = bounds(space)
    near = [1 - abs(answer[name] - number) / (high - low) for name, number in wanted.items() if name in answer]
    return sum(near) / len(set(answer) | set(wanted))

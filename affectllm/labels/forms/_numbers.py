"""Functions shared by the forms whose answers are numbers by name."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from affectllm.labels.figures import figure, rounded
from affectllm.labels.form import OUTSIDE, Refused
from affectllm.labels.names import named, understood
from affectllm.labels.pictures import Scatter, of_dimension, scatter
from affectllm.labels.reading.numbers import read_number, read_numbers
from affectllm.labels.reading.text import bare, normalised
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def numbers(value: Mapping[str, float], space: LabelSpace) -> Any:
    """Return the annotated numbers in the order of the space, or why they cannot be asked."""
    low, high = bounds(space)
    values = {name: rounded(value[name]) for name in space.names if name in value}
    if not all(low <= number <= high for number in values.values()):  # false for NaN too
        return OUTSIDE
    return values or Refused("no_number")


def bounds(space: LabelSpace) -> tuple[float, float]:
    """Return the smallest and largest value of a dimension."""
    return space.bounds or (-math.inf, math.inf)


def say_numbers(gold: Mapping[str, float], space: LabelSpace, language: str, nothing: str) -> str:
    """Write ``name: number`` pairs; a single number stands without its name."""
    if len(space.names) == 1:
        return figure(next(iter(gold.values())))
    words = named(space.names, language)
    return ", ".join(f"{words[name]}: {figure(number)}" for name, number in gold.items())


def read_all(text: str, space: LabelSpace, language: str) -> Any:
    """Read the numbers of an answer, each within the bounds."""
    low, high = space.bounds or (0.0, 0.0)
    if len(space.names) == 1:
        reading = read_number(text, low, high)
        return reading if isinstance(reading, Unreadable) else {space.names[0]: reading}
    return by_name(text, space, language, low, high)


def by_name(text: str, space: LabelSpace, language: str, low: float, high: float) -> Any:
    """Read numbers by the names of the space, in English or ``language``; those that the answer gives."""
    names = {word: name for name, word in named(space.names, language).items()} | {name: name for name in space.names}
    words = names
    readings = read_numbers(text, tuple(words), low, high, every=False)
    incomplete = isinstance(readings, Unreadable) or {*map(names.get, readings)} != {*space.names}
    # Dimensions that are left out may not have been asked for, and other names for them are few.
    if incomplete and (isinstance(readings, Unreadable) or space.aliases or space.kind == "distribution"):
        # "Wut: 40" is a share of anger too, and "pleasure: 3" a number for valence.
        words = {**understood(space, language).aliases, **names}
        readings = read_numbers(text, tuple(words), low, high, every=False)
    if isinstance(readings, Unreadable):
        return readings
    if _named_without_number(text, names, {words[word] for word in readings}):
        return Unreadable("incomplete", text)
    by_name: dict[str, float] = {}
    for word, number in readings.items():
        if by_name.setdefault(words[word], number) != number:
            return Unreadable("ambiguous", text)
    return {name: by_name[name] for name in space.names if name in by_name}


def _named_without_number(text: str, words: Mapping[str, str], answered: set[str]) -> bool:
    """Whether the answer also speaks of a name for which it gives no number that can be read."""
    part = normalised(text)
    left = [word for word, name in words.items() if name not in answered and not word[0].isdigit()]
    return any(re.search(rf"(?<!\w){re.escape(bare(word))}(?!\w)", part) for word in left)


def shape(space: LabelSpace) -> str:
    """Return ``number`` for one dimension, ``vector`` for several."""
    return "number" if len(space.names) == 1 else "vector"


def alone(value: Mapping[str, float | None], space: LabelSpace) -> Any:
    """Return the number of the only dimension, or a mapping of several."""
    present = {name: number for name, number in value.items() if number is not None}  # Arrow fills in missing names
    return present.get(space.names[0]) if len(space.names) == 1 else present


def means(golds: Sequence[Mapping[str, float]], space: LabelSpace) -> dict[str, float]:
    """Return the mean of each dimension over the items that have it."""
    columns = {name: [gold[name] for gold in golds if gold.get(name) is not None] for name in space.names}
    return {name: rounded(math.fsum(column) / len(column)) for name, column in columns.items() if column}


def drawn(golds: Sequence[Mapping[str, float]], space: LabelSpace, draw: Random) -> dict[str, float]:
    """Draw numbers uniformly within the bounds."""
    return {name: rounded(draw.uniform(*bounds(space))) for name in means(golds, space)}


def mirrored(gold: Mapping[str, float | None], space: LabelSpace, draw: Random) -> dict[str, float]:
    """Mirror each number at the middle of the scale; one near the middle moves to an end."""
    low, high = bounds(space)
    end = draw.choice((low, high))
    present = {name: number for name, number in gold.items() if number is not None}
    turned = {name: rounded(low + high - number) for name, number in present.items()}
    return {name: turned[name] if abs(turned[name] - present[name]) >= (high - low) / 4 else end for name in present}


def nearness(answer: Any, gold: Mapping[str, float | None], space: LabelSpace) -> float:
    """Return ``1 - |x - g| / (high - low)``, the mean over the dimensions; one that is missing counts 0."""
    if not isinstance(answer, Mapping):
        return 0.0
    targets = {name: number for name, number in gold.items() if number is not None}
    low, high = bounds(space)
    near = [1 - abs(answer[name] - number) / (high - low) for name, number in targets.items() if name in answer]
    return sum(near) / len(set(answer) | set(targets))


def scattered(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Scatter]:
    """Yield right against given numbers of each dimension."""
    low, high = bounds(space)
    for name in space.names:
        if pairs := of_dimension(golds, readings, name):
            yield scatter(name, pairs, low, high)

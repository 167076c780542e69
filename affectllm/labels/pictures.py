"""Pictures of answers beside gold values: what a form can show, as plain data that a report draws by its ``kind``.

A form's ``pictures`` takes the gold values and the readings of a task (None where unreadable) and returns any of the
four: a scatter of numbers, pairs of bars, a matrix of counts, a table of rates. Whoever draws them knows these four
and no form.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

MOST_POINTS = 1_500
_GRID = 60  # cells of a side, where points are too many to be drawn one by one


@dataclass(frozen=True)
class Scatter:
    """Numbers, right against given.

    Args:
        title: what they are.
        low, high: ends of both axes.
        points: ``(right, given, how many items)``.
        unread: items without a number.
        note: a sentence more; empty for none.
    """

    kind: ClassVar[str] = "scatter"
    title: str
    low: float
    high: float
    points: tuple[tuple[float, float, int], ...]
    unread: int = 0
    note: str = ""


@dataclass(frozen=True)
class Bars:
    """How often (0..1, of the items) each name is right and is given.

    Args:
        title: what they are.
        rows: ``(name, right, given)``.
        note: a sentence more; empty for none.
    """

    kind: ClassVar[str] = "bars"
    title: str
    rows: tuple[tuple[str, float, float], ...]
    note: str = ""


@dataclass(frozen=True)
class Matrix:
    """Counts of right (rows) by given (columns).

    Args:
        title: what they are.
        rows, columns: their names; a column that is no row, such as ``unreadable``, comes last.
        counts: one list a row.
        note: a sentence more; empty for none.
    """

    kind: ClassVar[str] = "matrix"
    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Rates:
    """Shares (0..1, None where undefined) by part of the items.

    Args:
        title: what they are.
        columns: names of the shares.
        rows: ``(name, items, shares)``.
        note: a sentence more; empty for none.
    """

    kind: ClassVar[str] = "rates"
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, int, tuple[float | None, ...]], ...]
    note: str = ""


Picture = Scatter | Bars | Matrix | Rates
Pictures = Callable[[Sequence[Any], Sequence[Any], Any], Iterable[Picture]]


def to_json(picture: Picture) -> dict[str, Any]:
    """Return a picture as JSON types, with its kind."""
    return {"kind": picture.kind, **asdict(picture)}


def scatter(title: str, pairs: Sequence[tuple[float, float | None]], low: float, high: float) -> Scatter:
    """Return the scatter of (right, given) pairs; points beyond ``MOST_POINTS`` are joined on a grid."""
    counts = _counted(pairs, lambda value: value, MOST_POINTS)
    if counts is None:
        step = (high - low) / _GRID
        counts = _counted(pairs, lambda value: low + step * round((value - low) / step)) or {}
    points = tuple((round(x, 4), round(y, 4), count) for (x, y), count in sorted(counts.items()))
    return Scatter(title, low, high, points, unread=len(pairs) - sum(counts.values()))


def _counted(
    pairs: Iterable[tuple[float, float | None]], place: Callable[[float], float], most: float = math.inf
) -> dict[tuple[float, float], int] | None:
    """Count the places of the pairs that have both numbers; None where there are more than ``most`` places."""
    counts = dict[tuple[float, float], int]()
    for right, given in pairs:
        if given is not None:
            point = place(right), place(given)
            counts[point] = counts.get(point, 0) + 1
            if len(counts) > most:
                return None
    return counts


def bars_of_names(
    title: str, golds: Iterable[Iterable[str]], answers: Iterable[Iterable[str]], names: Sequence[str]
) -> Bars:
    """Return how often each name holds and is given; of no names, of the twelve that occur most often."""
    right, given, items = Counter[str](), Counter[str](), 0
    for gold, answer in zip(golds, answers, strict=True):
        right.update(set(gold))
        given.update(set(answer))
        items += 1
    shown = list(names) or [name for name, _ in right.most_common(12)]
    total = items or 1
    return Bars(title, tuple((name, right[name] / total, given[name] / total) for name in shown))


def matrix(
    title: str, pairs: Sequence[tuple[Hashable, Hashable | None]], order: Sequence[Hashable], last: str
) -> Matrix:
    """Return the counts of pairs (right, given) by the values of ``order``; anything else is in the column ``last``."""
    counts = Counter((right, given if given in order else None) for right, given in pairs)
    rows = tuple(tuple(counts[right, given] for given in (*order, None)) for right in order)
    names = tuple(str(name) for name in order)
    return Matrix(title, names, (*names, last), rows)


def share(part: float, whole: float) -> float | None:
    """Return ``part / whole``, None of nothing."""
    return part / whole if whole else None


def given_rates(
    title: str, golds: Sequence[Iterable[Hashable]], answers: Sequence[Iterable[Hashable]], names: Sequence[Hashable]
) -> Rates:
    """Return precision, recall and F1 of each name; ``names`` in the order of the rows."""
    right, given, both = Counter[Hashable](), Counter[Hashable](), Counter[Hashable]()
    for gold, answer in zip(map(set, golds), map(set, answers), strict=True):
        right.update(gold)
        given.update(answer)
        both.update(gold & answer)
    rows = []
    for name in names:
        f1 = share(2 * both[name], right[name] + given[name])
        rows.append((str(name), right[name], (share(both[name], given[name]), share(both[name], right[name]), f1)))
    return Rates(title, ("precision", "recall", "F1"), tuple(rows))


def of_dimension(golds: Sequence[Any], readings: Sequence[Any], name: str) -> list[tuple[float, float | None]]:
    """Return (right, given) numbers of one dimension, of the items that have it."""
    both = zip(golds, readings, strict=True)
    numbers = ((gold.get(name), one.get(name) if isinstance(one, Mapping) else None) for gold, one in both)
    return [(right, given) for right, given in numbers if right is not None]

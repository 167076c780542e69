"""Columns of the index of examples: each value is written once, and rows hold its number."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from affectllm.report.display import annotation

_LONGEST = 160  # characters of a value in the index; the row's own file has all of it


class Column:
    """One value of every example, such as its speaker; None where it is not known.

    Args:
        title: what the values are called.
        most: distinct values from which on the column is given up, since nobody chooses among so many.
    """

    def __init__(self, title: str, most: int | None = None) -> None:
        self.title, self._most = title, most
        self._numbers: dict[str, int] = {}
        self._rows = array("i")
        self.given_up = False

    def add(self, value: str | None) -> None:
        """Append the value of the next example."""
        if self.given_up:
            return
        number = -1 if value is None else self._numbers.setdefault(value, len(self._numbers))
        if self._most is not None and len(self._numbers) > self._most:
            self.given_up, self._numbers, self._rows = True, {}, array("i")
        else:
            self._rows.append(number)

    def fill(self, size: int) -> None:
        """Append None until there are ``size`` values: the column was met late."""
        while not self.given_up and len(self._rows) < size:
            self._rows.append(-1)

    @property
    def telling(self) -> bool:
        """Whether examples differ in it."""
        missing = -1 in self._rows
        return not self.given_up and len(self._numbers) + missing > 1

    def to_json(self) -> dict[str, Any]:
        """Return the values in order of their numbers, and the number of each row: -1 where there is none."""
        return {"title": self.title, "values": list(self._numbers), "rows": self._rows.tolist()}


class Answered:
    """Right or given answers: how each is written, and which labels are in it.

    Args:
        labels: of the task, as its confusion matrix and its table of classes name them.
        slot: of several, the one that these tables are of; empty where there is one.
    """

    def __init__(self, labels: Sequence[str], slot: str = "") -> None:
        self._numbers_of_labels = {label: number for number, label in enumerate(labels)}
        self._slot = slot
        self._numbers: dict[str, int] = {}
        self._labels: list[list[int]] = []
        self._parts: list[dict[str, str]] = []
        self._rows = array("i")

    def add(self, value: Any) -> None:
        """Append the answer of the next example, None where it could not be read."""
        if value is None:
            self._rows.append(-1)
            return
        text = annotation(value)
        if text not in self._numbers:
            self._numbers[text] = len(self._numbers)
            self._labels.append([self._numbers_of_labels[one] for one in self._in(value)])
            self._parts.append(dict(parts_of_answer(value)))
        self._rows.append(self._numbers[text])

    @property
    def names(self) -> frozenset[str]:
        """Names of the parts of all answers."""
        return frozenset(name for own in self._parts for name in own)

    def _in(self, value: Any) -> Iterable[str]:
        own = value.get(self._slot) if self._slot and isinstance(value, Mapping) else value
        named = [own] if isinstance(own, str) else own if isinstance(own, list) else []
        return [one for one in named if isinstance(one, str) and one in self._numbers_of_labels]

    def to_json(self) -> dict[str, Any]:
        """Return the texts, labels and parts of each answer, and the number of the answer of each row, or -1.

        Parts are the values by name of an answer that has several, such as the level of each dimension; None where
        no answer has any.
        """
        values = [shortened(text) for text in self._numbers]
        parts = [list(map(list, own.items())) for own in self._parts] if any(self._parts) else None
        return {"values": values, "labels": self._labels, "parts": parts, "rows": self._rows.tolist()}


def slot_of(gold: Any, labels: Sequence[str]) -> str:
    """Return the slot of a gold value that ``labels`` are of; empty where it has no slots."""
    if not isinstance(gold, Mapping):
        return ""
    names = set(labels)
    for slot, value in gold.items():
        several = value if isinstance(value, list) else [value]
        if all(isinstance(one, str) and one in names for one in several):
            return str(slot)
    return ""


def parts_of_answer(value: Any) -> Iterator[tuple[str, str]]:
    """Yield name and value of each part of an answer, also of those within its slots; numbers as they are counted."""
    for name, part in value.items() if isinstance(value, Mapping) else ():
        if isinstance(part, Mapping):
            yield from parts_of_answer(part)
        elif isinstance(part, int | float):
            yield str(name), str(int(part) if float(part).is_integer() else part)
        elif isinstance(part, str) and len(part) <= _LONGEST:
            yield str(name), part


def shortened(text: str) -> str:
    """Return a text in one line of the index; what is cut off ends with an ellipsis."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

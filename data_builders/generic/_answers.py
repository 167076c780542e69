"""Read the answer that a row of a user's own table gives in a label space. Not a corpus."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from affectllm.data_builders.generic._page import Label

from affectllm.corpus import Rejection
from affectllm.corpus.records.rows import Record
from affectllm.corpus.tables import number
from affectllm.errors import Malformed
from affectllm.labels import Annotation
from affectllm.labels.annotation import Value
from affectllm.labels.space import LETTERS


class _Unknown(Exception):
    """A value that is no answer in the space; says which."""


def answer(label: Label, row: Record, identifier: str) -> Annotation | Rejection | None:
    """Return the annotation of a row; None where its cells are empty, a rejection where they hold something unknown."""
    try:
        value = _of_columns(label, row) if label.columns else _value(label, row.fields.get(label.column or ""))
    except _Unknown as error:
        return Rejection(identifier, "unknown_label", row.where, f"{label.space.name}: {error}"[:120])
    return None if value is None else Annotation(label.space.name, label.rater, value)


def _value(label: Label, cell: Any) -> Value | None:
    if cell is None or cell == "" or (isinstance(cell, str) and not cell.strip()):
        return None
    kind = label.space.kind
    if kind == "open":
        return str(cell).strip()
    if kind == "category":
        return _name(label, str(cell))
    if kind == "spans":
        return _checked(label, tuple(_listed(cell, label.separator)))
    if kind == "options":
        options = cell if isinstance(cell, dict) else _object(cell)
        return _options(label, options.get("options"), options.get("right"))
    if kind == "set":
        words = cell if isinstance(cell, list) else str(cell).split(label.separator)
        labels = {_name(label, str(word)) for word in words if str(word).strip()}
        return tuple(name for name in label.space.names if name in labels)
    if kind == "dimension":
        return {label.space.names[0]: _number(label, cell)}
    weights = cell if isinstance(cell, dict) else _object(cell)
    return {_name(label, word): _number(label, weight) for word, weight in weights.items() if weight is not None}


def _name(label: Label, word: str) -> str:
    name = label.space.resolve(word)
    if name is None:
        raise _Unknown(repr(word))
    return name


def _number(label: Label, cell: Any) -> float:
    low, high = label.space.bounds or (0.0, float("inf"))
    parsed = number(cell, low, high)
    if parsed is None:
        raise _Unknown(f"{cell!r} is no number from {low} to {high}")
    return parsed


def _object(cell: Any) -> Mapping[str, Any]:
    try:
        parsed = json.loads(str(cell))
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise _Unknown(f"{cell!r} is no object of label and weight")
    return parsed


def _of_columns(label: Label, row: Record) -> Value | None:
    if label.space.kind != "options":
        return _numbers(label, row)
    cells = {name: row.fields.get(column) for name, column in label.columns.items()}
    return _options(label, cells["options"], cells["right"]) if all(cells.values()) else None


def _options(label: Label, options: Any, right: Any) -> Value:
    """Return the options of a row and those that are right: as texts, or by the letters A, B, … of their order."""
    offered = tuple(str(one).strip() for one in _listed(options, label.separator))
    named = [str(one).strip() for one in (_listed(right, label.separator) if label.space.several else [right])]
    chosen = [one if one in offered else _lettered(one, offered) for one in named]
    return _checked(label, {"options": offered, "right": tuple(chosen)})


def _lettered(word: str, offered: Sequence[str]) -> str:
    place = LETTERS.find(word.upper()) if len(word) == 1 else -1
    if not 0 <= place < len(offered):
        raise _Unknown(f"{word!r} is none of the options")
    return offered[place]


def _listed(cell: Any, separator: str) -> list[Any]:
    """Parse a list: a list value, JSON, or texts between separators."""
    if isinstance(cell, list):
        return cell
    text = str(cell or "").strip()
    try:
        parsed = json.loads(text) if text.startswith("[") else None
    except ValueError:
        parsed = None
    return parsed if isinstance(parsed, list) else [part for part in text.split(separator) if part.strip()]


def _checked(label: Label, value: Value) -> Value:
    try:
        label.space.check(value)
    except Malformed as error:
        raise _Unknown(error.what) from error
    return value


def _numbers(label: Label, row: Record) -> Value | None:
    """Return the answer from one column per label: numbers, or 1 and 0 for a set."""
    cells = {name: row.fields.get(column) for name, column in label.columns.items()}
    scores = {name: _number(label, cell) for name, cell in cells.items() if cell not in (None, "")}
    if not scores:
        return None
    return tuple(name for name in label.space.names if scores.get(name)) if label.space.kind == "set" else scores

"""Convert the cells of a table to the values that metrics take."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from affectllm.metrics.core.label_sets import parse_labels
from affectllm.metrics.core.value_forms import missing

_NAN = frozenset(("nan", "<na>", "nat"))
# How programs write that a value is missing. "None" and "NA" may be labels, but no numbers.
_WRITTEN_MISSING = {"label": _NAN, "set": _NAN, "number": _NAN | {"na", "n/a", "none", "null"}}
_WHOLE = re.compile(r"-?\d+\.0")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def to_value(form: str, cell: Any, *, gold: bool) -> Any:
    """Convert a cell to a value of ``form``: text of a CSV file is parsed, typed values of other formats are kept.

    Raises:
        ValueError: when it cannot be one (``json.JSONDecodeError`` is one).
    """
    if form == "raw":
        return cell
    if missing(cell) or (isinstance(cell, str) and cell.strip().lower() in _WRITTEN_MISSING.get(form, ())):
        # An empty cell is the empty set or the empty span among gold values, and no answer among predictions.
        return {"set": (), "scores": (), "span": ""}.get(form) if gold else ("" if form == "span" else None)
    return (_GOLD if gold else _PREDICTED).get(form, _as_it_is)(cell)


def _as_it_is(cell: Any) -> Any:
    return cell


def _label(cell: Any) -> Any:
    # 3 and 3.0 are one class: Parquet and pandas make numbers of class ids as soon as one is missing.
    if isinstance(cell, str):
        return cell.strip().removesuffix(".0") if _WHOLE.fullmatch(cell.strip()) else cell
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else cell


def _labels(cell: Any) -> Any:
    """Read a list, a JSON array, labels with separators, or a mapping of labels to 1 (it holds) and 0."""
    if isinstance(cell, Mapping):
        return [name for name, holds in cell.items() if _holds(name, holds)]
    if not isinstance(cell, str):
        return [_label(item) for item in (cell if isinstance(cell, (list, tuple, set, frozenset)) else [cell])]
    return parse_labels(cell)


def _holds(name: str, cell: Any) -> bool:
    if cell not in (0, 1):
        raise ValueError(f"column {name} holds {cell!r}, neither 0 nor 1")
    return bool(cell)


def _span(cell: Any) -> Any:
    """Take the first of several answers, which is the best one; also where they are under ``text``, as in SQuAD."""
    several = cell.get("text", ()) if isinstance(cell, Mapping) else cell
    return next(iter(several), "") if isinstance(several, (list, tuple)) else several


def _number(cell: Any) -> Any:
    if isinstance(cell, str):
        text = cell.strip().rstrip("\xa0 ")
        return float(text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text)
    return cell


def _json(cell: Any) -> Any:
    return json.loads(cell) if isinstance(cell, str) else cell


def _references(cell: Any) -> Any:
    if isinstance(cell, str) and cell.startswith('["'):
        return json.loads(cell)
    return cell


_MAPPINGS = ("vector", "distribution", "ratings", "sequence", "probability", "scores")
_SHARED: dict[str, Callable[[Any], Any]] = {"label": _label, "set": _labels, "number": _number, "span": _span}
_GOLD = {**_SHARED, **dict.fromkeys(_MAPPINGS, _json), "scores": _labels, "probability": _label, "ranked": _label}
_GOLD |= {"text": _references, "pairs": _json}
_PREDICTED = {**_SHARED, **dict.fromkeys(_MAPPINGS, _json), "ranked": _labels, "pairs": _json}

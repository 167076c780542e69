"""What people say of generated clips: opinion scores and paired choices, with effects of raters and items."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

from affectllm.corpus import Rejection
from affectllm.corpus.records.rows import Record, read_rows
from affectllm.errors import Malformed
from affectllm.metrics import METRICS

_SAME = "same"


def opinion(table: Path) -> dict[str, Any]:
    """Return system → mean opinion score; the effect of a rater is fitted over all systems together.

    Raises:
        Malformed: when a column is missing, a score is no number, or a rater is there twice for an item.
    """
    by_system: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in _rows(table, ("system", "item", "rater", "score")):
        system, item, rater = (str(row.fields[name]) for name in ("system", "item", "rater"))
        _refuse_second(rater in by_system[system][item], rater, row)
        by_system[system][item][rater] = _score(row)
    adjusted = _without_raters(by_system)
    return {
        system: METRICS["mos"](list(items.values()), clusters=list(items)).to_json()
        for system, items in adjusted.items()
    }


def _without_raters(by_system: Any) -> dict[str, dict[str, dict[str, float]]]:
    """Return all ratings less their rater's effect, which is fitted over all systems at once."""
    import numpy as np

    from affectllm.metrics.raters.reliability import additive

    keys = [(s, i, r) for s, items in by_system.items() for i, own in items.items() for r in own]
    items = {key: number for number, key in enumerate(dict.fromkeys((s, i) for s, i, _ in keys))}
    raters = {rater: number for number, rater in enumerate(dict.fromkeys(r for *_, r in keys))}
    scores = np.array([by_system[s][i][r] for s, i, r in keys])
    places = np.array([items[s, i] for s, i, _ in keys]), np.array([raters[r] for *_, r in keys])
    _, effects, _ = additive(*places, scores, len(items), len(raters))
    result: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for (s, i, r), score in zip(keys, scores, strict=True):
        result[s][i][r] = float(score - effects[raters[r]])
    return result


def preferences(table: Path) -> dict[str, Any]:
    """Return "first over second" → the share of choices for the first, ties halved, with rater and item effects.

    The order in which two systems are named in a row does not matter.

    Raises:
        Malformed: when a column is missing, a choice is neither of the two systems nor ``same``, or a rater is there
            twice for a pair and an item.
    """
    pairs: dict[tuple[str, str], dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in _rows(table, ("first", "second", "item", "rater", "preferred")):
        names = [str(row.fields[name]) for name in ("first", "second")]
        preferred = str(row.fields["preferred"])
        if preferred not in (*names, _SAME) or names[0] == names[1]:
            do = f"write {names[0]}, {names[1]} or {_SAME}"
            raise Malformed(f"{preferred!r} is none of the two systems", where=row.where, do=do)
        first, second = sorted(names)
        share = 0.5 if preferred == _SAME else float(preferred == first)
        said, rater = pairs[first, second][str(row.fields["item"])], str(row.fields["rater"])
        _refuse_second(rater in said, rater, row)
        said[rater] = share
    return {
        f"{first} over {second}": METRICS["mos"](list(items.values()), clusters=list(items)).to_json()
        for (first, second), items in sorted(pairs.items())
    }


def _refuse_second(there: bool, rater: str, row: Record) -> None:
    if there:
        message = f"{rater} has rated this item before"
        raise Malformed(message, where=row.where, do="leave one of the two ratings, or name the second another rater")


def _rows(table: Path, columns: tuple[str, ...]) -> list[Record]:
    rows = []
    for row in read_rows(table, table.parent):
        if isinstance(row, Rejection):
            raise Malformed(f"a row cannot be read: {row.detail}", where=row.where, do="correct it")
        if absent := [name for name in columns if row.fields.get(name) in (None, "")]:
            raise Malformed(f"the row has no {absent[0]}", where=row.where, do=f"the columns are {', '.join(columns)}")
        rows.append(row)
    if not rows:
        raise Malformed("the table has no row", where=str(table), do="give ratings")
    return rows


def _score(row: Record) -> float:
    try:
        score = float(row.fields["score"])
    except (TypeError, ValueError, OverflowError):
        score = math.nan
    if not math.isfinite(score):
        raise Malformed(f"{row.fields['score']!r} is no score", where=row.where, do="write a number")
    return score

"""Turn the pictures of a task's answers, as ``details.json`` holds them, into what the page's templates draw."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.errors import Malformed
from affectllm.report.charts import Tick, ticks
from affectllm.report.runfolder import RunData
from affectllm.report.views import SERIES, Cell

View = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """The pictures of one run: each has ``kind``, ``slot``, ``title`` and what its template draws."""

    run: str
    series: int
    pictures: tuple[View, ...]


def pictures_of(runs: Sequence[RunData], task: str) -> list[Shown]:
    """Return the pictures of each run; runs of versions that had none are left out.

    Raises:
        Malformed: when a picture is of no kind that can be drawn.
    """
    shown = []
    for index, run in enumerate(runs):
        if run.evaluation and (stored := run.evaluation.details.get(task, {}).get("pictures")):
            where = str(run.evaluation.folder / "details.json")
            shown.append(Shown(run.name, index % SERIES, tuple(_drawn(one, where) for one in stored)))
    return shown


def _drawn(picture: View, where: str) -> View:
    kind = picture.get("kind")
    if kind not in _GEOMETRY:
        message = f"a picture is of the kind {str(kind)[:40]!r}"
        raise Malformed(message, where=where, do="run the evaluation again, or update affectllm")
    try:
        return {**picture, **_GEOMETRY[kind](picture)}
    except (KeyError, TypeError, ValueError) as error:
        message = f"the picture {str(picture.get('title'))[:40]!r} cannot be drawn: {error}"
        raise Malformed(message, where=where, do="run the evaluation again") from error


def _scatter(picture: View) -> View:
    low, high = float(picture["low"]), float(picture["high"])
    marks = [mark for mark in ticks(low, high, 4) if low <= mark <= high]
    dots = []
    for right, given, count in picture["points"]:
        x, y = (100 * (min(max(value, low), high) - low) / (high - low) for value in (right, given))
        text = f"right {right:g}, given {given:g}" + (f", {count} items" if count > 1 else "")
        dots.append((round(x, 2), round(100 - y, 2), round(min(1.1 * math.sqrt(count), 4.5), 2), text))
    return {"ticks": [Tick(round(100 * (m - low) / (high - low), 2), f"{m:g}") for m in marks], "dots": dots}


def _bars(picture: View) -> View:
    return {"most": max([0.01, *(max(right, given) for _, right, given in picture["rows"])])}


def _matrix(picture: View) -> View:
    cells = []
    for name, counts in zip(picture["rows"], picture["counts"], strict=True):
        total = sum(counts) or 1
        cells.append((name, [Cell(count, round(100 * count / total, 1)) for count in counts]))
    return {"cells": [(name, row) for name, row in cells if any(cell.count for cell in row)] and cells}


def _rates(picture: View) -> View:
    return {"rows": [tuple(row) for row in picture["rows"]]}


_GEOMETRY: dict[Any, Callable[[View], View]] = {
    "scatter": _scatter,
    "bars": _bars,
    "matrix": _matrix,
    "rates": _rates,
}

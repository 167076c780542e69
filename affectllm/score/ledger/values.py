"""Compute the value of a check with the readers and metrics of ``affectllm score``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed
from affectllm.metrics.core.metric import Metric, find_metric
from affectllm.metrics.core.result import Result
from affectllm.score import columns
from affectllm.score.answers import STRICT, read_answers
from affectllm.score.files import Table
from affectllm.score.ledger.page import Check, Values
from affectllm.score.ledger.tables import PLACE, Column, Source, taken


@dataclass(frozen=True)
class Computed:
    """A value, how many items it is of, and reason → how many were left out or unreadable."""

    value: float
    n: int
    left_out: Counter[str]


@dataclass
class _Pairs:
    """What a metric is given: gold values and answers of the same items, and its options."""

    gold: list[Any] | None
    answers: list[Any] | None
    options: dict[str, Any]
    left_out: Counter[str]


def computed(check: Check, sources: Mapping[str, Source], wheels: Path | None) -> Computed:
    """Compute a check.

    Args:
        sources: its tables by name.
        wheels: folder of the emotion wheel tables, for metrics that need them.

    Raises:
        NotFound: when a column is not there.
        Malformed: when a cell is not what the metric takes; names file and line where there is one.
    """
    rejected: Counter[str] = Counter()
    for name in check.tables:
        rejected += sources[name].rejected
    if check.count:
        counted = taken(check.count, sources[check.count.table].table)
        return Computed(float(len(counted.table)), len(counted.table), rejected + counted.rejected)
    if check.mean:
        return _mean(taken(check.mean, sources[check.mean.table].table).filled(), rejected)
    metric = find_metric(check.metric)
    pairs = _pairs(check, metric, sources, wheels)
    result = metric(pairs.gold, pairs.answers, invalid=check.invalid, controls=False, resamples=1, **pairs.options)
    return Computed(_part(result, check.part), result.n, rejected + pairs.left_out)


def _part(result: Result, path: str) -> float:
    name, *keys = path.split(".")
    try:
        part: Any = getattr(result, name)
        for key in keys:
            part = part[key]
        number = float(part)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        known = ", ".join(f"details.{one}" for one in result.details)
        raise Malformed(f"{result.metric} has no number called {path!r}", do=f"it has value, {known}") from error
    if not math.isfinite(number):
        raise Malformed(f"{result.metric} is not defined for these values", do="check how the page reads them")
    return number


def _mean(column: Column, rejected: Counter[str]) -> Computed:
    numbers = []
    for row, cell in enumerate(column.table.columns[column.column]):
        number = _number(cell)
        if not math.isfinite(number):
            raise Malformed(f"{cell!r} is no number", where=column.table.place(row), do="check the file")
        numbers.append(number)
    return Computed(math.fsum(numbers) / len(numbers), len(numbers), rejected + column.rejected)


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _pairs(check: Check, metric: Metric, sources: Mapping[str, Source], wheels: Path | None) -> _Pairs:
    options: dict[str, Any] = dict(check.options)
    options |= {"labels": check.labels} if check.labels and "labels" in metric.options else {}
    options |= {"compat": check.compat} if check.compat else {}
    options |= {"tables": _wheel_tables(check, wheels)} if check.wheels else {}
    pairs = _Pairs(None, None, options, Counter())
    if by_place := _by_place(check):
        _same_length(check, sources)
    gold = _side(check.gold, metric, sources, pairs, by_place, raw=False, gold=True) if check.gold else None
    if check.answers and check.answers.constant is not None and gold:
        pairs.gold = list(gold.values.values())
        pairs.answers = [check.answers.constant] * len(pairs.gold)
        return pairs
    raw = check.read is not None
    answers = _side(check.answers, metric, sources, pairs, by_place, raw=raw, gold=False) if check.answers else None
    if gold and answers:
        _join(check, metric, gold, answers, pairs, sources)
        return pairs
    pairs.gold = list(gold.values.values()) if gold else None
    pairs.answers = list(answers.values.values()) if answers else None
    return pairs


def _by_place(check: Check) -> bool:
    """Whether gold values and answers have no ids, so that rows correspond."""
    sides = (check.gold, check.answers)
    return all(side is not None and side.table and side.id is None for side in sides)


def _same_length(check: Check, sources: Mapping[str, Source]) -> None:
    """Refuse sides whose rows cannot correspond: a row that one of them lacks would shift all that follow."""
    assert check.gold and check.answers
    first, second = (taken(side, sources[side.table].table) for side in (check.gold, check.answers))
    if first.among != second.among:
        message = f"rows correspond, and there are {second.among:,} answers to {first.among:,} gold values"
        where = str(sources[check.answers.table].table.path)
        raise Malformed(message, where=where, do="check that the files are complete, or name a column with id:")


def _side(
    values: Values,
    metric: Metric,
    sources: Mapping[str, Source],
    pairs: _Pairs,
    by_place: bool,
    *,
    raw: bool,
    gold: bool,
) -> columns.Side:
    column = taken(values, sources[values.table].table, answers=not gold).filled()
    pairs.left_out += column.rejected
    ids = PLACE if by_place else None if values.id is None else columns.id_column(column.table, values.id)
    return columns.side(column.table, metric, ids, column.column, gold=gold, raw=raw)


def _join(
    check: Check,
    metric: Metric,
    gold: columns.Side,
    answers: columns.Side,
    pairs: _Pairs,
    sources: Mapping[str, Source],
) -> None:
    """Match answers with gold values, and read those that are texts."""
    ids, left_out = columns.joined(gold, answers, partial=True, extra=True)
    truth = [gold.values[gold.rows[name]] for name in ids]
    given = [answers.values[answers.rows[name]] for name in ids]
    for name, values in check.columns.items():
        pairs.options[name] = _per_item(values, sources, ids)
    if check.read is not None:
        bounds = check.options.get("bounds")
        given, unread = read_answers(check.read, metric.form.name, given, truth, check.labels, bounds)
        left_out |= unread
        if check.read != STRICT:
            pairs.options.pop("labels", None)  # a published reader may answer with what is no label at all
    pairs.gold, pairs.answers = truth, given
    pairs.left_out += Counter({reason: int(count) for reason, count in left_out.items()})


def _per_item(values: Values, sources: Mapping[str, Source], ids: Sequence[str]) -> list[Any]:
    column = taken(values, sources[values.table].table)
    cells = column.table.columns[column.column]
    names = _ids(values, column.table) or [str(place) for place in column.table.columns[PLACE]]
    if twice := next((name for name, count in Counter(names).items() if count > 1), ""):
        where = column.table.place(len(names) - 1 - names[::-1].index(twice))
        raise Malformed(f"the id {twice!r} occurs twice", where=where, do="keep one of the rows")
    by_name = dict(zip(names, cells, strict=True))
    if missing := [name for name in ids if name not in by_name]:
        message = f"{len(missing):,} items are missing in it, such as {missing[0]!r}"
        raise Malformed(message, where=str(column.table.path), do="check that the file is complete")
    return [by_name[name] for name in ids]


def _ids(values: Values, table: Table) -> list[str]:
    if values.id is None:
        return []
    if values.id not in table.columns:
        raise columns.no_column(table, values.id)
    return [str(cell) for cell in table.columns[values.id]]


def _wheel_tables(check: Check, wheels: Path | None) -> Any:
    from affectllm.metrics.wheels import read_tables

    assert wheels is not None  # told to be missing before
    return read_tables(wheels, check.wheels)

"""Choose the columns of ids and values, and match predictions to gold values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.errors import Malformed, NotFound
from affectllm.labels.reading.tags import without_markup
from affectllm.metrics.core.metric import Metric
from affectllm.metrics.core.table_values import to_value
from affectllm.metrics.core.value_forms import missing
from affectllm.score.files import Table
from affectllm.score.npz import ABSENT

_IDS = (
    *("id", "ids", "name", "names", "filename", "filenames", "file_name", "key", "video_name", "utt_id", "qid", "uid"),
    "doc_id",
)
_GOLD = (
    *("gold", "label", "labels", "emotion", "emo", "discrete", "openset", "reference", "val", "valence", "answer"),
    *("answers", "target"),
)
_NUMBERS = ("gold", "val", "valence")  # first where a number is wanted: labels of MER hold an emotion and a valence
_LM_EVAL = "filtered_resps"
_PREDICTED = (
    *("prediction", "predicted", "pred", "predict", "fileitems", "reply", "response", "openset", "answer"),
    *("name2reason", _LM_EVAL),
)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
_WHOLE = re.compile(r"(-?\d+)\.0")
# Forms that may lie in one column per name; a set, as the columns of 0 and 1 in which SemEval-2018 publishes E-c.
_SEVERAL = ("vector", "distribution", "ratings", "probability", "scores", "set")


@dataclass(frozen=True)
class Side:
    """The values of one file by id, in the file's order.

    Args:
        table: where they come from.
        rows: id → row number; row numbers stand for ids where the table has none.
        values: row number → value.
        ids: the column of ids, or several with commas between; None where there is none.
    """

    table: Table
    rows: Mapping[str, int]
    values: Mapping[int, Any]
    ids: str | None


def id_column(table: Table, asked: str | None) -> str | None:
    """Return the column of ids: the one asked for, else the first with a usual name; None where there is none.

    Several columns with commas between make an id together, such as MELD's ``Dialogue_ID,Utterance_ID``.

    Raises:
        NotFound: when the one asked for is not there.
    """
    if asked is not None:
        if set(_parts(table, asked)) <= set(table.columns):
            return asked
        # Published predictions have one name for it, "filenames", and published labels call the same thing "name".
        if "filenames" in table.columns or (asked == "filenames" and "name" in table.columns):
            return "filenames" if "filenames" in table.columns else "name"
        raise no_column(table, asked)
    usual = {name.lower(): name for name in reversed(list(table.columns))}
    return next((usual[name] for name in _IDS if name in usual), None)


def _parts(table: Table, column: str | None) -> list[str]:
    if column is None:
        return []
    return [column] if column in table.columns else column.split(",")


def shared_ids(gold: Table, predicted: Table, values: Sequence[str]) -> str | None:
    """Return a shared column, or all of them, whose values identify the same items in both tables, each once.

    Args:
        values: the columns of the values, which identify nothing.

    Raises:
        Malformed: when there is none, and a column holds the same in both tables, but in another order: then to match
            the tables row by row would score answers to other items.
    """
    value_parts = {part for table in (gold, predicted) for column in values for part in _parts(table, column)}
    names = [name for name in gold.columns if name in predicted.columns and name not in value_parts and "," not in name]
    for chosen in [*([name] for name in names), names]:
        one, other = (list(_joined(table, chosen)) for table in (gold, predicted))
        if chosen and len(set(one)) == len(one) == len(other) and set(one) == set(other):
            return ",".join(chosen)
    for name in names:
        one, other = (list(_joined(table, [name])) for table in (gold, predicted))
        if one != other and sorted(one) == sorted(other):
            message = f"the items have no id, and column {name!r} is in another order than in {gold.path}"
            raise Malformed(message, where=str(predicted.path), do="name the columns that name an item: --id A,B")
    return None


def _joined(table: Table, names: Sequence[str]) -> Iterator[str]:
    return (",".join(map(_name, cells)) for cells in zip(*(table.columns[name] for name in names), strict=True))


def value_column(table: Table, asked: str | None, metric: Metric, *, gold: bool, ids: str | None) -> str:
    """Return the column of values: the one asked for, else the only one, else the first with a usual name.

    Of MERTools' corpora it is ``val`` for metrics of numbers and ``emo`` for others.

    Raises:
        NotFound: when the one asked for is not there, or none can be chosen; the message lists the columns.
    """
    key = "val" if metric.gold_is_number else "emo"
    if asked is not None:
        return _resolved(table, asked, metric.form.name, key)
    free = [name for name in table.columns if name not in _parts(table, ids)]
    if len(free) == 1:
        return free[0]
    usual = {name.lower(): name for name in reversed(free)}
    first = _NUMBERS if metric.gold_is_number else ()
    for name in (*first, *_GOLD) if gold else _PREDICTED:
        if name in usual:
            return usual[name]
    if any(name.endswith(f"_corpus.{key}") for name in free):
        return _resolved(table, key, metric.form.name, key)
    flag = "--gold-column" if gold else "--pred-column"
    raise NotFound(
        f"which column holds the values? {', '.join(free)}", where=str(table.path), do=f"name it with {flag}"
    )


def _resolved(table: Table, asked: str, form: str, key: str) -> str:
    """Find a column by name, or one of MERTools' corpora by the name of the corpus or of the key."""
    if asked in table.columns or (form in _SEVERAL and all(name in table.columns for name in asked.split(","))):
        return asked
    if f"{asked}.{key}" in table.columns:
        return f"{asked}.{key}"
    ending = [name for name in table.columns if name.endswith(f".{asked}")]
    testing = [name for name in ending if name.startswith("test")]
    for candidates in (testing, ending):
        if len(candidates) == 1:
            return candidates[0]
    if ending:
        raise NotFound(f"{asked!r} is in several corpora: {', '.join(ending)}", where=str(table.path), do="name one")
    raise no_column(table, asked)


def no_column(table: Table, asked: str) -> NotFound:
    """Return the error for a column that a table lacks, with the names nearest to it."""
    near = difflib.get_close_matches(asked, table.columns, n=3) or list(table.columns)
    return NotFound(f"there is no column {asked!r}", where=str(table.path), do=f"it has {', '.join(near)}")


def side(table: Table, metric: Metric, ids: str | None, column: str, *, gold: bool, raw: bool = False) -> Side:
    """Return the values of one side by id.

    Args:
        raw: keep cells as they are, for compat modes that parse on their own and for texts that are read later.

    Raises:
        Malformed: when an id is missing or occurs twice, or a cell is not of the metric's form; names file and line.
    """
    cells = _cells(table, column)
    if metric.form.name == "number":
        _check_commas(table, cells)
    form = "raw" if raw else metric.form.name
    rows = [row for row, cell in enumerate(cells) if cell is not ABSENT]
    values = {row: _value(table, row, form, cells[row], gold) for row in rows}
    return Side(table, _ids(table, ids, rows), values, ids)


def _check_commas(table: Table, cells: Sequence[Any]) -> None:
    """Refuse a column whose commas may all be those of thousands: "1,000" is 1 where the comma is the decimal sign."""
    commas = {row: cell.strip() for row, cell in enumerate(cells) if isinstance(cell, str) and "," in cell}
    grouped = [row for row, cell in commas.items() if _GROUPED.fullmatch(cell)]
    if grouped and len(grouped) == len(commas):
        message = f"{commas[grouped[0]]!r} may be thousands or a decimal comma"
        do = "write the numbers without separators of thousands, with a decimal point"
        raise Malformed(message, where=table.place(grouped[0]), do=do)


def matched(table: Table, items: Sequence[str]) -> list[Any]:
    """Return the values of ``items`` from a table of ids and one value each.

    Raises:
        NotFound: when it has no ids, or several columns of values.
        Malformed: when it lacks an item.
    """
    ids = id_column(table, None)
    free = [name for name in table.columns if name != ids]
    if ids is None or len(free) != 1:
        do = "give a table with a column called id or name, and one more"
        raise NotFound(f"which columns are meant? {', '.join(table.columns)}", where=str(table.path), do=do)
    rows = _ids(table, ids, range(len(table)))
    lacking = [item for item in items if item not in rows]
    if lacking:
        raise Malformed(
            f"it lacks {len(lacking)} items, such as {_some(lacking)}", where=str(table.path), do="add them"
        )
    return [table.columns[free[0]][rows[item]] for item in items]


def _cells(table: Table, column: str) -> Sequence[Any]:
    if column in table.columns:
        cells = table.columns[column]
        # lm-eval keeps one reply a filter and item, as a list of one.
        return [cell[0] if _is_one(cell) else cell for cell in cells] if column == _LM_EVAL else cells
    names = column.split(",")
    return [{name: _weight(table, row, name) for name in names} for row in range(len(table))]


def _is_one(cell: Any) -> bool:
    return isinstance(cell, (list, tuple)) and len(cell) == 1


def _weight(table: Table, row: int, name: str) -> Any:
    cell = table.columns[name][row]
    if missing(cell):
        return None
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return cell  # a label, as raters may give


def _value(table: Table, row: int, form: str, cell: Any, gold: bool) -> Any:
    try:
        # What a chat template puts around a value is no part of it; replies that are read later keep their reasoning.
        plain = without_markup(cell) if isinstance(cell, str) and form != "raw" else cell
        return to_value(form, plain, gold=gold)
    except ValueError as error:
        quoted = repr(cell) if len(repr(cell)) < 80 else repr(cell)[:77] + "…"
        raise Malformed(f"{quoted} is no {form}: {error}", where=table.place(row), do="correct the cell") from error


def _ids(table: Table, column: str | None, rows: Sequence[int]) -> dict[str, int]:
    if column is None:
        return {str(row): row for row in rows}
    row_of: dict[str, int] = {}
    for row in rows:
        cells = [table.columns[part][row] for part in _parts(table, column)]
        if any(map(missing, cells)):
            raise Malformed(f"no id in column {column!r}", where=table.place(row), do="every row needs one")
        name = ",".join(map(_name, cells))
        if name in row_of:
            message = f"the id {name!r} occurs twice, first at {table.place(row_of[name])}"
            do = "keep one of the two rows, or name the columns that tell them apart: --id A,B"
            raise Malformed(message, where=table.place(row), do=do)
        row_of[name] = row
    return row_of


def _name(cell: Any) -> str:
    # 3 and 3.0 are one id: tables make numbers of ids, and fractions as soon as one is missing.
    if isinstance(cell, str):
        return _WHOLE.sub(r"\1", cell.strip()) if _WHOLE.fullmatch(cell.strip()) else cell.strip()
    return str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)


def joined(gold: Side, predicted: Side, *, partial: bool, extra: bool) -> tuple[list[str], dict[str, float]]:
    """Return the ids that are scored, in gold's order, and the counts of what was left out.

    Args:
        partial: leave out gold items without a prediction, and predictions without a gold item.
        extra: leave out predictions without a gold item.

    Raises:
        Malformed: when an id has no partner and must have one; says how many, and names some. When one side only has
            ids: to match its ids with the other's row numbers would score answers to other items.
    """
    if (gold.ids is None) != (predicted.ids is None):
        lacks, has = (gold, predicted) if gold.ids is None else (predicted, gold)
        message = f"no column of ids, but {has.table.path} has {has.ids!r}"
        raise Malformed(message, where=str(lacks.table.path), do="add it, or name the column: --id, --pred-id")
    lacking = [name for name in gold.rows if name not in predicted.rows]
    surplus = [name for name in predicted.rows if name not in gold.rows]
    if lacking and (not partial or len(lacking) == len(gold.rows)):
        message = f"{len(lacking):,} of {len(gold.rows):,} gold items have no prediction, such as {_some(lacking)}"
        message += f" of {gold.table.path}"
        raise Malformed(
            message, where=str(predicted.table.path), do="add them, name the ids with --id, or pass --partial"
        )
    if surplus and not (partial or extra):
        message = f"{len(surplus):,} predictions have no gold item, such as {_some(surplus)} of {predicted.table.path}"
        raise Malformed(message, where=str(gold.table.path), do="remove them, or pass --partial")
    left_out = {"items_without_prediction": len(lacking), "predictions_without_item": len(surplus)}
    return [name for name in gold.rows if name in predicted.rows], {k: float(v) for k, v in left_out.items() if v}


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:3]))

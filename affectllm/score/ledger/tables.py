"""Read the tables of a page: files through the reader of ``affectllm score``, corpora through their builders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus.builder import load_builder
from affectllm.corpus.records.json_reading import read_json
from affectllm.corpus.sample import Rejection, Sample
from affectllm.errors import Malformed, NotFound
from affectllm.labels.annotation import plain
from affectllm.run import file_digest
from affectllm.score.columns import no_column
from affectllm.score.files import Table, read_table
from affectllm.score.ledger.page import TableSource, Values
from affectllm.score.npz import ABSENT
from affectllm.score.sizes import check_file

VALUE, VOTE = "value", "vote"
PLACE = "place among the rows taken"
"""Column that ``taken`` adds: by it rows correspond where they have no ids, whatever else is left out of a side."""


@dataclass(frozen=True)
class Source:
    """A table that has been read.

    Args:
        table: its rows; empty where the builder of a corpus yields none.
        sha256: first digits of the file's hash; empty for a corpus.
        rejected: reason → samples of a corpus that are not used.
        rows: rows of the file, or samples, before votes are unfolded.
    """

    table: Table
    sha256: str
    rows: int
    rejected: Counter[str] = field(default_factory=Counter)

    def other_than(self, source: TableSource) -> str:
        """Return in what it is another file than the page names; empty where it is that one."""
        if source.sha256 and not self.sha256.startswith(source.sha256[:16]):
            return f"another file than the page's: its hash begins with {self.sha256}, not {source.sha256[:16]}"
        if source.rows is not None and source.rows != self.rows:
            return f"another file than the page's: {self.rows:,} rows, not {source.rows:,}"
        return ""


@dataclass(frozen=True)
class Column:
    """The rows of a table that a side takes, with what was left out.

    Args:
        table: the rows; what ``pattern`` and ``map`` made of the column is in ``column``.
        column: where the values are.
        rejected: reason → rows whose cell could not be used.
        among: how many rows ``where`` and ``matching`` take.
    """

    table: Table
    column: str
    rejected: Counter[str]
    among: int = 0

    def filled(self) -> Column:
        """Return it, where it has a row.

        Raises:
            Malformed: where it has none.
        """
        if len(self.table):
            return self
        reasons = ", ".join(f"{count:,} × {reason}" for reason, count in self.rejected.most_common(3))
        message = f"no row of the table is left ({reasons or 'where: and matching: fit none'})"
        raise Malformed(message, where=str(self.table.path), do=f"check how the page reads {self.column}")


def read_source(source: TableSource, folder: Path) -> Source:
    """Read a table of a page.

    Args:
        folder: its root.

    Raises:
        NotFound: when the file is not there.
        Malformed: when it cannot be read; names file and line.
    """
    if source.corpus:
        return _samples(source, folder)
    path = folder / source.path
    options: dict[str, Any] = {"header": source.header, "encoding": source.encoding, "sheet": source.sheet}
    options["allow_pickle"] = source.pickle
    table = _member(path, source.member) if source.member else read_table(path, **options)
    sha256 = file_digest(path) if path.is_file() else ""
    return Source(_votes(table, source.votes) if source.votes else table, sha256, len(table))


def _member(path: Path, names: str) -> Table:
    """Read one list or object inside a JSON object."""
    check_file(path)
    value: Any = {}
    for item in read_json(path, path.parent):
        if isinstance(item, Rejection):
            raise Malformed(item.detail, where=f"{path}:{item.where.rpartition(':')[2]}", do="check the file")
        value[item.key] = item.value
    for name in names.split("/"):
        if not isinstance(value, Mapping) or name not in value:
            known = ", ".join(map(str, value))[:200] if isinstance(value, Mapping) else "no members"
            raise NotFound(f"there is no {names!r} in it", where=str(path), do=f"above {name!r} it has {known}")
        value = value[name]
    if isinstance(value, Mapping):
        return Table(path, {"id": list(value), VALUE: list(value.values())}, [])
    if isinstance(value, list):
        return Table(path, {VALUE: value}, [])
    raise Malformed(f"{names!r} is neither a list nor an object", where=str(path), do="check the page")


def _samples(source: TableSource, root: Path) -> Source:
    rejected: Counter[str] = Counter()
    kind = load_builder(source.corpus).CARD.space(source.space).kind
    records: list[dict[str, Any]] = []
    for item in load_builder(source.corpus).samples(root):
        if isinstance(item, Rejection):
            rejected[item.reason] += 1
        elif not source.split or item.split == source.split:
            annotation = item.annotation(source.space, source.rater)
            reason = "no_annotation" if annotation is None else "tie" if kind == "category" and annotation.tied else ""
            if reason:
                rejected[reason] += 1
            else:
                records.append(_record(item, annotation and annotation.value))
    names = dict.fromkeys([*_FACTS, *(name for record in records for name in record)])
    columns = {name: [record.get(name) for record in records] for name in names}
    return Source(Table(root, columns, []), "", len(records), rejected)


_FACTS = ("id", VALUE, "split", "speaker", "dialogue")
"""Columns that the table of every corpus has, besides the attributes of its samples."""


def _record(sample: Sample, value: Any) -> dict[str, Any]:
    facts = (sample.id, plain(value), sample.split, sample.speaker, sample.dialogue)
    return {**sample.attributes, **dict(zip(_FACTS, facts, strict=True))}


def _votes(table: Table, votes: Mapping[str, str]) -> Table:
    """Unfold counts: a row with two votes for joy and one for fear becomes three rows."""
    for column in votes:
        if column not in table.columns:
            raise no_column(table, column)
    rows: list[int] = []
    labels: list[str] = []
    for row in range(len(table)):
        for column, label in votes.items():
            count = _count(table, row, column)
            rows += [row] * count
            labels += [label] * count
    columns = {name: [cells[row] for row in rows] for name, cells in table.columns.items()}
    return Table(table.path, {**columns, VOTE: labels}, [table.lines[row] for row in rows] if table.lines else [])


def _count(table: Table, row: int, column: str) -> int:
    cell = table.columns[column][row]
    if isinstance(cell, str) and cell.strip().isdecimal():
        return int(cell)
    if isinstance(cell, (int, float)) and cell >= 0 and cell == cell // 1:
        return int(cell)
    raise Malformed(f"{cell!r} in column {column} is no number of votes", where=table.place(row), do="check the file")


def taken(values: Values, table: Table, *, answers: bool = False) -> Column:
    """Return the rows and the column that a side takes, which may be none.

    Args:
        answers: keep rows whose cell cannot be read, without a value: an answer that nobody understands is one.

    Raises:
        NotFound: when a column is not there.
    """
    rows = _rows(values, table)
    column = _named(values, table) if values.column else ""
    if not values.reads:
        return Column(_subset(table, rows, {PLACE: [*map(str, range(len(rows)))]}), column, Counter(), len(rows))
    rejected: Counter[str] = Counter()
    kept: list[int] = []
    places: list[str] = []
    cells: list[str | None] = []
    for place, row in enumerate(rows):
        if table.columns[column][row] is ABSENT:  # an item of another corpus in the same archive
            continue
        cell, reason = _read(_word(table.columns[column][row]), values)
        if reason:
            rejected[f"unreadable_{reason}" if answers else reason] += 1
        if answers or not reason:
            kept.append(row)
            places.append(str(place))
            cells.append(None if reason else cell)
    name = f"{column} as read"
    return Column(_subset(table, kept, {name: cells, PLACE: places}), name, rejected, len(rows))


def _rows(values: Values, table: Table) -> list[int]:
    rows = range(len(table))
    for column in (*values.where, *values.matching):
        if column not in table.columns:
            raise no_column(table, column)
    exact = {name: _words(value) for name, value in values.where.items()}
    patterns = {name: re.compile(text) for name, text in values.matching.items()}
    return [
        row
        for row in rows
        if all(_word(table.columns[name][row]) in words for name, words in exact.items())
        and all(pattern.fullmatch(_word(table.columns[name][row])) for name, pattern in patterns.items())
    ]


def _words(value: Any) -> set[str]:
    return {_word(one) for one in value} if isinstance(value, list) else {_word(value)}


def _word(value: Any) -> str:
    """Return a value of YAML or of a cell as it is written in a table of text: 3.0 as 3, true in lower case."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _named(values: Values, table: Table) -> str:
    """Return the column, or several with commas between."""
    if values.column == "*":
        ids = set((values.id or "").split(","))
        return ",".join(name for name in table.columns if name not in ids)
    whole = values.reads or values.column in table.columns
    for name in [values.column] if whole else values.column.split(","):
        if name not in table.columns:
            raise no_column(table, name)
    return values.column


def _read(cell: str, values: Values) -> tuple[str, str]:
    """Return the value of a cell, or the reason for which it has none."""
    if values.pattern:
        match = re.search(values.pattern, cell)
        if match is None:
            return "", "no_match"
        cell = match[1]
    if values.map:
        if cell not in values.map:
            return "", f"not_in_map:{cell[:20]}"
        cell = values.map[cell]
    return _banded(cell, values.bands) if values.bands else (cell, "")


def _banded(cell: str, bands: Mapping[str, Sequence[float]]) -> tuple[str, str]:
    try:
        number = float(cell)
    except (ValueError, OverflowError):
        return "", "no_number"
    label = next((name for name, (low, high) in bands.items() if low <= number <= high), "")
    return label, "" if label else "in_no_band"


def _subset(table: Table, rows: Sequence[int], more: Mapping[str, Sequence[Any]]) -> Table:
    added: dict[str, list[Any]] = {name: [*cells] for name, cells in more.items()}
    if len(rows) == len(table):
        return Table(table.path, {**table.columns, **added}, table.lines)
    columns = {name: [cells[row] for row in rows] for name, cells in table.columns.items()}
    return Table(table.path, {**columns, **added}, [table.lines[row] for row in rows] if table.lines else [])


def absent(source: TableSource, folder: Path) -> NotFound | None:
    """Return the error for a file that is not below its root; None where it is, and for corpora."""
    if source.corpus or (folder / source.path).exists():
        return None
    return NotFound(f"there is no file {folder / source.path}", do=f"give the folder of {source.path}")

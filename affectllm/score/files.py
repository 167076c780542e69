"""Read tables of gold values and predictions in the formats in use.

What ``corpus.rows`` reads (CSV, TSV, xlsx, JSON in many forms, Parquet, ``save_to_disk``), RECCON's and SQuAD's nested
questions, EQ-Bench 3's runs, and NumPy's npz in three published shapes: equally long arrays, ``filenames`` with
``fileitems``, and MERTools' corpora (name → values); also one npy matrix, folders of one npy file an item, and zip
files of these.
"""

from __future__ import annotations

import codecs
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.corpus.files.packed import inner_suffix
from affectllm.corpus.records.columnar import is_saved, parquet_size, splits_of
from affectllm.corpus.records.rows import FORMATS, SEPARATED, Reading, Record, is_table, read_rows
from affectllm.corpus.sample import Rejection
from affectllm.errors import Malformed, NotFound
from affectllm.score.npz import read_npy, read_npy_items, read_npz
from affectllm.score.role_plays import TASKS, role_plays
from affectllm.score.sizes import Budget, check_file, check_size

_LINED = (*SEPARATED, ".jsonl", ".ndjson", ".json")


@dataclass(frozen=True)
class Table:
    """Equally long columns.

    Args:
        path: the file, for error messages.
        columns: name → values, in the file's order; strings where the format knows nothing else.
        lines: the line on which each row begins; empty where the format has none.
    """

    path: Path
    columns: Mapping[str, list[Any]]
    lines: list[int]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def place(self, row: int) -> str:
        """``file:line`` of a row (``file, row N`` where the format has no lines)."""
        return self.places((row,))(0)

    def places(self, rows: Iterable[int]) -> Callable[[int], str]:
        """``place`` of the first, second … of some rows; what is returned keeps their numbers and no cell."""
        path, lined = self.path, bool(self.lines)
        numbers = array("q", (self.lines[row] if lined else row + 1 for row in rows))
        return lambda which: f"{path}:{numbers[which]}" if lined else f"{path}, row {numbers[which]}"


def read_table(
    path: Path, *, header: bool = True, encoding: str | None = None, sheet: str = "", allow_pickle: bool = False
) -> Table:
    """Read the table in ``path``; its format follows from the ending of its name.

    Args:
        header: whether the first row of a text table or sheet names the columns; else they are called ``1``, ``2`` …
        encoding: of text files that have no mark and are not UTF-8.
        sheet: of a workbook that has several.
        allow_pickle: whether arrays of objects in an npz file may be read.

    Raises:
        NotFound: when there is no such file or encoding.
        Malformed: when it is not what its name says, names the line; when it is larger than ``score.sizes`` allows.
    """
    if not path.exists():
        raise NotFound(f"there is no file {path}", do="check the path")
    check_file(path)
    if path.suffix.lower() == ".npz":
        table = Table(path, read_npz(path, allow_pickle), [])
    elif path.suffix.lower() == ".npy" and path.is_file():
        table = Table(path, read_npy(path), [])
    elif not is_table(path) and (path.is_dir() or path.suffix.lower() == ".zip"):
        return Table(path, read_npy_items(path), [])
    elif not is_table(path):
        message = f"{path.suffix or 'no ending'} is no format of tables"
        raise Malformed(
            message,
            where=str(path),
            do=f"{' '.join(FORMATS)} .npz .npy; text also as .csv.gz, .bz2, .xz or .zip",
        )
    else:
        table = _rows(path, Reading(header, "", _checked_encoding(encoding), sheet, key="id"))
    if not len(table):
        raise Malformed("the table has no rows", where=str(path), do="check that the file is complete")
    return table


def _checked_encoding(encoding: str | None) -> str:
    try:
        return codecs.lookup(encoding or "utf-8").name
    except LookupError as error:
        raise NotFound(f"there is no encoding {encoding!r}", do="name one that Python knows, such as utf-16") from error


def _rows(path: Path, how: Reading) -> Table:
    if is_saved(path) and (splits := splits_of(path)):
        message = f"a data set of several splits: {', '.join(splits)}"
        raise Malformed(message, where=str(path), do=f"give the folder of one, such as {path / splits[0]}")
    if path.suffix.lower() == ".parquet":
        check_size(path, *parquet_size(path))
    budget, records = Budget(path), []
    for row in read_rows(path, path.parent, how):
        if isinstance(row, Rejection):
            raise _refused(path, row, how)
        budget.spend(row.fields)
        if any(cell not in ("", None) for cell in row.fields.values()):  # spreadsheets leave rows of nothing behind
            records.append(row)
    if records and "qas" in records[0].fields:
        return _questions(path, records)
    if records and TASKS in records[0].fields:
        return Table(path, role_plays(path, records), [])
    names = dict.fromkeys(name for record in records for name in record.fields)
    columns = {name: [record.fields.get(name) for record in records] for name in names}
    return Table(path, _without_blank(columns), _lines(path, records))


def _refused(path: Path, row: Rejection, how: Reading) -> Malformed:
    line = row.where.rpartition(":")[2]
    where = f"{path}:{line}" if line.isdecimal() else str(path)
    if row.reason == "bad_encoding" and "surrogate" not in row.detail:
        message = f"not {how.encoding}: {row.detail}"
        do = "name the encoding, such as latin-1 or utf-16: by --encoding, or in a page by encoding:"
        return Malformed(message, where=where, do=do)
    do = "check quoting and separators" if inner_suffix(path) in SEPARATED else "write one object a line, or a list"
    return Malformed(row.detail or row.reason, where=where, do=do)


def _lines(path: Path, records: list[Record]) -> list[int]:
    numbers = [record.where.rpartition(":")[2] for record in records]
    numbered = inner_suffix(path) in _LINED and all(line.isdecimal() for line in numbers)
    return [int(line) for line in numbers] if numbered else []


def _without_blank(columns: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Drop columns without a name and without values, which spreadsheet programs leave behind."""
    return {
        name: cells
        for place, (name, cells) in enumerate(columns.items(), 1)
        if name != f"column {place}" or any(cell not in ("", None) for cell in cells)
    }


def _questions(path: Path, records: list[Record]) -> Table:
    from affectllm.metrics.texts.cause import squad_items

    items = squad_items([dict(record.fields) for record in records])
    return Table(path, {"id": [name for name, _ in items], "answer": [answer for _, answer in items]}, [])

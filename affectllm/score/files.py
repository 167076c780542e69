"""Tables of gold values and predictions, in the formats in which people keep them.

CSV, TSV, JSON Lines, JSON (a list of records, or RECCON's and SQuAD's nested questions), Parquet and NumPy's npz in
three published shapes: equally long arrays, ``filenames`` with ``fileitems``, and MERTools' corpora (name → values);
also folders of one npy file an item, and zip files of these.
"""

from __future__ import annotations

import codecs
import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed, NotFound
from affectllm.score.npz import read_npy_items, read_npz


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
        return f"{self.path}:{self.lines[row]}" if self.lines else f"{self.path}, row {row + 1}"


def read_table(path: Path, *, header: bool = True, encoding: str = "utf-8-sig", allow_pickle: bool = False) -> Table:
    """The table in ``path``; its format follows from the ending of its name.

    Args:
        header: whether the first row of a CSV or TSV file names the columns; else they are called ``1``, ``2`` …
        encoding: of text files.
        allow_pickle: whether arrays of objects in an npz file may be read.

    Raises:
        NotFound: when there is no such file or encoding.
        Malformed: when it is not what its name says; names the line.
    """
    if not path.exists():
        raise NotFound(f"there is no file {path}", do="check the path")
    if path.is_dir() or path.suffix.lower() == ".zip":
        return Table(path, read_npy_items(path), [])
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise NotFound(f"there is no encoding {encoding!r}", do="name one that Python knows, such as utf-16") from error
    readers: dict[str, Callable[[], Table]] = {
        ".csv": lambda: _separated(path, ",", header, encoding),
        ".tsv": lambda: _separated(path, "\t", header, encoding),
        ".txt": lambda: _separated(path, "\t", header, encoding),
        ".jsonl": lambda: _json_lines(path, encoding),
        ".json": lambda: _json(path, encoding),
        ".parquet": lambda: _parquet(path),
        ".npz": lambda: _npz(path, allow_pickle),
    }
    if path.suffix.lower() not in readers:
        raise Malformed(f"{path.suffix or 'no ending'} is no format of tables", where=str(path), do=" ".join(readers))
    try:
        table = readers[path.suffix.lower()]()
    except UnicodeDecodeError as error:
        told = f"byte {error.start} is not {encoding.removesuffix('-sig')}"
        raise Malformed(told, where=str(path), do="name the encoding, such as --encoding latin-1 or utf-16") from error
    if not len(table):
        raise Malformed("the table has no rows", where=str(path), do="check that the file is complete")
    return table


def _separated(path: Path, delimiter: str, header: bool, encoding: str) -> Table:
    csv.field_size_limit(sys.maxsize)  # answers may be long
    with path.open(encoding=encoding, newline="") as file:
        content = list(_without_nulls(file))
    if delimiter == "\t":
        rows, lines = _tabbed(content)
    else:
        # Spreadsheets of some countries write semicolons into CSV files.
        found = max(",;\t", key=content[0].count) if header and content else delimiter
        rows, lines = _numbered(csv.reader(content, delimiter=found))
    if not rows:
        return Table(path, {}, [])
    names = [name.strip() for name in rows[0]] if header else [str(column + 1) for column in range(len(rows[0]))]
    body, begins = (rows[1:], lines[1:]) if header else (rows, lines)
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise Malformed(f"two columns are called {doubled[0]!r}", where=f"{path}:{lines[0]}", do="rename one")
    for row, line in zip(body, begins, strict=True):
        if len(row) != len(names):
            told = f"{len(row)} cells, where the first row has {len(names)}"
            raise Malformed(told, where=f"{path}:{line}", do="check quoting and separators")
    return Table(path, {name: [row[column] for row in body] for column, name in enumerate(names)}, begins)


def _tabbed(content: list[str]) -> tuple[list[list[str]], list[int]]:
    """Rows of a tab-separated file: corpora do not quote, and their texts hold lone quotation marks; programs quote.

    A file is quoted where its first row is, or where only so its rows are equally long; but a tab within a cell shows
    that two lone quotation marks have swallowed what lies between them. In a file that is not quoted, a cell with
    doubled quotation marks inside of others is what pandas makes of a cell with quotation marks.
    """
    rows, lines = _numbered(csv.reader(content, delimiter="\t", quoting=csv.QUOTE_NONE))
    if rows and (all(cell[:1] == cell[-1:] == '"' for cell in rows[0]) or len(set(map(len, rows))) > 1):
        quoted, begins = _numbered(csv.reader(content, delimiter="\t"))
        if len(set(map(len, quoted))) == 1 and not any("\t" in cell for row in quoted for cell in row):
            return quoted, begins
    return [[_unquoted(cell) for cell in row] for row in rows], lines


def _unquoted(cell: str) -> str:
    inside = cell[1:-1]
    if len(cell) > 3 and cell[0] == cell[-1] == '"' and '""' in inside and '"' not in inside.replace('""', ""):
        return inside.replace('""', '"')
    return cell


def _without_nulls(lines: Iterable[str]) -> Iterator[str]:
    return (line.replace("\0", "") for line in lines)


def _numbered(reader: Any) -> tuple[list[list[str]], list[int]]:
    rows, lines, begins = [], [], 1
    for row in reader:
        if row:  # a blank line is no row
            rows.append(row)
            lines.append(begins)
        begins = reader.line_num + 1
    return rows, lines


def _json_lines(path: Path, encoding: str) -> Table:
    records, lines = [], []
    with path.open(encoding=encoding) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                records.append(_parsed(line, f"{path}:{number}"))
                lines.append(number)
    return _from_records(path, records, lines)


def _json(path: Path, encoding: str) -> Table:
    content = _parsed(path.read_text(encoding=encoding), str(path))
    if isinstance(content, dict) and all(isinstance(value, dict) for value in content.values()):
        content = [{"id": name, **value} for name, value in content.items()]
    elif isinstance(content, dict) and all(map(_is_value, content.values())):
        content = [{"id": name, "value": value} for name, value in content.items()]
    if not isinstance(content, list):
        raise Malformed("neither a list of records nor a mapping of them", where=str(path), do="write JSON Lines")
    if content and isinstance(content[0], dict) and "qas" in content[0]:
        return _questions(path, content)
    return _from_records(path, content, [])


def _is_value(content: Any) -> bool:
    """Whether this is one value of a mapping from ids to values, as SQuAD's predictions are."""
    several = content if isinstance(content, list) else [content]
    return not any(isinstance(item, (dict, list)) for item in several)


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = f" (line {error.lineno})" if error.lineno > 1 else ""
        raise Malformed(f"not JSON: {error.msg} at column {error.colno}{line}", where=where, do="correct it") from error


def _from_records(path: Path, records: list[Any], lines: list[int]) -> Table:
    names: dict[str, None] = {}
    for row, record in enumerate(records):
        if not isinstance(record, dict):
            where = f"{path}:{lines[row]}" if lines else f"{path}, record {row + 1}"
            raise Malformed(f"{type(record).__name__}, not an object", where=where, do="write one object per row")
        names.update(dict.fromkeys(record))
    return Table(path, {name: [record.get(name) for record in records] for name in names}, lines)


def _questions(path: Path, content: list[dict[str, Any]]) -> Table:
    from affectllm.metrics.cause import squad_items

    items = squad_items(content)
    return Table(path, {"id": [name for name, _ in items], "answer": [answer for _, answer in items]}, [])


def _parquet(path: Path) -> Table:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except pyarrow.ArrowInvalid as error:
        raise Malformed(f"not Parquet: {error}", where=str(path), do="check that the file is complete") from error
    return Table(path, {name: table.column(name).to_pylist() for name in table.column_names}, [])


def _npz(path: Path, allow_pickle: bool) -> Table:
    return Table(path, read_npz(path, allow_pickle), [])

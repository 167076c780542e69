"""Read tables that users bring: the one reader behind ``generic`` and ``affectllm score``.

CSV, TSV, semicolons, Excel's "Unicode text", xlsx; JSON, JSON Lines (whatever they are called) and pandas' forms of
JSON; Parquet; folders of ``save_to_disk``; text files also packed. Each row keeps its place, and one that cannot be
read is a ``Rejection``: a builder counts it, a score refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from affectllm.corpus.files.packed import PACKED, inner_suffix
from affectllm.corpus.records.columnar import is_saved, read_parquet, read_saved
from affectllm.corpus.records.json_reading import read_json
from affectllm.corpus.records.json_tables import read_object
from affectllm.corpus.records.lines import is_lfs_pointer, own_encoding, read_lines, relative
from affectllm.corpus.records.separated import Records, likely_separator, named_separator
from affectllm.corpus.records.workbook import filled_sheets, numbered_rows
from affectllm.corpus.sample import Rejection
from affectllm.corpus.tables import header_names
from affectllm.errors import Malformed, NotFound

SEPARATED, JSON = (".csv", ".tsv", ".tab", ".txt"), (".json", ".jsonl", ".ndjson")
FORMATS = (*SEPARATED, *JSON, ".xlsx", ".xlsm", ".parquet")
"""Endings of tables; those of text may be followed by one of ``PACKED``."""


class Record(NamedTuple):
    """One row: its values by column, where it stands (``file:line``), and its number from 1."""

    fields: Mapping[str, Any]
    where: str
    number: int


@dataclass(frozen=True)
class Reading:
    """Options for reading a table.

    Args:
        header: True where the first row names the columns, False where they are called ``1``, ``2`` …, or their names.
        separator: of a text file; "" means that the header tells, else the ending.
        encoding: of a text file that does not tell its own; None means UTF-8, line by line else Windows-1252.
        sheet: of a workbook; "" means the only one.
        key: what the names of the members of a JSON object are called.
    """

    header: bool | Sequence[str] = True
    separator: str = ""
    encoding: str | None = None
    sheet: str = ""
    key: str = "key"


def is_table(path: Path) -> bool:
    """Whether this reader knows what is at ``path``, by the ending of its name or by what a folder holds."""
    if path.is_dir():
        return is_saved(path)
    return inner_suffix(path) in FORMATS


def read_rows(path: Path, root: Path, how: Reading | None = None) -> Iterator[Record | Rejection]:
    """Yield the rows of the table at ``path``, without blank lines.

    Raises:
        NotFound: when there is nothing at ``path``.
        Malformed: when it is not what its ending says, is a Git LFS pointer, has two columns of one name, or is a
            workbook of several sheets and none is named.
    """
    how = how or Reading()
    if not path.exists():
        raise NotFound(f"there is no file {relative(path, root)}", do="correct its name")
    if not path.is_file() and not path.is_dir():  # who opens a pipe waits for somebody to write into it
        raise Malformed("no regular file", where=relative(path, root), do="write the table to a file")
    if path.is_file() and is_lfs_pointer(path):
        message = "the file is a Git LFS pointer, not the file itself"
        raise Malformed(message, where=relative(path, root), do="run `git lfs pull`")
    number = 0
    for row in _reader(path, how)(path, root, how):
        if isinstance(row, Rejection):
            yield row
            continue
        number += 1
        yield Record(row[0], row[1], number)


_Rows = Iterator[tuple[Mapping[str, Any], str] | Rejection]


def _reader(path: Path, how: Reading) -> Callable[[Path, Path, Reading], _Rows]:
    if path.is_dir():
        return _saved
    suffix = inner_suffix(path)
    if suffix in SEPARATED:
        return _separated
    if suffix in JSON:
        return _json
    if path.suffix.lower() in PACKED:
        raise Malformed(f"{path.name} is packed", where=str(path), do="unpack it: only tables of text are read packed")
    readers = {".xlsx": _workbook, ".xlsm": _workbook, ".parquet": _parquet}
    if suffix not in readers:
        message = f"{path.suffix or 'no ending'} is no format of tables"
        raise Malformed(message, where=str(path), do=f"{' '.join(FORMATS)}; text also with {' '.join(PACKED)}")
    return readers[suffix]


def _separated(path: Path, root: Path, how: Reading) -> _Rows:
    lines = _without_zeros(read_lines(path, root, own_encoding(path, how.encoding)))
    separator, lines = _separator(path, lines, how)
    records = Records(lines, separator)
    first = records.first()
    if first is None:
        return
    yield from _named(first, records.rest, how, relative(path, root))


_Lines = Iterator[tuple[str, str] | Rejection]


def _without_zeros(lines: _Lines) -> _Lines:
    for line in lines:
        yield line if isinstance(line, Rejection) else (line[0], line[1].replace("\0", ""))


def _separator(path: Path, lines: _Lines, how: Reading) -> tuple[str, _Lines]:
    """Return the separator, and the lines without one that declares it."""
    first = next((line for line in lines if isinstance(line, Rejection) or line[1].strip()), None)
    if first is None:
        return ",", iter(())
    text = first.detail if isinstance(first, Rejection) else first[1]
    if named := named_separator(text):
        return how.separator or named, lines
    usual = "," if inner_suffix(path) == ".csv" else "\t"
    if how.separator:
        separator = how.separator
    elif usual in text and (usual == "\t" or how.header is not True):
        separator = usual  # sentences hold commas: only a header's can be counted
    else:
        separator = likely_separator(text, usual)
    return separator, chain([first], lines)


_Rest = Callable[[int, int | None], Iterator[tuple[str, list[str]] | Rejection]]


def _named(first: tuple[str, list[str]], rest: _Rest, how: Reading, name: str) -> _Rows:
    """Yield rows by column; columns at the end that have no name may be missing in a row."""
    names = _names(first[1], how, first[0])
    body: Iterator[tuple[str, list[str]] | Rejection] = rest(len(names), _least(first[1], how))
    if how.header is not True:
        body = chain([_fitted(first, len(names))], body)
    for record in body:
        if isinstance(record, Rejection):
            yield record
        else:
            yield dict(zip(names, record[1], strict=True)), record[0]


def _fitted(first: tuple[str, list[str]], width: int) -> tuple[str, list[str]] | Rejection:
    where, cells = first
    if len(cells) == width or (len(cells) > width and not any(map(str.strip, cells[width:]))):
        return where, cells[:width]
    return Rejection(where, "broken_row", where, f"{len(cells)} cells, where {width} columns are named")


def _names(cells: list[str], how: Reading, where: str) -> list[str]:
    if how.header is True:
        names = header_names(cells)
    elif how.header is False:
        names = [str(place) for place in range(1, len(cells) + 1)]
    else:
        names = list(how.header)
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise Malformed(f"two columns are called {doubled[0]!r}", where=where, do="rename one")
    return names


def _least(cells: list[str], how: Reading) -> int | None:
    """Return how many cells every row has: those up to the last column with a name."""
    if how.header is not True:
        return None
    return max((place for place, cell in enumerate(cells, 1) if cell.strip()), default=None)


def _workbook(path: Path, root: Path, how: Reading) -> _Rows:
    name = relative(path, root)
    sheets = filled_sheets(path)
    if not how.sheet and len(sheets) > 1:
        message = f"the workbook has several sheets with values: {', '.join(sheets)}"
        raise Malformed(message, where=name, do="name one (sheet: NAME, --sheet NAME), or save one as CSV")
    rows = numbered_rows(path, how.sheet or (sheets[0] if sheets else ""))
    first = next(rows, None)
    if first is None:
        return

    def rest(width: int, least: int | None) -> Iterator[tuple[str, list[str]] | Rejection]:
        for number, cells in rows:  # a row ends where its last value does
            record = (f"{name}:{number}", cells + [""] * (width - len(cells)))
            yield record if len(cells) <= width else _fitted(record, width)

    yield from _named((f"{name}:{first[0]}", first[1]), rest, how, name)


def _json(path: Path, root: Path, how: Reading) -> _Rows:
    items = read_json(path, root, own_encoding(path, how.encoding))
    first = next(items, None)
    if first is None:
        return
    everything = chain([first], items)
    members = not isinstance(first, Rejection) and first.key != ""
    yield from read_object(list(everything), relative(path, root), how.key) if members else _objects(everything)


def _objects(items: Iterator[Any]) -> _Rows:
    for item in items:
        if isinstance(item, Rejection):
            yield item
        elif isinstance(item.value, dict):
            yield item.value, item.where
        elif isinstance(item.value, list):  # pandas' "values": nothing but cells
            yield {str(place): cell for place, cell in enumerate(item.value, 1)}, item.where
        else:
            yield Rejection(item.where, "broken_row", item.where, f"{_kind(item.value)}, not an object of named values")


def _kind(value: Any) -> str:
    return {str: "text", bool: "true or false", type(None): "null"}.get(type(value), "a number")


def _parquet(path: Path, root: Path, how: Reading) -> _Rows:
    name = relative(path, root)
    yield from ((row, f"{name}:{number}") for number, row in enumerate(read_parquet(path), 1))


def _saved(path: Path, root: Path, how: Reading) -> _Rows:
    name = relative(path, root)
    if not is_saved(path):
        raise Malformed("a folder that is no saved data set", where=str(path), do="give the folder of save_to_disk")
    yield from ((row, f"{name}:{number}") for number, row in enumerate(read_saved(path), 1))

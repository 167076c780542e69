"""Read tables whose columns go by several names, and the numbers in them.

Re-uploads rename columns, add some, or write them in another case; a builder says which names it accepts for each fact.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus.reading import Row, read_csv
from affectllm.corpus.records.lines import read_lines, relative
from affectllm.corpus.records.separated import Records, unquoted
from affectllm.corpus.sample import Rejection
from affectllm.errors import Malformed

__all__ = ["header_names", "number", "plain_name", "read_table", "unquoted"]
_NOT_IN_NAMES = re.compile(r"[^0-9a-z]+")


def read_table(
    path: Path, root: Path, columns: Mapping[str, tuple[str, ...]], separator: str = ",", optional: tuple[str, ...] = ()
) -> Iterator[Row | Rejection]:
    """Yield rows of a table with a header; fields go under the keys of ``columns``, all others under their own name.

    Fields in quotes may hold separators and line breaks; where a line of a file with tabs fits as it stands, lone
    quotation marks in it are part of the text, because most releases with tabs do not quote.

    Args:
        columns: key → names that the header may give it; case, blanks and punctuation do not count.
        optional: keys that a release may lack.

    Raises:
        Malformed: when the header lacks one of ``columns`` that is not ``optional``.
    """
    names: dict[str, str] | None = None
    for row in read_csv(path, root, ()) if separator == "," else _raw_rows(path, root, separator):
        if isinstance(row, Rejection):
            yield row
            continue
        if names is None:
            names = _names(list(row.fields), columns, optional, relative(path, root))
        yield Row({names[name]: field for name, field in row.fields.items()}, row.where)
    if names is None:  # a table without a row still has to have the right header
        _names(_first_line(path, root, separator), columns, optional, relative(path, root))


def plain_name(name: str) -> str:
    """Return a column name without what re-uploads change: case, blanks, punctuation."""
    return _NOT_IN_NAMES.sub("", name.lower())


def _names(
    header: list[str], columns: Mapping[str, tuple[str, ...]], optional: tuple[str, ...], name: str
) -> dict[str, str]:
    keys: dict[str, str] = {}
    used_keys: set[str] = set()
    for key, accepted in columns.items():
        accepted_names = [plain_name(word) for word in (key, *accepted)]
        matches = [
            column for word in accepted_names for column in header if plain_name(column) == word and column not in keys
        ]
        if matches:
            keys[matches[0]] = key
            used_keys.add(key)
        elif key not in optional:
            raise Malformed(
                f"the header lacks {' or '.join((key, *accepted))}; it reads {' '.join(header)[:120]!r}",
                where=f"{name}:1",
                do="get the file again from the release; it may have been saved by another program",
            )
    others = {column: column if column not in used_keys else f"{column} (other)" for column in header}
    return {**others, **keys}


def _first_line(path: Path, root: Path, separator: str) -> list[str]:
    first = next(read_lines(path, root), None)
    return [] if first is None or isinstance(first, Rejection) else first[1].replace('"', "").split(separator)


def _raw_rows(path: Path, root: Path, separator: str) -> Iterator[Row | Rejection]:
    records = Records(read_lines(path, root), separator)
    first = records.first()
    header = header_names(first[1]) if first else []
    for record in records.rest(len(header)):
        if isinstance(record, Rejection):
            yield record
        elif any(record[1]):
            yield Row(dict(zip(header, record[1], strict=True)), record[0])


def header_names(cells: list[str]) -> list[str]:
    """Return the names of columns; one without a name is called by its position."""
    return [cell.strip() or f"column {number}" for number, cell in enumerate(cells, 1)]


def number(value: Any, low: float = -math.inf, high: float = math.inf) -> float | None:
    """Parse a number or a string that holds one; None when it is none, not finite, or not in [``low``, ``high``]."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return parsed if math.isfinite(parsed) and low <= parsed <= high else None

"""Tables whose columns go by several names, and the numbers in them.

Re-uploads rename columns, add some, or write them in another case; a builder says which names it accepts for each fact.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus.reading import Row, read_csv, read_delimited, read_lines, relative
from affectllm.corpus.sample import Rejection
from affectllm.errors import Malformed

_NOT_IN_NAMES = re.compile(r"[^0-9a-z]+")


def read_table(
    path: Path, root: Path, columns: Mapping[str, tuple[str, ...]], separator: str = ",", optional: tuple[str, ...] = ()
) -> Iterator[Row | Rejection]:
    """Rows of a table with a header; fields are found under the keys of ``columns``, all others under their own name.

    A comma separates quoted fields; every other separator is taken as it stands, because releases with tabs do not
    quote, except that a field wholly in quotes loses them.

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
    """A column name without what re-uploads change: case, blanks, punctuation."""
    return _NOT_IN_NAMES.sub("", name.lower())


def _names(
    header: list[str], columns: Mapping[str, tuple[str, ...]], optional: tuple[str, ...], name: str
) -> dict[str, str]:
    found: dict[str, str] = {}
    taken: set[str] = set()
    for key, accepted in columns.items():
        wanted = [plain_name(word) for word in (key, *accepted)]
        matches = [column for word in wanted for column in header if plain_name(column) == word and column not in found]
        if matches:
            found[matches[0]] = key
            taken.add(key)
        elif key not in optional:
            raise Malformed(
                f"the header lacks {' or '.join((key, *accepted))}; it reads {' '.join(header)[:120]!r}",
                where=f"{name}:1",
                do="get the file again from the release; it may have been saved by another program",
            )
    others = {column: column if column not in taken else f"{column} (other)" for column in header}
    return {**others, **found}


def _first_line(path: Path, root: Path, separator: str) -> list[str]:
    first = next(read_lines(path, root), None)
    return [] if first is None or isinstance(first, Rejection) else first[1].replace('"', "").split(separator)


def _raw_rows(path: Path, root: Path, separator: str) -> Iterator[Row | Rejection]:
    header: list[str] | None = None
    for line in read_delimited(path, root, separator, width=1):
        if isinstance(line, Rejection):
            yield line
            continue
        where, fields = line
        cells = [unquoted(field) for field in fields]
        if header is None:
            header = [cell.strip() or f"column {number}" for number, cell in enumerate(cells, 1)]
        elif len(cells) >= len(header) and not any(cells[len(header) :]):
            yield Row(dict(zip(header, cells, strict=False)), where)
        elif any(cells):
            yield Rejection(where, "broken_row", where, separator.join(fields)[:120])


def unquoted(field: str) -> str:
    """A field that a writer put into quotes, without them; any other as it stands."""
    inner = field[1:-1].replace('""', "")
    if len(field) > 1 and field[0] == field[-1] == '"' and '"' not in inner:
        return field[1:-1].replace('""', '"')
    return field


def number(value: Any, low: float = -math.inf, high: float = math.inf) -> float | None:
    """A number, also when a string holds it; None when it is none, not finite, or not between ``low`` and ``high``."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) and low <= found <= high else None

"""Read rows of a user's own corpus: a table in any form that ``corpus.rows`` reads, or class folders.

Not a corpus. A row is a mapping from column to value; values of text tables are strings, those of the others may be
numbers and lists. A folder of class folders gives the columns ``path``, ``class`` and ``split``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from affectllm.corpus import Rejection
from affectllm.corpus.files.links import inside_root
from affectllm.corpus.files.suffixes import MEDIA
from affectllm.corpus.reading import folders_below, inside, list_files, relative
from affectllm.corpus.records.rows import Reading, Record, is_table, read_rows
from affectllm.errors import Malformed, NotFound

DEEPEST = 7
"""Folders below the one of the page that are looked into, so that what lies too deep is counted."""


def read_own(base: Path, root: Path, source: str, how: Reading, page: str) -> Iterator[Record | Rejection]:
    """Yield the rows of the table or folder ``source``, which lies below ``base``.

    Raises:
        NotFound: when there is no such file or folder.
        Malformed: when it lies outside the corpus, is no table, or holds nothing.
    """
    path = base / source
    if not inside(source) or not inside_root(root, relative(path, root)):
        raise Malformed(f"{source!r} is absolute, or outside the corpus", where=page, do="name a path below the page")
    if not path.exists():
        raise NotFound(f"there is no {source!r}", where=page, do="name a file or folder beside the page")
    rows = _class_folders(path, base, root) if path.is_dir() and not is_table(path) else _table(path, root, how)
    first = next(rows, None)
    if first is None:
        contents = "no clips in it" if path.is_dir() else "no rows but the names of the columns, if these"
        raise Malformed(f"{source} has {contents}", where=page, do="check that it is complete")
    yield from chain([first], rows)


def _table(path: Path, root: Path, how: Reading) -> Iterator[Record | Rejection]:
    for row in read_rows(path, root, how):
        yield row if isinstance(row, Rejection) else row._replace(fields={k: _value(v) for k, v in row.fields.items()})


def _value(cell: Any) -> Any:
    return None if isinstance(cell, float) and cell != cell else cell  # NaN is how pandas writes an empty cell


def _class_folders(folder: Path, base: Path, root: Path) -> Iterator[Record | Rejection]:
    """Yield rows of ``{class}/clip.wav`` or ``{split}/{class}/clip.wav``; every other file in them is counted."""
    number = 0
    for place in folders_below(folder, DEEPEST):
        parts = place.relative_to(folder).parts
        for path in list_files(place):
            where, suffix = relative(path, root), path.suffix.lower()
            if suffix not in MEDIA:
                if parts:
                    yield Rejection(where, "unknown_name", where, f"{suffix or 'no ending'} is no clip and no picture")
            elif not parts:
                yield Rejection(where, "no_annotation", where, "not in a class folder")
            elif len(parts) > 2:
                yield Rejection(where, "unknown_name", where, "deeper than {split}/{class}/")
            else:
                number += 1
                split = parts[0] if len(parts) > 1 else ""
                row = {"path": relative(path, base), "class": parts[-1], "split": split}
                yield Record(row, where, number)

"""Rows of a corpus of one's own, whatever it is stored in: csv, tsv, json, json lines, Parquet, or class folders.

Not a corpus. A row is a mapping from column to value; values of csv are strings, those of the others may be numbers
and lists. A folder of class folders gives the columns ``path``, ``class`` and ``split``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from affectllm.corpus import Rejection
from affectllm.corpus.json_reading import read_json
from affectllm.corpus.reading import folders_below, inside, is_lfs_pointer, list_media, relative
from affectllm.corpus.tables import read_table
from affectllm.errors import Malformed, NotFound

MEDIA = (
    *(".wav", ".mp3", ".flac", ".m4a", ".ogg", ".mp4", ".avi", ".mkv", ".mov", ".webm"),
    *(".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif"),
)


class Record(NamedTuple):
    """One row, where it stands, and its number from 1."""

    fields: Mapping[str, Any]
    where: str
    number: int


def read_rows(base: Path, root: Path, source: str, separator: str, page: str) -> Iterator[Record | Rejection]:
    """The rows of the table or folder ``source``, which lies below ``base``.

    Raises:
        NotFound: when there is no such file or folder.
        Malformed: when it lies outside the corpus, or its suffix is unknown.
    """
    path = base / source
    if not inside(source) or not path.resolve().is_relative_to(root.resolve()):
        raise Malformed(f"{source!r} is absolute, or outside the corpus", where=page, do="name a path below the page")
    if path.is_dir():
        rows = _class_folders(path, base, root)
    elif not path.is_file():
        raise NotFound(f"there is no {source!r}", where=page, do="name a file or folder beside the page")
    elif path.suffix.lower() in (".csv", ".tsv", ".txt"):
        rows = _table(path, root, separator or ("," if path.suffix.lower() == ".csv" else "\t"))
    elif path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        rows = _json(path, root)
    elif path.suffix.lower() == ".parquet":
        rows = _parquet(path, root)
    else:
        raise Malformed(f"{path.suffix!r} is no known table", where=page, do="csv, tsv, txt, json, jsonl or parquet")
    for number, row in enumerate(rows, 1):
        yield row if isinstance(row, Rejection) else Record(row[0], row[1], number)


_Rows = Iterator[tuple[Mapping[str, Any], str] | Rejection]


def _table(path: Path, root: Path, separator: str) -> _Rows:
    for row in read_table(path, root, {}, separator):
        yield row if isinstance(row, Rejection) else (row.fields, row.where)


def _json(path: Path, root: Path) -> _Rows:
    for item in read_json(path, root):
        if isinstance(item, Rejection):
            yield item
        elif isinstance(item.value, dict):
            yield ({"key": item.key, **item.value} if item.key else item.value), item.where
        else:
            yield Rejection(item.where, "broken_row", item.where, "no object with named values")


def _parquet(path: Path, root: Path) -> _Rows:
    import pyarrow as arrow
    from pyarrow import parquet

    name = relative(path, root)
    if is_lfs_pointer(path):
        raise Malformed("the file is a Git LFS pointer, not the file itself", where=name, do="run `git lfs pull`")
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                yield from ((row, name) for row in batch.to_pylist())
    except arrow.ArrowInvalid as error:
        raise Malformed(f"no readable Parquet file ({error})", where=name, do="get the file again") from error


def _class_folders(folder: Path, base: Path, root: Path) -> _Rows:
    """``{class}/clip.wav`` or ``{split}/{class}/clip.wav``."""
    for place in folders_below(folder, 2):
        parts = place.relative_to(folder).parts
        for path in list_media(place, MEDIA):
            where = relative(path, root)
            if parts:
                split = parts[0] if len(parts) > 1 else ""
                yield {"path": relative(path, base), "class": parts[-1], "split": split}, where
            else:
                yield Rejection(where, "no_annotation", where, "not in a class folder")

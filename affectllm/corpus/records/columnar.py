"""Rows of Parquet files and of the folders that ``datasets`` saves, a few at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed

if TYPE_CHECKING:
    import pyarrow

BATCH = 256
"""Rows that are held at a time."""
INDEX = "index"
"""What the row names of a pandas table are called that have no name of their own."""


def is_saved(folder: Path) -> bool:
    """Whether ``datasets`` saved a data set, or several splits, in a folder."""
    return (folder / "state.json").is_file() or (folder / "dataset_dict.json").is_file()


def read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file.

    Raises:
        Malformed: when it is none, or is damaged.
    """
    from pyarrow import parquet

    def batches() -> Iterator[pyarrow.RecordBatch]:
        with parquet.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=BATCH)

    yield from _rows(batches(), str(path), "Parquet")


def parquet_size(path: Path) -> tuple[int, int]:
    """Return the decompressed bytes of a Parquet file and its number of cells, by its own metadata."""
    from pyarrow import ArrowException, parquet

    try:
        about = parquet.ParquetFile(path).metadata
    except (ArrowException, OSError) as error:
        raise Malformed(f"not Parquet: {error}", where=str(path), do="check that the file is complete") from error
    groups = (about.row_group(number) for number in range(about.num_row_groups))
    return sum(group.total_byte_size for group in groups), about.num_rows * about.num_columns


def read_saved(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a folder of ``save_to_disk``; with several splits a column ``split`` is added if missing.

    Raises:
        Malformed: when files of it are missing or damaged.
    """
    for split in splits_of(folder) or [""]:
        for row in _saved(folder / split):
            yield {"split": split, **row} if split else row


def splits_of(folder: Path) -> list[str]:
    """Return the splits in a folder of ``save_to_disk``; none where it is one data set."""
    path = folder / "dataset_dict.json"
    if not path.is_file():
        return []
    splits = _json(path).get("splits")
    if not isinstance(splits, list) or not all(_is_name(split) for split in splits):
        raise Malformed("it names no splits", where=str(path), do="save the data set again")
    return list(splits)


def _saved(folder: Path) -> Iterator[dict[str, Any]]:
    state = _json(folder / "state.json")
    names = [file.get("filename") if isinstance(file, dict) else None for file in state.get("_data_files") or [None]]
    if not all(_is_name(name) for name in names):
        raise Malformed("it names no files of data", where=str(folder / "state.json"), do="save the data set again")

    for name in names:
        yield from _rows(_batches(folder / str(name)), str(folder / str(name)), "Arrow")


def _batches(path: Path) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow

    _check_regular(path)
    with pyarrow.memory_map(str(path)) as file:
        try:
            reader = pyarrow.ipc.open_stream(file)
        except pyarrow.ArrowInvalid:  # the file format, with an index at its end
            file.seek(0)
            whole = pyarrow.ipc.open_file(file)
            reader = (whole.get_batch(number) for number in range(whole.num_record_batches))
        for batch in reader:
            batch.validate(full=True)  # offsets of a damaged file lead anywhere in memory
            for start in range(0, batch.num_rows, BATCH):
                yield batch.slice(start, BATCH)


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")


def _check_regular(path: Path) -> None:
    """Refuse a pipe, which would be waited for until somebody writes into it, and a device."""
    if path.exists() and not path.is_file():
        raise Malformed("no regular file", where=str(path), do="save the data set again")


def _json(path: Path) -> dict[str, Any]:
    _check_regular(path)
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise Malformed(f"not readable ({error})", where=str(path), do="save the data set again") from error
    if not isinstance(settings, dict):
        raise Malformed("no object of settings", where=str(path), do="save the data set again")
    return settings


def _rows(batches: Iterator[pyarrow.RecordBatch], where: str, kind: str) -> Iterator[dict[str, Any]]:
    import pyarrow

    try:
        for batch in batches:
            names = [INDEX if name == "__index_level_0__" else name for name in batch.schema.names]
            if len(set(names)) < len(names):
                raise Malformed("two columns have the same name", where=where, do="rename one")
            columns = [column.to_pylist() for column in batch.columns]
            yield from (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        message = f"not {kind}: {error}"[:300]
        raise Malformed(message, where=where, do="check that the file is complete") from error

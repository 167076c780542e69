"""A small table in every format that is scored, written and read by other libraries than our own reader."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Columns = Mapping[str, list[Any]]


def write(path: Path, columns: Columns) -> None:
    """Write a table in the format of its ending."""
    _WRITERS[_ending(path)](path, pd.DataFrame(columns))


def read(path: Path) -> dict[str, list[Any]]:
    """Read it as others do; words stay words.

    Raises:
        Exception: whatever the libraries raise.
    """
    frame = _READERS[_ending(path)](path)
    return {str(name): list(frame[name]) for name in frame}


def _ending(path: Path) -> str:
    return path.name.partition(".")[2]


def _saved(path: Path, frame: pd.DataFrame) -> None:
    import datasets

    datasets.disable_progress_bars()
    shutil.rmtree(path, ignore_errors=True)
    datasets.Dataset.from_pandas(frame, preserve_index=False).save_to_disk(str(path))


def _load_saved(path: Path) -> pd.DataFrame:
    import datasets

    return pd.DataFrame(datasets.load_from_disk(str(path)).to_pandas())


def _zip(path: Path, frame: pd.DataFrame) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("table.csv", frame.to_csv(index=False))


def _unzip(path: Path) -> pd.DataFrame:
    with zipfile.ZipFile(path) as archive:
        return _words(archive.read(archive.namelist()[0]))


def _words(data: bytes, separator: str = ",") -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, sep=separator)


def _arrays(path: Path, frame: pd.DataFrame) -> None:
    np.savez(path, **{name: frame[name].to_numpy(dtype=str) for name in frame})


def _packed(pack: Callable[[bytes], bytes]) -> Callable[[Path, pd.DataFrame], Any]:
    return lambda path, frame: path.write_bytes(pack(frame.to_csv(index=False).encode()))


def _load_arrays(path: Path) -> pd.DataFrame:
    with np.load(path, allow_pickle=False) as arrays:
        return pd.DataFrame({name: arrays[name] for name in arrays})


_WRITERS: dict[str, Callable[[Path, pd.DataFrame], Any]] = {
    "csv": lambda path, frame: frame.to_csv(path, index=False),
    "tsv": lambda path, frame: frame.to_csv(path, index=False, sep="\t"),
    "xlsx": lambda path, frame: frame.to_excel(path, index=False),
    "json": lambda path, frame: frame.to_json(path, orient="records"),
    "jsonl": lambda path, frame: frame.to_json(path, orient="records", lines=True),
    "parquet": lambda path, frame: frame.to_parquet(path, index=False),
    "npz": _arrays,
    "saved": _saved,
    "csv.zip": _zip,
    **{"csv.gz": _packed(gzip.compress), "csv.bz2": _packed(bz2.compress), "csv.xz": _packed(lzma.compress)},
}
_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "csv": lambda path: _words(path.read_bytes()),
    "tsv": lambda path: _words(path.read_bytes(), "\t"),
    "xlsx": lambda path: pd.read_excel(path, dtype=str, keep_default_na=False),
    "json": lambda path: pd.DataFrame(json.loads(path.read_text(encoding="utf-8"))),
    "jsonl": lambda path: pd.DataFrame(map(json.loads, path.read_text(encoding="utf-8").rstrip("\n").split("\n"))),
    "parquet": pd.read_parquet,
    "npz": _load_arrays,
    "saved": _load_saved,
    "csv.zip": _unzip,
    "csv.gz": lambda path: _words(gzip.decompress(path.read_bytes())),
    "csv.bz2": lambda path: _words(bz2.decompress(path.read_bytes())),
    "csv.xz": lambda path: _words(lzma.decompress(path.read_bytes())),
}
ENDINGS = tuple(_WRITERS)

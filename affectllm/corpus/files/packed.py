"""Open compressed files, recognised by their suffix, as streams of decompressed bytes.

``.gz``, ``.bz2``, ``.xz``, ``.zst``, and ``.zip`` with one file in it. A packed file of some kilobytes can hold
gigabytes of the same byte: no more is unpacked than ``MAX_RATIO`` times its size.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from affectllm.errors import Malformed

PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
MAX_RATIO = 300
"""How many times as large as the packed file what is in it may be; tables of labels come to some 50."""
ALWAYS = 1 << 26
"""Bytes that may be unpacked whatever the ratio: the ends of small, uniform tables."""
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""What damaged archives raise; RuntimeError is a password, NotImplementedError an unknown method."""


def inner_suffix(path: Path) -> str:
    """Return the suffix of a file's content in lower case: ``.csv`` of ``a.csv``, ``a.CSV.gz`` and a zip of one."""
    suffix = path.suffix.lower()
    if suffix not in PACKED:
        return suffix
    inner = PurePosixPath(path.stem).suffix.lower()
    return inner or (_suffix_inside(path) if suffix == ".zip" else "")


def _suffix_inside(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            return PurePosixPath(_only(archive, path).filename).suffix.lower()
    except (*_BROKEN, Malformed):
        return ""


def _only(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith(("__MACOSX/", "."))]
    if len(members) != 1:
        named = ", ".join(member.filename for member in members[:4]) or "nothing"
        raise Malformed(f"the archive holds {named}, where one table is needed", where=str(path), do="unpack it")
    return members[0]


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open the bytes of a file, decompressed where its suffix says that it is compressed.

    Raises:
        Malformed: when it is damaged, needs a password, or unpacks to more than it may.
    """
    if path.suffix.lower() not in PACKED:
        with path.open("rb") as stream:
            yield stream
        return
    try:
        with _unpacked(path) as packed:
            limit = max(ALWAYS, MAX_RATIO * path.stat().st_size)
            yield io.BufferedReader(cast(Any, _Bounded(packed, limit, path)), 1 << 16)
    except _BROKEN as error:
        message = f"no readable {path.suffix} file ({error})"
        raise Malformed(message, where=str(path), do="check that the file is complete") from error


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_only(archive, path)) as stream:
            yield stream
    elif suffix == ".zst":
        import pyarrow

        with pyarrow.CompressedInputStream(str(path), "zstd") as packed:
            yield packed
    else:
        openers: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
        with openers[suffix](path, "rb") as stream:
            yield stream


class _Bounded(io.RawIOBase):
    """A stream of which no more than ``limit`` bytes are read."""

    def __init__(self, stream: IO[bytes], limit: int, path: Path) -> None:
        self._stream, self._left, self._path, self._limit = stream, limit, path, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            message = f"it unpacks to more than {self._limit:,} bytes, which is what damaged or hostile files do"
            raise Malformed(message, where=str(self._path), do="unpack it yourself, if it is meant to be so large")
        buffer[: len(content)] = content
        return len(content)

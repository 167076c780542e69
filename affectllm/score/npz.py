"""Read NumPy archives in the shapes in which labels and predictions are published."""

from __future__ import annotations

import io
import math
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import BadZipFile, ZipFile, is_zipfile

from affectllm.errors import Malformed
from affectllm.score.sizes import MAX_BYTES, Budget, check_size

ABSENT = object()
"""The cell of a name that one of several corpora in an archive lacks: no item of that corpus, and no missing value."""


def read_npz(path: Path, allow_pickle: bool) -> dict[str, list[Any]]:
    """Read the columns of an archive.

    Three shapes are known: arrays of one length (``filenames`` and ``fileitems`` of AffectGPT among them) are columns;
    ``…_corpus`` dictionaries of MERTools (name → ``emo``, ``val``) become ``name`` and one column per corpus and key,
    called ``test_corpus.emo`` (and ``emo`` where there is one corpus for testing, or one only); single values under
    many names become ``name`` and ``value``.

    Raises:
        Malformed: when the archive is none of these, or holds objects and ``allow_pickle`` is not given.
    """
    arrays = _arrays(path, allow_pickle)
    Budget(path).spend(arrays)
    corpora = {name: value for name, value in arrays.items() if isinstance(value, Mapping)}
    if corpora:
        return _corpora(path, corpora)
    columns = {name: value for name, value in arrays.items() if isinstance(value, list)}
    if not columns:
        return {"name": list(arrays), "value": list(arrays.values())}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise Malformed(f"arrays of different lengths: {lengths}", where=str(path), do="keep one table per file")
    return columns


def read_npy(path: Path) -> dict[str, list[Any]]:
    """Read the columns of one array: ``1``, ``2`` … of a matrix of items and labels, ``value`` of a list.

    Raises:
        Malformed: when it holds objects, or has another number of dimensions.
    """
    import numpy as np

    try:
        array = np.asarray(_array(io.BytesIO(path.read_bytes()), path))
    except ValueError as error:
        raise Malformed(f"not an array of plain values: {error}", where=str(path), do="check the file") from error
    if array.ndim == 1:
        return _within(path, {"value": _plain(array, path)})
    if array.ndim != 2:
        message = f"an array of {array.ndim} dimensions is no table"
        raise Malformed(message, where=str(path), do="give one row an item, and one column a label")
    return _within(path, {str(number): _plain(column, path) for number, column in enumerate(array.T, start=1)})


def read_npy_items(path: Path) -> dict[str, list[Any]]:
    """Read ``name`` and ``value`` from a folder of ``NAME.npy`` or a zip file of one: MERTools' one value per clip.

    Raises:
        Malformed: when there are none, or one is no plain array.
    """
    arrays: dict[str, Any] = {}
    try:
        if path.is_dir():
            files = sorted(path.glob("*.npy"))
            check_size(path, sum(file.stat().st_size for file in files), len(files))
            arrays = {file.stem: _array(io.BytesIO(file.read_bytes()), path) for file in files}
        else:
            with ZipFile(path) as archive:
                check_size(path, _unpacked(archive))
                members = [name for name in archive.namelist() if name.endswith(".npy") and "__MACOSX" not in name]
                for name in members:
                    arrays[PurePosixPath(name).stem] = _array(io.BytesIO(archive.read(name)), path)
    except (BadZipFile, OSError, EOFError, ValueError) as error:
        raise Malformed(f"not arrays of plain values: {error}", where=str(path), do="check the files") from error
    if not arrays:
        raise Malformed("no .npy file is in it", where=str(path), do="give the folder of NAME.npy, or a zip file of it")
    return _within(path, {"name": list(arrays), "value": [_plain(value, path) for value in arrays.values()]})


def _arrays(path: Path, allow_pickle: bool) -> dict[str, Any]:
    """Map the names of arrays to a list, mapping or single value."""
    if not is_zipfile(path):  # or NumPy takes it for a pickle
        raise Malformed("not a NumPy archive", where=str(path), do="check that the file is complete")
    if not allow_pickle:
        try:
            with ZipFile(path) as archive:
                check_size(path, _unpacked(archive))
                contents = {name.removesuffix(".npy"): io.BytesIO(archive.read(name)) for name in archive.namelist()}
            return {name: _plain(_array(content, path), path) for name, content in contents.items()}
        except ValueError as error:
            message = "the archive holds Python objects, which are stored as a pickle"
            raise Malformed(message, where=str(path), do="pass --allow-pickle if you trust its source") from error
        except (BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as error:
            raise Malformed(f"not a NumPy archive: {error}", where=str(path), do="check the file") from error
    from affectllm.safe_pickle import load_plain_npz

    print(f"warning: {path} may hold pickled objects; only plain values are read from it", file=sys.stderr)
    arrays = load_plain_npz(path, MAX_BYTES)
    for value in arrays.values():
        check_size(path, getattr(value, "nbytes", 0), getattr(value, "size", 0))
    return {name: _plain(value, path) for name, value in arrays.items()}


def _unpacked(archive: ZipFile) -> int:
    """Return the bytes to which an archive unpacks; no member gives more than it declares."""
    return sum(member.file_size for member in archive.infolist())


def _array(content: io.BytesIO, path: Path) -> Any:
    """Read the array of an npy file, none of objects.

    Raises:
        Malformed: when it claims to be larger than the file that it lies in, or has too many values.
        ValueError: when it holds objects, or is no npy file.
    """
    from numpy.lib import format as npy

    version = npy.read_magic(content)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(content)
    count, left = math.prod(shape), len(content.getbuffer()) - content.tell()
    check_size(path, count * dtype.itemsize, count)
    if not dtype.hasobject and count * dtype.itemsize > left:
        message = f"an array says that it has {count * dtype.itemsize:,} bytes, and {left:,} are there"
        raise Malformed(message, where=str(path), do="check that the file is complete")
    content.seek(0)
    return npy.read_array(content, allow_pickle=False)


def _within(path: Path, columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    Budget(path).spend(columns)
    return columns


def _plain(value: Any, path: Path) -> Any:
    import numpy as np

    if isinstance(value, np.ndarray) and value.dtype.kind == "U" and value.size:
        # NumPy takes any 32 bits for a character, and Python ends with SystemError over what is none.
        codes = np.ascontiguousarray(value).reshape(-1).view(np.dtype("u4").newbyteorder(value.dtype.byteorder))
        if ((codes > sys.maxunicode) | ((codes >= 0xD800) & (codes <= 0xDFFF))).any():
            raise Malformed("an array of words holds what is no character", where=str(path), do="check the file")
    if isinstance(value, np.ndarray) and value.dtype.kind == "S":  # names that were written as bytes
        value = np.char.decode(value, "utf-8", "replace")
    return value.tolist() if hasattr(value, "tolist") else value


def _corpora(path: Path, corpora: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the columns of every corpus side by side; a name that a corpus lacks has ``ABSENT`` there."""
    for corpus, items in corpora.items():
        if not all(isinstance(values, Mapping) for values in items.values()):
            if len(corpora) > 1:
                raise Malformed(f"{corpus} maps names to single values", where=str(path), do="keep one per file")
            return {"name": list(items), corpus: list(items.values())}
    names = list(dict.fromkeys(name for items in corpora.values() for name in items))
    columns: dict[str, list[Any]] = {"name": names}
    for corpus, items in corpora.items():
        for key in dict.fromkeys(key for values in items.values() for key in values):
            columns[f"{corpus}.{key}"] = [items.get(name, {}).get(key, ABSENT) for name in names]
    return columns

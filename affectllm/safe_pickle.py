"""Read pickles and numpy archives without running any code in them.

Published labels, features, predictions and tables are pickles, or npz files whose arrays hold Python objects, which are
pickles too; and a pickle may run any code when it is opened. Here only plain data is rebuilt: containers, strings,
numbers and numpy arrays of them. Anything else is refused by its name.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed, NotFound

MAX_BYTES = 1 << 32
"""Bytes of a pickle, or to which an npz file may unpack, where the reader gives no limit: features of whole corpora."""
_BUILTINS = (
    "bool",
    "bytearray",
    "bytes",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "set",
    "str",
    "tuple",
)
_MODULES: dict[str, tuple[str, ...]] = {
    "builtins": _BUILTINS,
    "__builtin__": _BUILTINS,  # as Python 2 and the oldest protocols call it
    "collections": ("OrderedDict", "defaultdict", "Counter"),
    "numpy": ("ndarray", "dtype", "str_", "bytes_", "bool_"),
    "numpy.core.multiarray": ("_reconstruct", "scalar"),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),  # since numpy 2
    "numpy.core.numeric": ("_frombuffer",),
    "numpy._core.numeric": ("_frombuffer",),
}
PLAIN = frozenset((module, name) for module, names in _MODULES.items() for name in names)
"""(module, name) of everything that a pickle may call for."""

_BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    ImportError,
    OverflowError,
    MemoryError,
    RecursionError,
)
"""The exceptions that a damaged pickle raises: it is a program for a stack machine, so nearly any."""


class _Refused(Exception):
    pass


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return _latin1
        if (module, name) not in PLAIN:
            raise _Refused(f"{module}.{name}")
        if name in _FILLED:
            return _of_bytes(super().find_class(module, name))
        if name == "_reconstruct":
            return _reconstruct
        return super().find_class(module, name)


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    # Protocol 2 writes bytes as text with the name of a codec; a codec is code, so only this one is known.
    if encoding != "latin1":
        raise _Refused(f"_codecs.encode({encoding!r})")
    return text.encode("latin1")


_FILLED = ("bytes", "bytearray")  # called with a number, they make as many zeros


def _of_bytes(kind: type) -> Any:
    def construct(*arguments: Any) -> Any:
        if arguments and isinstance(arguments[0], int):
            raise _Refused(f"call of {kind.__name__}({arguments[0]}), which fills memory with zeros,")
        return kind(*arguments)

    return construct


def _reconstruct(kind: Any, shape: Any, code: Any) -> Any:
    """Stand-in for numpy's ``_reconstruct``: returns an empty array; content and shape follow as its state."""
    import numpy as np

    if kind is not np.ndarray or math.prod(shape) > 0:
        raise _Refused(f"array of the shape {shape} without content")
    return np.empty(shape, dtype=code)


def load_plain_pickle(path: Path, encoding: str = "latin1", limit: int = MAX_BYTES) -> Any:
    """Return the object in a pickle file.

    Args:
        encoding: of byte strings that Python 2 wrote; ``latin1`` keeps numpy arrays whole.
        limit: bytes that the file may have.

    Raises:
        NotFound: when there is no such file.
        Malformed: when it is damaged, too large, or holds anything but plain data; names the class.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path.name}", where=str(path), do="check the path")
    _check(path, path.stat().st_size, limit)
    with path.open("rb") as stream, _explained(str(path)):
        return _PlainUnpickler(stream, encoding=encoding).load()


def _check(path: Path, size: int, limit: int) -> None:
    if size > limit:
        message = f"{size:,} bytes, once unpacked; {limit:,} are the most that are read"
        raise Malformed(message, where=str(path), do="keep in the file what is needed, or split it")


def load_plain_npz(path: Path, limit: int = MAX_BYTES) -> dict[str, Any]:
    """Return every array of an npz file by its name; a 0-dimensional object array becomes the object itself.

    Args:
        limit: bytes to which the file may unpack.

    Raises:
        NotFound: when there is no such file.
        Malformed: when it is not an npz file, is damaged, too large, or holds anything but plain data; names the class.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path.name}", where=str(path), do="check the path")
    try:
        with zipfile.ZipFile(path) as archive:
            _check(path, sum(member.file_size for member in archive.infolist()), limit)
            members = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError) as error:
        raise Malformed(f"not a readable npz file ({error})", where=str(path), do="fetch the file again") from error
    return {name: _array(content, f"{path}, array {name}") for name, content in members.items()}


def array_names(path: Path) -> list[str]:
    """Return the names of the arrays in an npz file, without reading them; none where it is no npz file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except (zipfile.BadZipFile, OSError):
        return []


def _array(content: bytes, where: str) -> Any:
    import numpy as np

    stream = io.BytesIO(content)
    with _explained(where):
        if not _holds_objects(stream):
            return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
        value = _PlainUnpickler(stream).load()
    if not isinstance(value, np.ndarray):
        raise Malformed(
            f"a {type(value).__name__} where an array should be", where=where, do="write it with numpy.savez"
        )
    return value.item() if value.ndim == 0 else value


@contextmanager
def _explained(where: str) -> Iterator[None]:
    try:
        yield
    except _Refused as error:
        message = f"it holds a pickled {error}, which is code and not plain data"
        raise Malformed(message, where=where, do="save it as plain strings, numbers, lists and dicts") from error
    except _BROKEN as error:
        raise Malformed(f"damaged data ({error})", where=where, do="fetch or write the file again") from error


def _holds_objects(stream: io.BytesIO) -> bool:
    """Read the header, up to the data, and return whether the array holds pickled objects."""
    from numpy.lib import format as npy

    version = npy.read_magic(stream)
    if version > (2, 0):  # for field names beyond Latin-1, which arrays of objects do not have
        return False
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    size, there = math.prod(shape) * dtype.itemsize, len(stream.getbuffer()) - stream.tell()
    if not dtype.hasobject and size > there:
        raise ValueError(f"it says that it has {size:,} bytes, and {there:,} are there")
    return bool(dtype.hasobject)

"""Check safetensors files before anything is loaded from them: complete, and every number finite.

A file is scanned once: what was found is remembered in the cache folder under its path, size and time of change.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import WrongCheckpoint
from affectllm.run import cache_folder

if TYPE_CHECKING:
    import torch

_LONGEST_HEADER = 100_000_000  # bytes, as in the library
_AT_ONCE = 2**24  # numbers looked at in one go
_WHOLE = ("BOOL", "I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64")
_LFS = b"version https://git-lfs"
_AGAIN = "copy or download the file again"


def header(path: Path) -> dict[str, Any]:
    """Return names, types and shapes of the tensors in a complete file.

    Raises:
        WrongCheckpoint: when the file is cut off, a stand-in of Git LFS, or no safetensors file.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        first = stream.read(8)
        if first + stream.read(len(_LFS) - 8) == _LFS:
            message = "is a stand-in of Git LFS, without the weights"
            raise WrongCheckpoint(message, where=str(path), do="run `git lfs pull` in its repository")
        length = int.from_bytes(first, "little")
        if len(first) < 8 or length > _LONGEST_HEADER or 8 + length > size:
            raise WrongCheckpoint("is cut off, or no safetensors file", where=str(path), do=_AGAIN)
        stream.seek(8)
        entries = _parsed(stream.read(length), path)
    expected = 8 + length + max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    if size != expected:
        message = f"is cut off: {size:,} of {expected:,} bytes" if size < expected else "is longer than its header says"
        raise WrongCheckpoint(message, where=str(path), do=_AGAIN)
    return entries


def _parsed(text: bytes, path: Path) -> dict[str, Any]:
    try:
        entries = json.loads(text)
        entries.pop("__metadata__", None)
        {name: (entry["dtype"], entry["shape"], int(entry["data_offsets"][1])) for name, entry in entries.items()}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise WrongCheckpoint("is damaged, or no safetensors file", where=str(path), do=_AGAIN) from error
    return dict(entries)


def check_types(entries: Mapping[str, Any], where: str) -> None:
    """Refuse weights of whole numbers in a checkpoint that is not quantised: bytes that are read as another type.

    Args:
        entries: of a file's header.

    Raises:
        WrongCheckpoint: with the tensor.
    """
    for name, entry in entries.items():
        if entry["dtype"] in _WHOLE and name.endswith((".weight", ".bias")):
            message = f"the weight {name} is of type {entry['dtype']}, and nothing says that it is quantised"
            raise WrongCheckpoint(message, where=where, do=_AGAIN)


def check_finite(folder: Path, unbounded: frozenset[str] = frozenset()) -> None:
    """Refuse weights that are not finite in any safetensors file of a folder.

    Args:
        folder: of a checkpoint or an adapter.
        unbounded: last names of weights that may be infinite.

    Raises:
        WrongCheckpoint: with the file and the tensor.
    """
    for path in sorted(folder.glob("*.safetensors")):
        if name := _remembered(path, unbounded):
            raise not_finite(name, str(path))


def not_finite(name: str, where: str) -> WrongCheckpoint:
    """Return the error for weights of which one is not finite."""
    return WrongCheckpoint(
        f"the weight {name} is not finite (NaN or infinite), so no answer of this model means anything",
        where=where,
        do="name an earlier checkpoint, or train again with a smaller trainer.learning_rate",
    )


def first_not_finite(tensors: Mapping[str, torch.Tensor] | Iterator[tuple[str, torch.Tensor]]) -> str:
    """Return the name of the first tensor with a number that is not finite; empty where there is none."""
    pairs = tensors.items() if isinstance(tensors, Mapping) else tensors
    return next((name for name, tensor in pairs if not is_finite(tensor)), "")


def is_finite(tensor: torch.Tensor) -> bool:
    """Return whether every number is finite, in constant memory."""
    import torch

    if not tensor.is_floating_point() or not tensor.numel():
        return True
    if tensor.element_size() == 1:  # 8-bit floats know little arithmetic
        return all(bool(torch.isfinite(part.float()).all()) for part in tensor.reshape(-1).split(_AT_ONCE))
    # The smallest and the largest of some numbers are NaN as soon as one of them is.
    extremes = (torch.stack(torch.aminmax(part)) for part in tensor.detach().reshape(-1).split(_AT_ONCE))
    return all(bool(torch.isfinite(pair).all()) for pair in extremes)


def _remembered(path: Path, unbounded: frozenset[str]) -> str:
    stat = path.resolve().stat()
    identity = json.dumps([str(path.resolve()), stat.st_size, stat.st_mtime_ns, *sorted(unbounded)])
    note = cache_folder() / "finite" / hashlib.sha256(identity.encode()).hexdigest()[:32]
    if note.is_file():
        return note.read_text(encoding="utf-8")
    name = first_not_finite(_tensors(path, unbounded))
    _note(note, name)
    return name


def _tensors(path: Path, unbounded: frozenset[str]) -> Iterator[tuple[str, torch.Tensor]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as weights:
            for name in weights.keys():  # noqa: SIM118  # it is no mapping
                tensor = weights.get_tensor(name)
                yield name, tensor[~tensor.isinf()] if name.rpartition(".")[2] in unbounded else tensor
    except SafetensorError as error:  # types, shapes and offsets are the library's to judge
        raise WrongCheckpoint(f"is damaged: {str(error)[:200]}", where=str(path), do=_AGAIN) from error


def _note(note: Path, name: str) -> None:
    scratch = note.with_name(f".{note.name}-{os.getpid()}")
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(name, encoding="utf-8")
        scratch.replace(note)
    except OSError:  # a note only saves time
        scratch.unlink(missing_ok=True)

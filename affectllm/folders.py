"""Atomic creation and deletion of folders: filled under another name, and renamed away before they are deleted.

A process may be killed between any two of its files. A folder that has its own name is therefore always whole, and
what a kill has left under another name is removed by whoever works on the same folder next.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from affectllm.errors import WriteFailed, explained

_NOTHING_LEFT = 2**20  # bytes


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to fill, which is renamed to ``folder`` when the block ends without an error.

    What lay there stays until then.

    Raises:
        WriteFailed: when the file system refuses.
    """
    scratch = folder.with_name(f".{folder.name}.part")
    with explained(scratch):
        _remove(scratch)
        scratch.mkdir(parents=True)
    try:
        yield scratch
        with explained(folder):
            discard(folder)
            scratch.rename(folder)
    finally:
        _remove(scratch)


def made_once(folder: Path, fill: Callable[[Path], object]) -> Path:
    """Return a folder that several processes may want at once: each fills one of its own, and the first one's stays.

    Args:
        fill: writes the same files whoever calls it; its errors pass through.

    Raises:
        WriteFailed: when the file system refuses the folder.
    """
    if folder.is_dir():
        return folder
    with explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        fill(scratch)
        with explained(folder):
            try:
                scratch.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was faster
                    raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def discard(folder: Path) -> None:
    """Delete a folder and its contents; under its name it disappears atomically."""
    gone = folder.with_name(f".{folder.name}.gone")
    _remove(gone)  # of a process that was killed here
    if folder.is_dir():
        folder.rename(gone)
        _remove(gone)


@contextmanager
def room_in(folder: Path) -> Iterator[None]:
    """Raise a disk-full error where a library, such as torch, only reports a failed write.

    Raises:
        WriteFailed: instead of an error that came with next to nothing left on the disk of ``folder``.
    """
    try:
        yield
    except (RuntimeError, OSError) as error:
        if not folder.is_dir() or shutil.disk_usage(folder).free > _NOTHING_LEFT:
            raise
        message = f"the disk is full ({type(error).__name__}: {error})".partition("\n")[0]
        raise WriteFailed(message, where=str(folder), do="free some space; the same command goes on") from error


def _remove(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)

"""Lock files: one process at a time works in a folder. The file names its holder; a dead holder's lock is void."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from affectllm.errors import Busy, WriteFailed, explained

LOCK = ".lock"
# The kernel's locks belong to a process, so what this one holds already is counted here: stages lie within runs.
_held: dict[Path, int] = {}


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` while the block runs; its folder is made where it is absent.

    The lock is the kernel's: it ends with the process that has it, however that ends. Within one process it may be
    taken again. Where file systems are shared without the locks of other machines, the file's text counts.

    Raises:
        Busy: when another process holds it; says which.
        WriteFailed: when the file system refuses the file.
    """
    path = path.absolute()
    stream = _open_locked(path) if path not in _held else None
    _held[path] = _held.get(path, 0) + 1
    try:
        yield
    finally:
        _held[path] -= 1
        if not _held[path]:
            del _held[path]
        if stream is not None:
            path.unlink(missing_ok=True)  # before it is let go: a later holder's file is never removed
            os.close(stream)


def _open_locked(path: Path) -> int:
    """Return the descriptor of the locked file, having checked that it still lies under its name."""
    while True:
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # A named pipe would be waited for, and another file behind a link would be written over.
            stream = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW, 0o644)
        try:
            if not stat.S_ISREG(os.fstat(stream).st_mode):
                raise WriteFailed("is no file", where=str(path), do="delete it, or choose another --out")
            _lock(stream, path)
            if os.fstat(stream).st_ino == _inode(path):
                _sign(stream, path)
                return stream
        except BaseException:
            os.close(stream)
            raise
        os.close(stream)  # its holder removed it meanwhile; whoever made the next one may have it


def _lock(stream: int, path: Path) -> None:
    try:
        fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise _busy(_holder(stream), path) from error
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
            raise
    holder = _holder(stream)
    if holder and holder["host"] != socket.gethostname():
        # Left by a process of another machine, which this kernel knows nothing about.
        raise _busy(holder, path, f"; if that process is gone, delete {path}")


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _holder(stream: int) -> dict[str, Any]:
    try:
        holder = json.loads(os.pread(stream, 4096, 0))
    except (ValueError, RecursionError):
        return {}
    return holder if isinstance(holder, dict) and isinstance(holder.get("host"), str) else {}


def _sign(stream: int, path: Path) -> None:
    words = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]
    since = time.strftime("%Y-%m-%d %H:%M:%S%z")
    text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since, "command": words})
    with explained(path):
        os.ftruncate(stream, 0)
        os.pwrite(stream, text.encode(), 0)


def _busy(holder: dict[str, Any], path: Path, more: str = "") -> Busy:
    who = f"process {holder['pid']} on {holder['host']}" if {"pid", "host"} <= holder.keys() else "another process"
    doing = f" since {holder['since']} ({holder['command']})" if {"since", "command"} <= holder.keys() else ""
    return Busy(
        f"{who} works in this folder{doing}", where=str(path.parent), do=f"wait for it, or choose another folder{more}"
    )

"""Limits on the tables that ``affectllm score`` holds in memory, checked before the memory is allocated.

Predictions of the largest published sets have some hundred thousand rows and some hundred megabytes. A file of a few
kilobytes may say that it unpacks to terabytes, and a damaged one may say so too.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed

MAX_BYTES = 1 << 29
"""Bytes of one table: on disk, as its format declares, and as it is unpacked."""
MAX_CELLS = 20_000_000
"""Values of one table, those in lists included."""
_REMEDY = "keep the columns that are scored, or split the file and score its parts"


def check_file(path: Path) -> None:
    """Refuse a file that is larger than ``MAX_BYTES``, and what is no file, such as a pipe that never ends.

    Raises:
        Malformed: in both cases.
    """
    about = path.stat()
    if stat.S_ISDIR(about.st_mode):
        return
    if not stat.S_ISREG(about.st_mode):
        raise Malformed("no regular file", where=str(path), do="write it to a file first")
    check_size(path, about.st_size)


def check_size(path: Path, size: int, cells: int = 0) -> None:
    """Refuse a table that declares too many bytes or cells.

    Raises:
        Malformed: when it has more than ``MAX_BYTES`` bytes or ``MAX_CELLS`` cells.
    """
    if size > MAX_BYTES:
        message = f"a table of {size:,} bytes, once unpacked; {MAX_BYTES:,} are the most that are read"
        raise Malformed(message, where=str(path), do=_REMEDY)
    if cells > MAX_CELLS:
        message = f"a table of {cells:,} values; {MAX_CELLS:,} are the most that are read"
        raise Malformed(message, where=str(path), do=_REMEDY)


class Budget:
    """The bytes and cells that the rows of one table have used of both limits so far."""

    def __init__(self, path: Path) -> None:
        self._path, self._size, self._cells = path, 0, 0

    def spend(self, value: Any) -> None:
        """Count a row, or any plain value, with all that lies in it.

        Raises:
            Malformed: when the table is now too large; or holds itself, which is larger than anything.
        """
        for item in _leaves(value):
            self._cells += 1
            self._size += len(item) if isinstance(item, (str, bytes)) else 8
            if self._cells > MAX_CELLS or self._size > MAX_BYTES:
                check_size(self._path, self._size, self._cells)


def _leaves(value: Any) -> Iterator[Any]:
    """Yield every value and every container in ``value``, nested ones too; endlessly where one holds itself."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        yield item
        if isinstance(item, Mapping):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, (list, tuple, set, frozenset)):
            waiting += item

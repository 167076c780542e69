"""Keep the documents, prompts and results of an evaluation on disk, so that memory does not grow with what they say.

lm-eval holds every document, request and sample in lists until an evaluation ends: some 15 KiB an item. Within
``kept_on_disk`` our tasks give it handles instead, which read a line of JSON when somebody looks at them. The files
have no name, so nothing is left of them, whatever ends the process.
"""

from __future__ import annotations

import json
import os
import tempfile
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from affectllm.errors import explained
from affectllm.run import cache_folder

_ON_DISK: ContextVar[bool] = ContextVar("on_disk", default=False)


@contextmanager
def kept_on_disk() -> Iterator[None]:
    """Make the tasks that are created in the block keep their documents on disk.

    Only where nobody but us writes samples: lm-eval's own way of doing so needs documents that are dictionaries.
    """
    token = _ON_DISK.set(True)
    try:
        yield
    finally:
        _ON_DISK.reset(token)


def is_on_disk() -> bool:
    """Return whether documents are kept on disk."""
    return _ON_DISK.get()


class JsonLines(Sequence[Any]):
    """A growing list of JSON values in a file without a name; several threads may read it.

    Raises:
        WriteFailed: when the disk is full, or ``$AFFECTLLM_CACHE`` cannot be written.
    """

    def __init__(self) -> None:
        self._folder = cache_folder()
        with explained(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  # closed with the list
        self._ends = array("Q", [0])
        self._unwritten = False
        self._last: tuple[int, Any] = (-1, None)  # documents are looked at key by key

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, value: Any) -> None:
        """Add a value at the end."""
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        with explained(self._folder):
            self._file.write(line)
        self._ends.append(self._ends[-1] + len(line))
        self._unwritten = True

    def __getitem__(self, number: Any) -> Any:
        """Return one value, read anew; a caller may not change it."""
        number = range(len(self))[number]
        last, value = self._last
        if last != number:
            value = json.loads(self._read(number).decode("utf-8", "surrogatepass"))
            self._last = (number, value)
        return value

    def _read(self, number: int) -> bytes:
        if self._unwritten:
            with explained(self._folder):
                self._file.flush()
            self._unwritten = False
        begin, end = self._ends[number : number + 2]
        return os.pread(self._file.fileno(), end - begin, begin)


class StoredDocument(Mapping[str, Any]):
    """One document of a ``JsonLines``, as a mapping that is read when it is looked at."""

    __slots__ = ("lines", "number")

    def __init__(self, lines: JsonLines, number: int) -> None:
        self.lines, self.number = lines, number

    def read(self) -> dict[str, Any]:
        """Return the document itself."""
        value: dict[str, Any] = self.lines[self.number]
        return value

    def __getitem__(self, key: str) -> Any:
        return self.read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.read())

    def __len__(self) -> int:
        return len(self.read())


class StoredDocuments(Sequence[StoredDocument]):
    """The documents of a task on disk, with the ``features`` that lm-eval expects of a ``datasets.Dataset``."""

    def __init__(self) -> None:
        self._lines = JsonLines()

    def append(self, document: Mapping[str, Any]) -> None:
        """Add a document at the end."""
        self._lines.append(document)

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, number: Any) -> Any:
        return StoredDocument(self._lines, range(len(self))[number])

    def __iter__(self) -> Iterator[StoredDocument]:
        return (StoredDocument(self._lines, number) for number in range(len(self)))

    @property
    def features(self) -> Mapping[str, None]:
        """The keys of the documents."""
        return dict.fromkeys(self[0]) if self else {}

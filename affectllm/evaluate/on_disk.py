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
from typing import TYPE_CHECKING, Any

from affectllm.errors import explained
from affectllm.run import cache_folder

if TYPE_CHECKING:
    from lm_eval.api.instance import Instance

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


class Shelf:
    """What the requests of a task have in common: each of a million would keep its own otherwise.

    Args:
        task: its name.
        prompts: line by line the arguments of all requests about a document.
    """

    def __init__(self, task: str) -> None:
        self.task, self.prompts = task, JsonLines()
        self.request_type, self.repeats = "", 1

    def stored(self, requests: list[Instance], document: StoredDocument) -> list[StoredRequest]:
        """Store the arguments of all requests about a document, and return what stands for the requests."""
        line = len(self.prompts)
        self.prompts.append([request.arguments for request in requests])
        self.request_type, self.repeats = requests[0].request_type, int(requests[0].repeats or 1)
        return [StoredRequest(self, document, line, request.idx, request.doc_id) for request in requests]


class StoredRequest:
    """One request of lm-eval, in place of its ``Instance``: prompt and document are read when they are looked at."""

    __slots__ = ("_document", "_filtered", "_line", "_lines", "_replies", "_shelf", "doc_id", "idx")

    def __init__(self, shelf: Shelf, document: StoredDocument, line: int, idx: int, doc_id: int | None) -> None:
        number = document.number
        # Mostly all three count the same documents, and are then one object.
        self._line, self.doc_id = (number if one == number else one for one in (line, doc_id))
        self._shelf, self._lines, self._document, self.idx = shelf, document.lines, number, idx
        self._replies: tuple[Any, ...] = ()
        self._filtered: dict[str, Any] | None = None

    @property
    def doc(self) -> StoredDocument:
        """The document."""
        return StoredDocument(self._lines, self._document)

    @property
    def task_name(self) -> str:
        """The name of the task."""
        return self._shelf.task

    @property
    def request_type(self) -> str:
        """What lm-eval calls the model's method."""
        return self._shelf.request_type

    @property
    def repeats(self) -> int:
        """How many replies are drawn."""
        return self._shelf.repeats

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the model is asked."""
        return tuple(self._shelf.prompts[self._line][self.idx])

    args = arguments

    @property
    def resps(self) -> _Replies:
        """The replies, to which lm-eval appends."""
        return _Replies(self)

    @property
    def filtered_resps(self) -> dict[str, Any]:
        """Filter → what it leaves of the replies; without filters of its own, lm-eval takes the first."""
        return {"none": self._replies[0]} if self._filtered is None else self._filtered

    def to_be_filtered(self) -> StoredRequest:
        """Make room for what filters leave."""
        self._filtered = self._filtered or {}
        return self


class _Replies(Sequence[Any]):
    """The replies to one request, as a list that can grow: an empty one in each of them would take 56 bytes."""

    __slots__ = ("_request",)

    def __init__(self, request: StoredRequest) -> None:
        self._request = request

    def append(self, reply: Any) -> None:
        self._request._replies = (*self._request._replies, reply)

    def __len__(self) -> int:
        return len(self._request._replies)

    def __getitem__(self, number: Any) -> Any:
        replies = self._request._replies[number]
        return list(replies) if isinstance(number, slice) else replies

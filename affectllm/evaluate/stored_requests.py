"""Requests of lm-eval whose prompts are on disk: columns of numbers for all of them, and objects that look up in these.

lm-eval keeps an object, a list of replies and a mapping of filtered replies for each request until an evaluation ends.
Here the objects hold nothing but their number.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.evaluate.on_disk import JsonLines, StoredDocument

if TYPE_CHECKING:
    from lm_eval.api.instance import Instance

_NONE = object()
FIRST = "none"
"""The filter of pages that name none: lm-eval takes the first reply."""


class RequestColumns:
    """All requests of a task, about whose documents nothing is in memory but where they are.

    Args:
        task: its name.
    """

    def __init__(self, task: str) -> None:
        self.task = task
        self.request_type, self.repeats = "", 1
        self.prompts = JsonLines()  # line by line the arguments of all requests about a document
        self.documents: JsonLines | None = None
        self.lines, self.document_numbers, self.doc_ids, self.places = (array("I") for _ in range(4))
        self.replies: list[Any] = []
        self.filtered: dict[str, list[Any]] = {}

    def __len__(self) -> int:
        return len(self.places)

    def stored(self, requests: list[Instance], document: StoredDocument) -> list[StoredRequest]:
        """Store all requests about a document, and return what stands for them."""
        first, line = len(self), len(self.prompts)
        self.prompts.append([request.arguments for request in requests])
        self.documents = document.lines
        self.request_type, self.repeats = requests[0].request_type, int(requests[0].repeats or 1)
        for request in requests:
            self.lines.append(line)
            self.document_numbers.append(document.number)
            self.doc_ids.append(request.doc_id)
            self.places.append(request.idx)
            self.replies.append(_NONE)
        return [StoredRequest(self, first + number) for number in range(len(requests))]


class StoredRequest:
    """One request of lm-eval, in place of its ``Instance``: everything is looked up when somebody asks for it."""

    __slots__ = ("_columns", "_number")

    def __init__(self, columns: RequestColumns, number: int) -> None:
        self._columns, self._number = columns, number

    @property
    def doc(self) -> StoredDocument:
        """The document."""
        documents = self._columns.documents
        assert documents is not None
        return StoredDocument(documents, self._columns.document_numbers[self._number])

    @property
    def task_name(self) -> str:
        """The name of the task."""
        return self._columns.task

    @property
    def request_type(self) -> str:
        """What lm-eval calls the model's method."""
        return self._columns.request_type

    @property
    def repeats(self) -> int:
        """How many replies are drawn."""
        return self._columns.repeats

    @property
    def doc_id(self) -> int:
        """The number of the document among those that are asked about."""
        number = self._columns.doc_ids[self._number]
        return self._number if self._number == number else number  # lm-eval keeps it: mostly one object for both

    @property
    def idx(self) -> int:
        """The place of the request among those about its document."""
        return self._columns.places[self._number]

    @property
    def metadata(self) -> tuple[str, int, int]:
        """Task, number of the document, and repeats."""
        return self.task_name, self.doc_id, self.repeats

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the model is asked."""
        return tuple(self._columns.prompts[self._columns.lines[self._number]][self.idx])

    args = arguments

    @property
    def resps(self) -> _Replies:
        """The replies, to which lm-eval appends."""
        return _Replies(self._columns.replies, self._number)

    @property
    def filtered_resps(self) -> MutableMapping[str, Any]:
        """Filter → what it leaves of the replies."""
        return _Filtered(self._columns, self._number)


class _Several(list[Any]):
    """More than one reply to a request; a single one stands for itself, whatever its type."""


class _Replies(Sequence[Any]):
    """The replies to one request, as a list that can grow."""

    __slots__ = ("_all", "_number")

    def __init__(self, replies: list[Any], number: int) -> None:
        self._all, self._number = replies, number

    def append(self, reply: Any) -> None:
        own = self._all[self._number]
        if own is _NONE:
            self._all[self._number] = reply
        elif isinstance(own, _Several):
            own.append(reply)
        else:
            self._all[self._number] = _Several([own, reply])

    def __len__(self) -> int:
        return len(self._list())

    def __getitem__(self, number: Any) -> Any:
        return self._list()[number]

    def _list(self) -> list[Any]:
        own = self._all[self._number]
        if isinstance(own, _Several):
            return list(own)
        return [] if own is _NONE else [own]


class _Filtered(MutableMapping[str, Any]):
    """What filters leave of the replies to one request; without filters of a page, the first of them."""

    __slots__ = ("_columns", "_number")

    def __init__(self, columns: RequestColumns, number: int) -> None:
        self._columns, self._number = columns, number

    def __setitem__(self, name: str, value: Any) -> None:
        column = self._columns.filtered.setdefault(name, [])
        column.extend([_NONE] * (len(self._columns) - len(column)))
        column[self._number] = value

    def __getitem__(self, name: str) -> Any:
        if not self._columns.filtered and name == FIRST and (replies := _Replies(self._columns.replies, self._number)):
            return replies[0]
        if name not in self._columns.filtered:
            raise KeyError(name)
        if (value := self._columns.filtered[name][self._number]) is _NONE:
            raise KeyError(name)
        return value

    def __delitem__(self, name: str) -> None:
        self._columns.filtered[name][self._number] = _NONE

    def __iter__(self) -> Iterator[str]:
        names = self._columns.filtered or (FIRST,)
        return (name for name in names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

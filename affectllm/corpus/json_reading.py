"""JSON in other people's releases: documents item by item and JSON lines, each item with ``file:line``.

A document is read through a window, never whole: a release of some hundred megabytes costs what its largest item costs,
and a truncated download loses only what comes after the cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from affectllm.corpus.reading import is_lfs_pointer, read_lines, relative, repair
from affectllm.corpus.sample import Rejection
from affectllm.errors import Malformed

_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"
_CHUNK = 1 << 18  # characters that are read at a time
_LONGEST_LINE = 1 << 24  # bytes; a longer first line is a document without line breaks, not one of JSON lines
_LONGEST_WORD = 40  # a number or word that the end of the window cuts is no longer than this


@dataclass(frozen=True, slots=True)
class Item:
    """One element of a list, one line of JSON lines, or one member of an object (then ``key`` is its name)."""

    key: str
    value: Any
    where: str


def read_json(path: Path, root: Path) -> Iterator[Item | Rejection]:
    """The elements of a list, the members of an object, or the lines of JSON lines, whatever the suffix says.

    What is not JSON is rejected as ``broken_row``: one line of JSON lines, or the rest of a document.

    Raises:
        Malformed: when the file is a Git LFS pointer.
    """
    name = relative(path, root)
    if is_lfs_pointer(path):
        raise Malformed("the file is a Git LFS pointer, not the file itself", where=name, do="run `git lfs pull`")
    if path.stat().st_size == 0:
        yield Rejection(name, "broken_row", name, "an empty file")
    elif _has_lines(path):
        yield from _lines(path, root)
    else:
        yield from _document(path, name)


def _has_lines(path: Path) -> bool:
    """Whether every line is a document of its own; a document may also stand on one line."""
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return True
    with path.open("rb") as stream:
        first = stream.readline(_LONGEST_LINE)
        if first.strip()[:1] != b"{" or not first.endswith(b"\n") or not stream.readline(_LONGEST_LINE).strip():
            return False
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _lines(path: Path, root: Path) -> Iterator[Item | Rejection]:
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        where, text = line
        if not text.strip():
            continue
        try:
            yield Item("", _repaired(json.loads(text), text), where)
        except (ValueError, RecursionError) as error:
            yield Rejection(where, "broken_row", where, str(error)[:120])


def _document(path: Path, name: str) -> Iterator[Item | Rejection]:
    with path.open("rb") as raw:
        encoding = "utf-16" if raw.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    with path.open(encoding=encoding, newline="") as stream:
        window = _Window(stream)
        try:
            yield from _items(window, name)
        except UnicodeDecodeError as error:
            where = f"{name}:{window.line}"
            yield Rejection(where, "bad_encoding", where, f"the rest of the file cannot be read: {error}"[:120])
        except (ValueError, RecursionError) as error:
            where = f"{name}:{window.line}"
            yield Rejection(where, "broken_row", where, f"the rest of the file cannot be read: {error}"[:120])


def _items(window: _Window, name: str) -> Iterator[Item]:
    closing = {"[": "]", "{": "}"}.get(window.sign())
    if closing is None:
        raise ValueError("no list and no object")
    window.skip()
    while window.sign() != closing:
        where, key = f"{name}:{window.line}", ""
        if closing == "}":
            key, _ = window.value()
            if not isinstance(key, str) or window.sign() != ":":
                raise ValueError("a member without a name")
            window.skip()
            window.sign()
        value, source = window.value()
        yield Item(key, _repaired(value, source), where)
        if window.sign() == ",":
            window.skip()
        elif window.sign() != closing:
            raise ValueError("an item is followed neither by a comma nor by the end")


class _Window:
    """What has been read of a document: all before ``_at`` is used, and ``line`` is the line of what comes next."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._ended = stream, False
        self._text, self._at, self.line = "", 0, 1

    def _more(self) -> bool:
        """Forget what is used, and read at least as much again as is left: a long item is not tried too often."""
        self._text, self._at = self._text[self._at :], 0
        added = "" if self._ended else self._stream.read(max(_CHUNK, len(self._text)))
        self._ended = not added
        self._text += added
        return bool(added)

    def _use(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def skip(self) -> None:
        """Use up one character."""
        self._use(self._at + 1)

    def sign(self) -> str:
        """Use up blanks and say which character comes next; empty at the end of the file."""
        while True:
            place = self._at
            while place < len(self._text) and self._text[place] in _BLANK:
                place += 1
            self._use(place)
            if place < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def value(self) -> tuple[Any, str]:
        """Use up the JSON value that comes next; the value and its source.

        Raises:
            ValueError: when there is none.
        """
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos > len(self._text) - _LONGEST_WORD
                if not cut or not self._more():
                    raise
                continue
            if end > len(self._text) - len(".e+") and not self._ended:  # a number may go on
                self._more()
                continue
            source = self._text[self._at : end]
            self._use(end)
            return value, source


def _repaired(value: Any, source: str) -> Any:
    """``value`` with what encodings did undone; looked into only where the source can hold such characters."""
    return _deep(value) if not source.isascii() or "\\u00" in source else value


def _deep(value: Any) -> Any:
    if isinstance(value, str):
        return repair(value)
    if isinstance(value, list):
        return [_deep(element) for element in value]
    if isinstance(value, dict):
        return {key: _deep(element) for key, element in value.items()}
    return value

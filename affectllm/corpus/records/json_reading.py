"""Read third-party JSON: documents item by item and JSON lines, each item with ``file:line``.

A document is read through a window, never whole: a release of some hundred megabytes costs what its largest item costs,
and a truncated download loses only what comes after the cut.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from affectllm.corpus.files.packed import inner_suffix, opened
from affectllm.corpus.records.lines import is_lfs_pointer, marked_encoding, read_lines, relative, repair
from affectllm.corpus.sample import Rejection
from affectllm.errors import Malformed

_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"
_CHUNK = 1 << 18  # characters that are read at a time
_LONGEST_LINE = 1 << 24  # bytes; a longer first line is a document without line breaks, not one of JSON lines
# A high surrogate as an escape may lack its partner; surrogates in the text itself stand for bytes that are no UTF-8.
_HALF = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
# Strings are matched whole, so that brackets and commas within them do not count.
_SIGNS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
_LONGEST_WORD = 40  # a number or word that the end of the window cuts is no longer than this


@dataclass(frozen=True, slots=True)
class Item:
    """One element of a list, one line of JSON lines, or one member of an object (then ``key`` is its name)."""

    key: str
    value: Any
    where: str


def read_json(path: Path, root: Path, encoding: str | None = None) -> Iterator[Item | Rejection]:
    """Yield the elements of a list, the members of an object, or the lines of JSON lines, whatever the suffix says.

    What is not JSON is rejected as ``broken_row``: one line of JSON lines, or the rest of a document. An item that is
    too deep, or holds a number of too many digits, half a character or broken bytes, costs nothing but itself.

    Args:
        encoding: of a file that has no mark and is not UTF-8.

    Raises:
        Malformed: when the file is a Git LFS pointer, or a damaged archive.
    """
    name = relative(path, root)
    if is_lfs_pointer(path):
        raise Malformed("the file is a Git LFS pointer, not the file itself", where=name, do="run `git lfs pull`")
    if path.stat().st_size == 0:
        yield Rejection(name, "broken_row", name, "an empty file")
    elif has_lines(path):
        yield from _lines(path, root, encoding)
    else:
        yield from _document(path, name, encoding)


def has_lines(path: Path) -> bool:
    """Whether every line is a document of its own; a document may also stand on one line, whatever the suffix says."""
    if inner_suffix(path) in (".jsonl", ".ndjson"):
        return not _is_list(path)
    with opened(path) as stream:
        first = stream.readline(_LONGEST_LINE).removeprefix(b"\xef\xbb\xbf")
        if first.strip()[:1] != b"{" or not first.endswith(b"\n") or not stream.readline(_LONGEST_LINE).strip():
            return False
    try:
        return isinstance(json.loads(first), dict)
    except RecursionError:
        return True
    except ValueError:
        return False


def _is_list(path: Path) -> bool:
    """Whether a file called JSON Lines is one list of objects, as trainers write it too."""
    with opened(path) as stream:
        first = stream.readline(_LONGEST_LINE).removeprefix(b"\xef\xbb\xbf").strip()
        following = stream.readline(_LONGEST_LINE).strip()[:1]
    if not first.startswith(b"[") or first[1:].lstrip()[:1] not in (b"", b"{"):
        return False
    return following != b"["  # conversations, one list of messages a line


def _lines(path: Path, root: Path, encoding: str | None) -> Iterator[Item | Rejection]:
    for line in read_lines(path, root, encoding):
        if isinstance(line, Rejection):
            yield line
            continue
        where, text = line
        if not text.strip():
            continue
        try:
            yield _item("", json.loads(text), text, where)
        except json.JSONDecodeError as error:
            yield Rejection(where, "broken_row", where, f"not JSON: {error.msg} at column {error.colno}")
        except (ValueError, RecursionError) as error:
            yield Rejection(where, "broken_row", where, _detail_of(error))


def _document(path: Path, name: str, encoding: str | None) -> Iterator[Item | Rejection]:
    with opened(path) as raw:
        encoding = marked_encoding(raw.read(4)) or encoding or "utf-8-sig"
    with opened(path) as raw:
        stream = io.TextIOWrapper(raw, encoding=encoding, errors="surrogateescape", newline="")
        window = _Window(stream)
        try:
            yield from _items(window, name)
        except UnicodeError as error:
            where = f"{name}:{window.line}"
            yield Rejection(where, "bad_encoding", where, f"the rest of the file cannot be read: {error}"[:120])
        except (ValueError, RecursionError) as error:
            where = f"{name}:{window.line}"
            yield Rejection(where, "broken_row", where, f"the rest of the file cannot be read: {error}"[:120])
        finally:
            stream.detach()


def _items(window: _Window, name: str) -> Iterator[Item | Rejection]:
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
        yield _next(window, key, where)
        if window.sign() == ",":
            window.skip()
        elif window.sign() != closing:
            raise ValueError("an item is followed neither by a comma nor by the end")
    window.skip()
    if window.sign():
        raise ValueError("another document follows; write one list, or one object a line")


def _next(window: _Window, key: str, where: str) -> Item | Rejection:
    """Return the next item; a rejection where it is JSON that cannot be represented."""
    try:
        value, source = window.value()
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        window.skip_value()
        return Rejection(where, "broken_row", where, _detail_of(error))
    return _item(key, value, source, where)


def _item(key: str, value: Any, source: str, where: str) -> Item | Rejection:
    if _HALF.search(source) and not _whole(key, value):
        detail = "half a character (a lone surrogate), or bytes in another encoding"
        return Rejection(where, "bad_encoding", where, detail)
    return Item(key, _repaired(value, source), where)


def _whole(*values: Any) -> bool:
    try:
        json.dumps(values, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _detail_of(error: Exception) -> str:
    return "nested too deep" if isinstance(error, RecursionError) else str(error)[:120]


class _Window:
    """A read buffer over a document: all before ``_at`` is used, and ``line`` is the line of what comes next."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._ended = stream, False
        self._text, self._at, self.line = "", 0, 1

    def _more(self) -> bool:
        """Drop what is consumed, and read at least as much again as is left: a long item is not tried too often."""
        self._text, self._at = self._text[self._at :], 0
        added = "" if self._ended else self._stream.read(max(_CHUNK, len(self._text)))
        self._ended = not added
        self._text += added
        return bool(added)

    def _use(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def skip(self) -> None:
        """Consume one character."""
        self._use(self._at + 1)

    def sign(self) -> str:
        """Consume blanks and return the character that comes next; empty at the end of the file."""
        while True:
            place = self._at
            while place < len(self._text) and self._text[place] in _BLANK:
                place += 1
            self._use(place)
            if place < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def value(self) -> tuple[Any, str]:
        """Consume the next JSON value; return the value and its source.

        Raises:
            ValueError: when there is none.
        """
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                # An error near the end of what has been read may only mean that the rest is not read yet.
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

    def skip_value(self) -> None:
        """Consume the next JSON value without parsing it.

        Raises:
            ValueError: when it does not end.
        """
        while (end := self._end()) is None:
            if not self._more():
                raise ValueError("the file ends within an item")
        self._use(end)

    def _end(self) -> int | None:
        depth = 0
        for sign in _SIGNS.finditer(self._text, self._at):
            opens, closes = sign[0] in "[{", sign[0] in "]}"
            if depth == 0 and (closes or sign[0] == ","):
                return sign.start()
            depth += opens - closes
            if depth == 0 and closes:
                return sign.end()
        return None


def _repaired(value: Any, source: str) -> Any:
    """Undo what encodings did to ``value``; walks it only where the source can hold such characters."""
    return _deep(value) if not source.isascii() or "\\u00" in source else value


def _deep(value: Any) -> Any:
    if isinstance(value, str):
        return repair(value)
    if isinstance(value, list):
        return [_deep(element) for element in value]
    if isinstance(value, dict):
        return {key: _deep(element) for key, element in value.items()}
    return value

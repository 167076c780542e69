"""JSON in other people's releases: documents item by item and JSON lines, each item with ``file:line``.

A document is read whole but parsed one item at a time, so that a truncated download costs the items after the cut only,
and a rejection can say on which line it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.corpus.reading import is_lfs_pointer, read_lines, relative, repair
from affectllm.corpus.sample import Rejection
from affectllm.errors import Malformed

_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"


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
    yield from _lines(path, root) if _has_lines(path) else _document(path, root)


def _has_lines(path: Path) -> bool:
    """Whether every line is a document of its own; a document may also stand on one line."""
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return True
    with path.open("rb") as stream:
        first, second = stream.readline(), stream.readline()
    if first.strip()[:1] != b"{" or not second.strip():
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


def _document(path: Path, root: Path) -> Iterator[Item | Rejection]:
    name = relative(path, root)
    if is_lfs_pointer(path):
        raise Malformed("the file is a Git LFS pointer, not the file itself", where=name, do="run `git lfs pull`")
    text = _decoded(path.read_bytes())
    if text is None:
        yield Rejection(name, "bad_encoding", name, "neither UTF-8 nor UTF-16")
        return
    start, line, counted = _skip(text, 0), 1, 0
    closing = {"[": "]", "{": "}"}.get(text[start : start + 1])
    if closing is None:
        yield Rejection(name, "broken_row", name, f"no list and no object: {text[:60]!r}")
        return
    place = _skip(text, start + 1)
    while text[place : place + 1] != closing:
        line += text.count("\n", counted, place)
        counted, where = place, f"{name}:{line}"
        try:
            key, value, end = _member(text, place) if closing == "}" else ("", *_DECODER.raw_decode(text, place))
            following = _following(text, end, closing)
        except (ValueError, RecursionError) as error:
            yield Rejection(where, "broken_row", where, f"the rest of the file cannot be read: {str(error)[:80]}")
            return
        yield Item(key, _repaired(value, text[place:end]), where)
        place = following


def _decoded(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return None


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _BLANK:
        place += 1
    return place


def _member(text: str, place: int) -> tuple[str, Any, int]:
    key, end = _DECODER.raw_decode(text, place)
    end = _skip(text, end)
    if not isinstance(key, str) or text[end : end + 1] != ":":
        raise ValueError("a member without a name")
    value, end = _DECODER.raw_decode(text, _skip(text, end + 1))
    return key, value, end


def _following(text: str, end: int, closing: str) -> int:
    end = _skip(text, end)
    if text[end : end + 1] == closing:
        return end
    if text[end : end + 1] != ",":
        raise ValueError("an item is not followed by a comma")
    return _skip(text, end + 1)


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

"""Read lines of third-party text files: broken encodings, three kinds of line ends, packed or not, each with its place.

Every line keeps ``file:line``, and one that cannot be read is a ``Rejection``, so that it costs nothing but itself.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from affectllm.corpus.files.packed import opened
from affectllm.corpus.sample import Rejection
from affectllm.errors import Malformed

MAX_LINE = 1 << 26
"""Bytes of one line; a longer one is no line of text, and would be held in memory whole."""
_HEAD = 1 << 16  # bytes by which the encoding and the line ends are told
_LFS = b"version https://git-lfs"
_LFS_SIZES = range(100, 200)  # a pointer file is about 130 bytes long
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_WIDE = ("utf-16", "utf-32", "utf_16", "utf_32", "u16", "u32")
# Release notes that went through Windows-1252 twice leave the C1 controls U+0080 to U+009F in otherwise valid UTF-8.
_C1 = {code: bytes([code]).decode("cp1252", "ignore") or None for code in range(0x80, 0xA0)}
_TO_REPAIR = re.compile("[\x80-\xa0]")  # looked for first: translating costs ten times as much as looking
_NO_WESTERN = re.compile(rb"[\x80-\xff]{4}")
_DOUBLE_ENCODED = re.compile("â€|Ã[\u0080-¿]")


def relative(path: Path, root: Path) -> str:
    """Return ``path`` below ``root`` in POSIX form, as samples and media references carry it."""
    return path.relative_to(root).as_posix()


def is_lfs_pointer(path: Path) -> bool:
    """Whether ``path`` is what Git leaves where LFS is not installed: a text of some 130 bytes instead of the file."""
    try:
        if path.stat().st_size not in _LFS_SIZES:
            return False
        with path.open("rb") as stream:
            return stream.read(len(_LFS)) == _LFS
    except (OSError, ValueError):
        return False


def repair(text: str) -> str:
    """Undo what encodings did: C1 controls become what Windows-1252 meant by them, no-break spaces become spaces."""
    return text.translate(_C1).replace("\u00a0", " ") if _TO_REPAIR.search(text) else text


def read_lines(path: Path, root: Path, encoding: str | None = None) -> Iterator[tuple[str, str] | Rejection]:
    """Yield ``(file:line, text)`` for every line of a file, repaired, without its line end.

    UTF-8 with or without a byte-order mark, UTF-16 and UTF-32 by their mark; a line that is no UTF-8 is read as
    Windows-1252, and rejected as ``bad_encoding`` when that makes no sense either. ``encoding`` overrules all this but
    the marks of UTF-16 and UTF-32. Lines end as the first one does: with LF, CR LF, or CR alone. Files may be packed.

    Raises:
        Malformed: when the file is a Git LFS pointer, a damaged archive, or has a line of more than ``MAX_LINE`` bytes.
    """
    name = relative(path, root)
    if is_lfs_pointer(path):
        raise Malformed("the file is a Git LFS pointer, not the file itself", where=name, do="run `git lfs pull`")
    with opened(path) as stream:
        head = stream.read(_HEAD)
    wide = next((named for mark, named in _MARKS if head.startswith(mark) and named != "utf-8-sig"), None)
    encoding = wide or _unmarked(head) or encoding
    ending = _line_end(head.decode(encoding or "latin-1", "ignore"))
    with opened(path) as stream:
        if encoding and encoding.lower().startswith(_WIDE):
            yield from _wide_lines(stream, encoding, ending, name)
            return
        for number, raw in enumerate(_raw_lines(stream, ending, name), 1):
            decoded = _decoded(raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw, encoding)
            where = f"{name}:{number}"
            yield (where, decoded) if decoded is not None else Rejection(where, "bad_encoding", where, repr(raw[:80]))


def marked_encoding(start: bytes) -> str | None:
    """Return the encoding that the byte-order mark in the first four bytes of a file names."""
    return next((named for mark, named in _MARKS if start.startswith(mark)), None)


def own_encoding(path: Path, asked: str | None) -> str | None:
    """Return the encoding of a file, ``asked`` where it has no sign of its own; None where it is UTF-8, or unknown.

    A mark tells, and so do letters beyond ASCII that are valid UTF-8, which those of no other encoding are by chance.
    """
    if asked is None:
        return None
    decoder, plain = codecs.getincrementaldecoder("utf-8")(), True
    with opened(path) as stream:
        head = stream.read(_HEAD)
        if any(head.startswith(mark) for mark, _ in _MARKS):
            return None
        if asked.lower().startswith(_WIDE):
            return asked if b"\0" in head else None
        try:
            while head:
                plain = plain and head.isascii()
                decoder.decode(head)
                head = stream.read(1 << 20)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return asked
    return asked if plain else None


def _unmarked(head: bytes) -> str | None:
    """Detect UTF-16 without a mark: every other byte of a text in Latin letters is zero."""
    first, second = head[::2], head[1::2]
    for zeros, others, encoding in ((second, first, "utf-16-le"), (first, second, "utf-16-be")):
        if len(zeros) > 8 and zeros.count(0) > len(zeros) * 0.4 and others.count(0) < len(others) * 0.05:
            return encoding
    return None


def _line_end(head: str) -> str:
    """Return how the first line ends, ignoring closed quotes: cells of old files may hold the other character."""
    bare = re.sub(r'"[^"]*"', "", head)
    for text in (bare, head):
        match = re.search(r"\r\n|\n|\r(?=.)", text, re.DOTALL)
        if match:
            return "\r" if match[0] == "\r" else "\n"
    return "\n"


def _raw_lines(stream: IO[bytes], ending: str, name: str) -> Iterator[bytes]:
    if ending == "\r":
        text = io.TextIOWrapper(stream, encoding="latin-1", newline="\r")
        try:
            yield from (line.rstrip("\r").encode("latin-1") for line in text)
        finally:
            text.detach()
        return
    while line := stream.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise Malformed(f"a line of more than {MAX_LINE:,} bytes", where=name, do="check that it is a text file")
        yield line


def _wide_lines(stream: IO[bytes], encoding: str, ending: str, name: str) -> Iterator[tuple[str, str] | Rejection]:
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=ending)
    try:
        number = 0
        while line := text.readline(MAX_LINE):
            number += 1
            if len(line) == MAX_LINE:
                raise Malformed(f"a line of more than {MAX_LINE:,} characters", where=name, do="check the file")
            where, broken = f"{name}:{number}", "\ufffd" in line
            line = repair(line.rstrip("\r\n"))
            yield Rejection(where, "bad_encoding", where, line[:80]) if broken else (where, line)
    except UnicodeError as error:  # a wide encoding that is named, in a file without its mark
        where = f"{name}:{number + 1}"
        yield Rejection(where, "bad_encoding", where, str(error)[:120])
    finally:
        text.detach()


def _decoded(raw: bytes, asked: str | None) -> str | None:
    for encoding in (asked,) if asked else ("utf-8", "cp1252"):
        try:
            text = raw.decode(encoding).rstrip("\r\n")
        except UnicodeDecodeError:
            continue
        # A line of broken UTF-8 reads as Windows-1252 too, but as the tell-tale pairs of a double encoding; one in an
        # encoding of Chinese, Japanese, Korean or Cyrillic, as words of nothing but accented letters.
        foreign = encoding == "cp1252" and not asked and (_DOUBLE_ENCODED.search(text) or _NO_WESTERN.search(raw))
        return None if foreign else repair(text)
    return None

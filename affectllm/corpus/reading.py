"""Reading other people's files: tables with line numbers, broken encodings, nested folders, system debris.

Every reader streams, keeps ``file:line`` for what it yields, and yields a ``Rejection`` for a line that cannot be used,
so that one broken row costs one row. Media are listed here, never opened.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from affectllm.corpus.card import CorpusCard
from affectllm.corpus.sample import Rejection
from affectllm.errors import AffectError, Malformed, MissingCorpus

MAX_DEPTH = 4  # the deepest release seen so far nests its files three folders below the folder that people unpack into
MAX_RECORD_LINES = 20  # a quoted field with more line breaks is an unclosed quote
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".rar", ".7z")
_LFS = b"version https://git-lfs"
_LFS_SIZES = range(100, 200)  # a pointer file is about 130 bytes long
# Release notes that went through Windows-1252 twice leave the C1 controls U+0080 to U+009F in otherwise valid UTF-8.
_C1 = {code: bytes([code]).decode("cp1252", "ignore") or None for code in range(0x80, 0xA0)}
_TO_REPAIR = re.compile("[\x80-\xa0]")  # looked for first: translating costs ten times as much as looking
_NEEDS_CSV = re.compile('["\r\n]')
_DOUBLE_ENCODED = re.compile("â€|Ã[\u0080-¿]")


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a table: its fields by column name, and ``file:line`` where it starts."""

    fields: Mapping[str, str]
    where: str

    def __getitem__(self, column: str) -> str:
        return self.fields[column]


def folder_of(root: Path, card: CorpusCard, looks_right: Callable[[Path], bool], expected: str) -> Path:
    """The folder at or below ``root`` that holds the corpus: people often give a folder one level too high.

    Args:
        looks_right: says whether a folder holds the files that make it this corpus.
        expected: those files in words, for the error.

    Raises:
        MissingCorpus: when there is none; the message says so when the folder above ``root`` is the right one.
    """
    if not root.is_dir():
        raise MissingCorpus(f"{root} is not a folder", do=_remedy(card, expected))
    for folder in folders_below(root):
        if looks_right(folder):
            return folder
    for above in root.absolute().parents[:2]:
        if _is_above(above, looks_right):
            raise MissingCorpus(
                f"{root} lies inside {card.title}, below its root", do=f"pass --root {card.name}={above}"
            )
    packed = [path.name for path in sorted(root.iterdir()) if path.name.endswith(_ARCHIVES)]
    first = f"unpack {', '.join(packed[:3])} there; or " if packed else ""
    told = f"{root} holds no {card.title}: expected {expected}"
    raise MissingCorpus(told, do=first + _remedy(card, expected))


def _is_above(folder: Path, looks_right: Callable[[Path], bool]) -> bool:
    """Whether a folder that nobody named holds the corpus; what else lies in it is no reason to fail."""
    if folder == folder.parent:  # below "/" lies the whole machine
        return False
    try:
        return looks_right(folder)
    except (AffectError, OSError):
        return False


def _remedy(card: CorpusCard, expected: str) -> str:
    return f"pass --root {card.name}=DIR where DIR holds {expected}. How to get it: {card.obtain}"


def folders_below(root: Path, depth: int = MAX_DEPTH) -> Iterator[Path]:
    """``root`` and the folders below it, nearest first, sorted by name, without hidden ones and archive debris."""
    level = [root]
    for _ in range(depth + 1):
        yield from level
        level = [child for folder in level for child in _subfolders(folder)]


def _subfolders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir() and not is_debris(entry.name))
    except PermissionError as error:
        # Leaving it out could leave out half of the corpus without a word.
        raise Malformed("the folder may not be read", where=str(folder), do="check its permissions") from error
    return [folder / name for name in names]


def is_debris(name: str) -> bool:
    """Whether an operating system left this file or folder behind (``._x.mp4``, ``.DS_Store``, ``__MACOSX``, …)."""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def find_file(root: Path, *names: str) -> Path | None:
    """The nearest file below ``root`` called by one of ``names``."""
    for folder in folders_below(root):
        for name in names:
            if (folder / name).is_file():
                return folder / name
    return None


def list_media(folder: Path, suffixes: Collection[str], depth: int = 0) -> Iterator[Path]:
    """Files with one of ``suffixes`` in ``folder`` (and ``depth`` levels below), nearest first, sorted, no debris."""
    for place in folders_below(folder, depth):
        with os.scandir(place) as entries:
            names = sorted(entry.name for entry in entries if not is_debris(entry.name))
        for name in names:
            if os.path.splitext(name)[1].lower() in suffixes and (place / name).is_file():
                yield place / name


def relative(path: Path, root: Path) -> str:
    """``path`` below ``root`` in POSIX form, as samples and media references carry it."""
    return path.relative_to(root).as_posix()


def inside(path: str) -> bool:
    """Whether a path that a table names stays below the root: relative, without ``..``, on every system."""
    parts = PurePosixPath(path.replace("\\", "/"))
    return not parts.is_absolute() and ".." not in parts.parts and ":" not in path and bool(path.strip())


def media_path(base: Path, root: Path, named: str, where: str = "") -> str | Rejection:
    """The file that a table names, as a path below ``root``; a rejection when it is not there or not below the root.

    Args:
        base: the folder that ``named`` is relative to.
        root: the root of the corpus, which no path and no link may leave.
        named: the path as the table has it; ``\\`` separates folders too.
        where: ``file:line`` of the table, for the rejection.
    """
    tidy = named.strip().replace("\\", "/")
    if not inside(tidy):
        return Rejection(named, "unsafe_path", where, "absolute, or outside the corpus")
    path = base / tidy
    if not path.is_file():
        return Rejection(named, "media_missing", where)
    if not path.resolve().is_relative_to(root.resolve()):
        return Rejection(named, "unsafe_path", where, "a link that leaves the corpus")
    return relative(path, root)


def is_lfs_pointer(path: Path) -> bool:
    """Whether ``path`` is what Git leaves where LFS is not installed: a text of some 130 bytes instead of the file."""
    try:
        if path.stat().st_size not in _LFS_SIZES:
            return False
        with path.open("rb") as stream:
            return stream.read(len(_LFS)) == _LFS
    except PermissionError:
        return False


def repair(text: str) -> str:
    """Undo what encodings did: C1 controls become what Windows-1252 meant by them, no-break spaces become spaces."""
    return text.translate(_C1).replace("\u00a0", " ") if _TO_REPAIR.search(text) else text


def read_lines(path: Path, root: Path, encoding: str | None = None) -> Iterator[tuple[str, str] | Rejection]:
    """``(file:line, text)`` for every line of a file, repaired, without its line end.

    UTF-8 with or without a byte-order mark, UTF-16 by its mark; a line that is no UTF-8 is read as Windows-1252, and
    rejected as ``bad_encoding`` when that makes no sense either. ``encoding`` overrules all this.

    Raises:
        Malformed: when the file is a Git LFS pointer.
    """
    name = relative(path, root)
    if is_lfs_pointer(path):
        raise Malformed("the file is a Git LFS pointer, not the file itself", where=name, do="run `git lfs pull`")
    with path.open("rb") as stream:
        encoding = encoding or _marked_encoding(stream.read(4))
    if encoding:
        with path.open(encoding=encoding, errors="replace", newline="\n") as text:
            for number, line in enumerate(text, 1):
                where = f"{name}:{number}"
                broken = "\ufffd" in line
                line = repair(line.rstrip("\r\n"))
                yield Rejection(where, "bad_encoding", where, line[:80]) if broken else (where, line)
        return
    with path.open("rb") as stream:
        for number, raw in enumerate(stream, 1):
            decoded = _decoded(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)
            where = f"{name}:{number}"
            yield (where, decoded) if decoded is not None else Rejection(where, "bad_encoding", where, repr(raw[:80]))


def _marked_encoding(start: bytes) -> str | None:
    return "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else None


def _decoded(raw: bytes) -> str | None:
    for encoding in ("utf-8", "cp1252"):
        try:
            text = raw.decode(encoding).rstrip("\r\n")
        except UnicodeDecodeError:
            continue
        # A line of broken UTF-8 reads as Windows-1252 too, but as the tell-tale pairs of a double encoding.
        return repair(text) if encoding == "utf-8" or not _DOUBLE_ENCODED.search(text) else None
    return None


def read_csv(path: Path, root: Path, columns: Collection[str]) -> Iterator[Row | Rejection]:
    """Records of a quoted, comma-separated file with a header.

    A record that does not have as many fields as the header is rejected as ``broken_row``. An unclosed quote costs its
    own line only: the csv module alone would swallow everything up to the next quote.

    Raises:
        Malformed: when one of ``columns`` is not in the header.
    """
    lines = read_lines(path, root)
    header = _header(lines, path, root, columns)
    waiting: list[tuple[str, str] | Rejection] = []
    while waiting := waiting or list(islice(lines, 1)):
        first = waiting.pop(0)
        if isinstance(first, Rejection):
            yield first
            continue
        record = _record([first[1]], len(header))
        if record is None and first[1].count('"') % 2:
            waiting += islice(lines, MAX_RECORD_LINES - len(waiting))
            record = _joined(first[1], waiting, len(header))
        if record is not None:
            yield Row(dict(zip(header, record, strict=True)), first[0])
        elif first[1].strip():
            yield Rejection(first[0], "broken_row", first[0], first[1][:120])


def _header(
    lines: Iterator[tuple[str, str] | Rejection], path: Path, root: Path, columns: Collection[str]
) -> list[str]:
    first = next(lines, ("", ""))
    text = first.detail if isinstance(first, Rejection) else first[1]
    header = [name.strip() for name in next(csv.reader([text]), [])]
    if absent := [column for column in columns if column not in header]:
        raise Malformed(
            f"the header lacks {', '.join(absent)}; it reads {text[:80]!r}",
            where=f"{relative(path, root)}:1",
            do="get the file again from the release; it may have been saved by another program",
        )
    return header


def _record(lines: list[str], width: int) -> list[str] | None:
    """The fields of exactly one complete record, or None."""
    if len(lines) == 1 and lines[0] and not _NEEDS_CSV.search(lines[0]):
        fields = lines[0].split(",")  # what the csv module finds here too, at several times the cost
        return fields if len(fields) == width else None
    try:
        records = list(csv.reader((line + "\n" for line in lines), strict=True))
    except csv.Error:
        return None
    return records[0] if len(records) == 1 and len(records[0]) == width else None


def _joined(first: str, waiting: list[tuple[str, str] | Rejection], width: int) -> list[str] | None:
    """A record that continues on the following lines, which are taken off ``waiting``; None when none does."""
    lines = [first]
    for taken, following in enumerate(waiting, 1):
        if isinstance(following, Rejection):
            return None
        lines.append(following[1])
        if following[1].count('"') % 2 == 0:
            continue
        record = _record(lines, width)
        if record is not None:
            del waiting[:taken]
        return record
    return None


def read_delimited(path: Path, root: Path, separator: str, width: int) -> Iterator[tuple[str, list[str]] | Rejection]:
    """``(file:line, fields)`` of a file without quoting, header included; fewer than ``width`` fields are rejected."""
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        where, text = line
        fields = text.split(separator)
        if len(fields) >= width:
            yield where, fields
        elif text.strip():
            yield Rejection(where, "broken_row", where, text[:120])


def first_sight(seen: set[str], identifier: str, where: str) -> Rejection | None:
    """Remember ``identifier``; a ``duplicate_id`` rejection when it was seen before."""
    if identifier in seen:
        return Rejection(identifier, "duplicate_id", where)
    seen.add(identifier)
    return None


def missing_file(name: str, card: CorpusCard) -> Rejection:
    """A file of the release that is not there while others are."""
    return Rejection(name, "file_missing", name, f"expected by {card.title}; the corpus may be half downloaded")

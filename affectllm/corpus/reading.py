"""Read third-party files: tables with line numbers, broken encodings, nested folders, system debris.

Every reader streams, keeps ``file:line`` for what it yields, and yields a ``Rejection`` for a line that cannot be used,
so that one broken row costs one row. Media are listed here, never opened.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from affectllm.corpus.card import CorpusCard
from affectllm.corpus.files.links import leaves
from affectllm.corpus.files.names import find_equivalent
from affectllm.corpus.records.lines import is_lfs_pointer, read_lines, relative, repair
from affectllm.corpus.records.separated import Records
from affectllm.corpus.sample import Rejection
from affectllm.errors import AffectError, Malformed, MissingCorpus

__all__ = [
    "MAX_DEPTH",
    "Row",
    "find_file",
    "first_sight",
    "folder_of",
    "folders_below",
    "inside",
    "is_debris",
    "is_lfs_pointer",
    "list_files",
    "list_media",
    "media_path",
    "missing_file",
    "read_csv",
    "read_delimited",
    "read_lines",
    "relative",
    "repair",
]
MAX_DEPTH = 4  # the deepest release seen so far nests its files three folders below the folder that people unpack into
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_DEBRIS = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information")
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".rar", ".7z")


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a table: its fields by column name, and ``file:line`` where it starts."""

    fields: Mapping[str, str]
    where: str

    def __getitem__(self, column: str) -> str:
        return self.fields[column]


def folder_of(root: Path, card: CorpusCard, looks_right: Callable[[Path], bool], expected: str) -> Path:
    """Return the folder at or below ``root`` that holds the corpus: people often give a folder one level too high.

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
    message = f"{root} holds no {card.title}: expected {expected}"
    raise MissingCorpus(message, do=first + _remedy(card, expected))


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
    """Yield ``root`` and the folders below it, nearest first, sorted by name, without hidden ones and archive debris.

    A link to a folder in which it lies itself is left out: all below it would be found again and again.
    """
    level = [_Place(root, (os.path.realpath(root),))]
    for _ in range(depth + 1):
        yield from (place.folder for place in level)
        level = [child for place in level for child in _subfolders(place)]


class _Place(NamedTuple):
    """A folder, and its real path after those of the folders through which it was reached."""

    folder: Path
    reached: tuple[str, ...]


def _subfolders(place: _Place) -> list[_Place]:
    try:
        with os.scandir(place.folder) as entries:
            entries_below = sorted((e.name, e.is_symlink()) for e in entries if _is_folder(e) and not is_debris(e.name))
    except PermissionError as error:
        # Leaving it out could leave out half of the corpus without a word.
        raise Malformed("the folder may not be read", where=str(place.folder), do="check its permissions") from error
    children = []
    for name, is_link in entries_below:
        inner = os.path.join(place.reached[-1], name)
        real = os.path.realpath(inner) if is_link else inner
        if not is_link or not any(f"{above}{os.sep}".startswith(f"{real}{os.sep}") for above in place.reached):
            children.append(_Place(place.folder / name, (*place.reached, real)))
    return children


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def is_debris(name: str) -> bool:
    """Whether an operating system left this file or folder behind (``._x.mp4``, ``.DS_Store``, ``__MACOSX``, …)."""
    return name.startswith((".", "@eaDir", "Icon\r")) or name.lower() in _DEBRIS


def find_file(root: Path, *names: str) -> Path | None:
    """Return the nearest file below ``root`` called by one of ``names``."""
    for folder in folders_below(root):
        for name in names:
            if (folder / name).is_file():
                return folder / name
    return None


def list_media(folder: Path, suffixes: Collection[str], depth: int = 0) -> Iterator[Path]:
    """Yield files with one of ``suffixes`` in ``folder`` (or ``depth`` levels below), nearest first, no debris."""
    return (path for path in _entries(folder, depth, suffixes) if _is_file(path))


def list_files(folder: Path, depth: int = 0) -> Iterator[Path]:
    """As ``list_media``, files of any ending."""
    return (path for path in _entries(folder, depth, None) if _is_file(path))


def _entries(folder: Path, depth: int, suffixes: Collection[str] | None) -> Iterator[Path]:
    for place in folders_below(folder, depth):
        with os.scandir(place) as entries:
            names = sorted(entry.name for entry in entries if not is_debris(entry.name))
        for name in names:
            if suffixes is None or os.path.splitext(name)[1].lower() in suffixes:
                yield place / name


def _is_file(path: Path) -> bool:
    """Whether this is a file, or a link to nothing: that one is listed too, so that the guard can count it."""
    try:
        return path.is_file() or (path.is_symlink() and not path.is_dir())
    except OSError:
        return path.is_symlink()


def inside(path: str) -> bool:
    """Whether a path that a table names stays below the root: relative, without ``..``, on every system."""
    parts = PurePosixPath(path.replace("\\", "/"))
    return not parts.is_absolute() and ".." not in parts.parts and not _on_a_drive(path) and bool(path.strip())


def _on_a_drive(path: str) -> bool:
    """Whether a path names a drive (``C:\\x``, ``C:/x``); other colons (``12:30.wav``) are valid but on Windows."""
    return bool(_DRIVE.match(path)) or (os.name == "nt" and ":" in path)


def media_path(base: Path, root: Path, named: str, where: str = "") -> str | Rejection:
    """Return the file that a table names, as a path below ``root``; a rejection when it is missing or outside the root.

    A file whose name differs in nothing but the form of its letters or their case is the one that is meant; the path is
    as the table has it, and the guard of all builders puts the file's own name there and counts it.

    Args:
        base: the folder that ``named`` is relative to.
        root: the root of the corpus, which no path and no link may leave.
        named: the path as the table has it; where no file is called so, blanks around it mean nothing, and ``\\``
            separates folders.
        where: ``file:line`` of the table, for the rejection.

    Raises:
        Malformed: when a folder of it is a link that leaves the root.
    """
    tidy = named.strip().replace("\\", "/")
    if not inside(tidy):
        return Rejection(named, "unsafe_path", where, "absolute, or outside the corpus")
    try:
        # As it stands, where a file is called so: a name may begin with a blank, and hold a backslash.
        path = base / named if (base / named).is_file() else base / tidy
        if not path.is_file() and ((spelt := find_equivalent(base, tidy)) is None or not spelt.is_file()):
            return Rejection(named, "media_missing", where)
    except (OSError, ValueError) as error:  # a name that is too long for the disk, or not one that a system can have
        return Rejection(named[:200], "media_missing", where, getattr(error, "strerror", None) or str(error))
    below_root = relative(path, root)
    refused = leaves(root, below_root)
    return Rejection(named, "unsafe_path", where, refused) if refused else below_root


def read_csv(path: Path, root: Path, columns: Collection[str]) -> Iterator[Row | Rejection]:
    """Yield the records of a quoted, comma-separated file with a header.

    A record that does not have as many fields as the header is rejected as ``broken_row``. An unclosed quote costs its
    own line only: the csv module alone would swallow everything up to the next quote.

    Raises:
        Malformed: when one of ``columns`` is not in the header.
    """
    records = Records(read_lines(path, root), ",", exact=True)
    first = records.first()
    header = [name.strip() for name in first[1]] if first else []
    if absent := [column for column in columns if column not in header]:
        raise Malformed(
            f"the header lacks {', '.join(absent)}; it reads {','.join(header)[:80]!r}",
            where=f"{relative(path, root)}:1",
            do="get the file again from the release; it may have been saved by another program",
        )
    for record in records.rest(len(header)):
        if isinstance(record, Rejection):
            yield record
        else:
            yield Row(dict(zip(header, record[1], strict=True)), record[0])


def read_delimited(path: Path, root: Path, separator: str, width: int) -> Iterator[tuple[str, list[str]] | Rejection]:
    """Yield ``(file:line, fields)`` of a file without quoting, header included; rejected below ``width`` fields."""
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
    """Return the rejection of a file of the release that is missing while others are there."""
    return Rejection(name, "file_missing", name, f"expected by {card.title}; the corpus may be half downloaded")

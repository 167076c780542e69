"""Find the items to predict: files, folders, tables of clips and texts, and texts, as samples without annotations."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, MediaRef, Rejection, Sample
from affectllm.corpus.files.suffixes import FILMS, MEDIA, PICTURES, SOUNDS
from affectllm.corpus.reading import MAX_DEPTH, list_media
from affectllm.corpus.records.rows import Reading, Record, is_table, read_rows
from affectllm.errors import Malformed, NotFound

CORPUS = "files"
"""The name under which the clips of items are referred to; their paths are absolute."""
ROOTS: Mapping[str, Path] = {CORPUS: Path("/")}
_CLIPS = ("clip", "path", "file", "file_name", "filename", "video", "audio", "image", "wav", "media")
_TEXTS = ("text", "utterance", "sentence", "transcript", "transcription", "words")
_IDS = ("id", "item", "key")
Item = Sample | Rejection


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are read; empty values mean the usual names.

    Args:
        clips: columns of clips' paths, relative to the table.
        text: column of the words.
        id: column that names the items.
    """

    clips: tuple[str, ...] = ()
    text: str = ""
    id: str = ""


def read_items(
    names: Sequence[str], texts: Sequence[str] = (), columns: Columns | None = None, how: Reading | None = None
) -> Iterator[Item]:
    """Yield a sample for each clip, row and text, and a rejection for what is none, in order.

    Args:
        names: paths of clips, of folders of clips, and of tables.
        texts: words without a clip.

    Raises:
        Malformed: when a table has no column of clips or texts, or cannot be read as what its ending says; when a clip
            or a table is named twice, by itself or by its folder.
        NotFound: when a folder holds no clip.
    """
    seen: set[str] = set()
    for name in names:
        path = Path(name).expanduser()
        if is_table(path) and path.exists():
            _once(path, seen)
            yield from _rows(path, columns or Columns(), how)
            continue
        for clip in _clips_in(path) if path.is_dir() else [path]:
            _once(clip, seen)
            yield _clip(name if clip == path else str(clip), clip)
    for number, text in enumerate(texts, 1):
        yield sample_of(f"text {number}", "--text", (), text)


def clip_ref(path: Path, *, start: float | None = None, end: float | None = None) -> MediaRef | None:
    """Return the reference to a clip, its modality by the ending of its name; None where that is none of a clip's."""
    suffix = path.suffix.lower()
    kinds = (("video", FILMS), ("audio", SOUNDS), ("image", PICTURES))
    kind: Any = next((kind for kind, suffixes in kinds if suffix in suffixes), None)
    if kind is None:
        return None
    return MediaRef(os.path.abspath(path), kind, sound=kind == "video", start=start, end=end)


def _clip(name: str, path: Path) -> Item:
    ref = clip_ref(path)
    if not path.exists():
        return Rejection(name, "missing", name, "there is no such file")
    if ref is None:
        return Rejection(
            name, "not_media", name, f"{path.suffix or 'no ending'} is none of a clip, a table or a folder"
        )
    return sample_of(name, name, (ref,))


def _once(path: Path, seen: set[str]) -> None:
    place = os.path.abspath(path)
    if place in seen:
        raise Malformed("it is named twice, by itself or by its folder", where=str(path), do="name it once")
    seen.add(place)


def _clips_in(folder: Path) -> list[Path]:
    paths = list(list_media(folder, MEDIA, MAX_DEPTH))
    if not paths:
        raise NotFound(f"there is no clip in {folder}", do="give a folder of clips, a clip or a table")
    return paths


def sample_of(name: str, source: str, media: tuple[MediaRef, ...], text: str | None = None) -> Sample:
    """Return the sample without annotations that clips and words, shown together, are."""
    return Sample(name, CORPUS, TEST, (), source, text=text, media=media)


def _rows(table: Path, columns: Columns, how: Reading | None) -> Iterator[Item]:
    chosen: Columns | None = None
    for row in read_rows(table, table.parent, how):
        if isinstance(row, Rejection):
            yield row
            continue
        chosen = chosen or _chosen(columns, list(row.fields), row.where)
        yield _row(row, chosen, table.parent)


def _chosen(columns: Columns, names: Sequence[str], where: str) -> Columns:
    """Return the columns that a table has of those that were named, or else of those with usual names."""
    named = (*columns.clips, *filter(None, (columns.text, columns.id)))
    if absent := [name for name in named if name not in names]:
        raise Malformed(f"there is no column {absent[0]!r}", where=where, do=f"the table has {', '.join(names)}")
    usual = {key: next((name for name in names if name.strip().lower() in known), "") for key, known in _USUAL.items()}
    clips = columns.clips or ((usual["clips"],) if usual["clips"] else ())
    chosen = Columns(clips, columns.text or usual["text"], columns.id or usual["id"])
    if not chosen.clips and not chosen.text:
        do = "name it: --clip-column or --text-column"
        raise Malformed(f"no column of clips or texts among {', '.join(names)}", where=where, do=do)
    return chosen


_USUAL = {"clips": _CLIPS, "text": _TEXTS, "id": _IDS}


def _row(row: Record, columns: Columns, base: Path) -> Item:
    cells = [_cell(row, column) for column in columns.clips]
    paths = [base / Path(cell).expanduser() for cell in cells if cell]
    text = _cell(row, columns.text) or None
    name = _cell(row, columns.id) or next(filter(None, cells), "") or row.where
    if not paths and text is None:
        return Rejection(name, "empty_row", row.where, "neither a clip nor a text")
    media = []
    for path in paths:
        item = _clip(str(path), path)
        if isinstance(item, Rejection):
            return Rejection(name, item.reason, row.where, f"{path}: {item.detail}")
        start, end = (_seconds(row, key) for key in ("start", "end"))
        media += [ref] if (ref := clip_ref(path, start=start, end=end)) else []
    return sample_of(name, row.where, tuple(media), text)


def _cell(row: Record, column: str) -> str:
    value = row.fields.get(column)
    return "" if value is None else str(value).strip()


def _seconds(row: Record, column: str) -> float | None:
    cell = _cell(row, column)
    try:
        return float(cell) if cell else None
    except ValueError as error:
        message = f"{column} is {cell!r}, not a number of seconds"
        raise Malformed(message, where=row.where, do="write seconds, or call the column something else") from error

"""Read the table of generated clips, and labelled real clips from corpora and tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, MediaRef, Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.records.rows import Record, read_rows
from affectllm.corpus.roots import Roots
from affectllm.errors import Malformed, NotFound
from affectllm.fidelity.page import COLUMNS, WORDS, FidelityPage, Labelled
from affectllm.predict.items import CORPUS, clip_ref


@dataclass(frozen=True)
class Pair:
    """A generated clip with what was meant by it.

    Args:
        id: of its row.
        clip: the generated clip; paths are absolute.
        reference: the clip that it was made from or stands for; None where there is none.
        target: the emotion that was asked for; empty where none was.
        intensity: the intensity that was asked for.
        point: valence and arousal that were asked for; empty where they were not.
        item: what several systems have made clips of; comparisons are paired by it.
        cluster: what intervals resample: the speaker, or the item.
    """

    id: str
    clip: MediaRef
    reference: MediaRef | None = None
    target: str = ""
    intensity: float | None = None
    point: Mapping[str, float] = field(default_factory=dict)
    speaker: str = ""
    language: str = ""
    view: str = ""
    system: str = ""
    item: str = ""
    cluster: str = ""


@dataclass(frozen=True)
class Example:
    """A real clip with its label, or its numbers by dimension."""

    sample: Sample
    label: Any
    speaker: str


def read_pairs(page: FidelityPage, table: Path) -> tuple[list[Pair], list[Rejection]]:
    """Return the generated clips of a table, and the rows that are none.

    Raises:
        Malformed: when a column that the page names is missing, a number is none, or a clip of a system is there twice.
    """
    pairs: list[Pair] = []
    seen: dict[Any, str] = {}
    rejected: list[Rejection] = []
    for row in read_rows(table, table.parent):
        if isinstance(row, Rejection):
            rejected.append(row)
            continue
        if absent := [name for name in page.columns.values() if name not in row.fields]:
            do = f"the table has {', '.join(row.fields)}"
            raise Malformed(f"there is no column {absent[0]!r}", where=row.where, do=do)
        item = _pair(
            {role: row.fields.get(page.columns.get(role, role)) for role in COLUMNS}, row, table.parent, page.resample
        )
        if isinstance(item, Rejection):
            rejected.append(item)
            continue
        if first := seen.get(key := (item.system, item.clip)):
            raise Malformed(
                f"{item.clip.path} is there before, in {first}", where=row.where, do="remove one of the rows"
            )
        seen[key] = row.where
        pairs.append(item)
    return pairs, rejected


def _pair(cells: Mapping[str, Any], row: Record, base: Path, resample: str) -> Pair | Rejection:
    words = {name: _word(cells[name]) for name in WORDS}
    name = _word(cells["id"]) or row.where
    clip, reference = (_clip(_word(cells[role]), base, cells, row, role) for role in ("clip", "reference"))
    if clip is None:
        return Rejection(name, "no_clip", row.where, "the row names no clip")
    if isinstance(clip, Rejection) or isinstance(reference, Rejection):
        return clip if isinstance(clip, Rejection) else reference  # type: ignore[return-value]
    point = {name: value for name in ("valence", "arousal") if (value := _number(cells[name], row, name)) is not None}
    words["item"] = words["item"] or (reference.path if reference else name)
    words["cluster"] = words[resample]
    return Pair(name, clip, reference, intensity=_number(cells["intensity"], row, "intensity"), point=point, **words)


def _clip(cell: str, base: Path, cells: Mapping[str, Any], row: Record, role: str) -> MediaRef | Rejection | None:
    if not cell:
        return None
    path = base / Path(cell).expanduser()
    span = {end: _number(cells[end], row, end) for end in ("start", "end")} if role == "clip" else {}
    ref = clip_ref(path, **span)
    if ref is None:
        return Rejection(cell, "not_media", row.where, f"{cell} has the ending of no clip")
    return ref if path.is_file() else Rejection(cell, f"{role}_missing", row.where, f"there is no {path}")


def _word(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value).strip()


def _number(value: Any, row: Record, role: str) -> float | None:
    if not (text := _word(value)):
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Malformed(f"{role} is {text!r}, not a number", where=row.where, do="correct it, or leave it empty")
    return number


def sample_of(ref: MediaRef) -> Sample:
    """Return a clip of the file system as a sample without annotations."""
    return Sample(ref.path, CORPUS, TEST, (), ref.path, media=(ref,))


def examples(labelled: Labelled, base: Path, roots: Roots) -> list[Example]:
    """Return labelled real clips with absolute paths.

    Args:
        base: the folder that a table's path is relative to.

    Raises:
        NotFound: when there is none.
        MissingCorpus: when the corpus is nowhere.
    """
    rows = list(_of_table(labelled, base) if labelled.table else _of_corpus(labelled, roots))
    if not rows:
        where = labelled.table or f"{labelled.corpus}, {labelled.split}, {labelled.space} by {labelled.rater}"
        raise NotFound("there is no labelled clip", where=where, do="see `affectllm show` for spaces and raters")
    return rows


def _of_corpus(labelled: Labelled, roots: Roots) -> Iterator[Example]:
    folder = roots.find(labelled.corpus)
    for sample in load_builder(labelled.corpus).samples(folder):
        if isinstance(sample, Rejection) or sample.split != labelled.split or not sample.media:
            continue
        values = [
            one.value for one in sample.annotations if one.space == labelled.space and one.rater == labelled.rater
        ]
        if len(values) != 1 or isinstance(values[0], (list, tuple, set, frozenset)):
            continue  # what nobody or several labels hold for is no example of one
        media = tuple(_absolute(ref, folder) for ref in sample.media)
        own = Sample(sample.id, CORPUS, TEST, (), sample.source, media=media)
        yield Example(own, values[0], sample.speaker or sample.id)


def _absolute(ref: MediaRef, folder: Path) -> MediaRef:
    return MediaRef(str((folder / ref.path).absolute()), ref.modality, ref.sound, ref.start, ref.end)


def _of_table(labelled: Labelled, base: Path) -> Iterator[Example]:
    table = base / Path(labelled.table).expanduser()
    for row in read_rows(table, table.parent):
        if isinstance(row, Rejection):
            raise Malformed(f"a row cannot be read: {row.detail}", where=row.where, do="correct it")
        clip, label = _word(row.fields.get("clip")), _word(row.fields.get("label"))
        ref = clip_ref(table.parent / clip) if clip else None
        if ref is None or not label:
            raise Malformed("a real clip has the columns clip and label", where=row.where, do="fill them")
        yield Example(sample_of(ref), label, _word(row.fields.get("speaker")) or row.where)

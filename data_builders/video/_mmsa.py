"""Shared reader of MOSI, MOSEI, CH-SIMS and CH-SIMS v2: clips with a sentiment, as MMSA redistributes them.

Not a corpus. The labels are read from the first of these that is there:

- ``label.csv`` or ``meta.csv``: video_id, clip_id, text, label, label_T, label_A, label_V, annotation, mode;
- ``unaligned_*.pkl`` or ``aligned_*.pkl``: split → lists of the same facts beside the features;
- ``label.npz`` of MERBench with ``transcription*.csv``.

Clips are ``Raw/{video_id}/{clip_id}.mp4`` or ``{video_id}_{clip_id}.mp4`` in any folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.files.label_archives import plain, read_labels
from affectllm.corpus.reading import find_file, first_sight, folders_below, is_lfs_pointer, relative
from affectllm.corpus.tables import number, read_table
from affectllm.errors import Malformed
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import SENTIMENT_3
from affectllm.safe_pickle import load_plain_pickle

TABLES = ("label.csv", "meta.csv")
ARCHIVES = {"train_corpus": TRAIN, "val_corpus": VALIDATION, "test_corpus": TEST}
_MODES = {"train": TRAIN, "valid": VALIDATION, "val": VALIDATION, "dev": VALIDATION, "test": TEST}
_WAYS = {"label_T": "text", "label_A": "audio", "label_V": "video"}
_COLUMNS = {
    "video_id": ("video",),
    "clip_id": ("clip",),
    "text": ("raw_text", "transcript"),
    "label": ("label_M", "regression_labels"),
    "annotation": (),
    "mode": ("split",),
    **{name: () for name in _WAYS},
}
_NEIGHBOURS = ("mosei", "mosi", "simsv2", "sims", "iemocap", "meld", "mer20")
_PICKLES = re.compile(r"(un)?aligned.*\.pkl")


@dataclass(frozen=True)
class Layout:
    """Settings that differ between these corpora.

    Args:
        whole: rater of the clip as a whole.
        parts: whether words, voice and face were judged apart, by the raters ``text``, ``audio`` and ``video``.
        width: digits of a clip number, where some tables lost the zeros in front.
        grouped: whether a video lies in one split, so that it is a dialogue of its own.
    """

    card: CorpusCard
    space: LabelSpace
    whole: str
    language: str
    parts: bool = False
    width: int = 0
    grouped: bool = False


@dataclass
class Segment:
    """One clip as a table describes it; ``id`` where it has no clip number."""

    video: str
    clip: str
    split: str
    where: str
    text: str = ""
    labels: dict[str, Any] = field(default_factory=dict)
    word: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    answers: list[Annotation] = field(default_factory=list)
    span: tuple[float, float] | None = None
    id: str = ""

    @property
    def name(self) -> str:
        return self.id or f"{self.video}_{self.clip}"


def clip_key(path: Path) -> str:
    """Return the key ``{video}_{clip}`` of a file named so, or of ``{video}/{clip}.mp4``."""
    return f"{path.parent.name}_{path.stem}" if re.fullmatch(r"\d{1,5}", path.stem) else path.stem


def is_own(folder: Path, own: str) -> bool:
    """Whether a folder may be that of ``own``: downloads have several of these corpora side by side."""
    place = folder.parent if folder.name in ("Raw", "Processed") else folder
    name = re.sub(r"[^a-z0-9]", "", place.name.lower()).replace("sims2", "simsv2")
    owners = [corpus for corpus in _NEIGHBOURS if corpus in name]
    return not owners or own in owners[:1] or (own in owners and own != "sims")


def has_labels(folder: Path, own: str) -> bool:
    """Whether one of the label files of MMSA or MERBench lies in a folder that is not another corpus's."""
    if not is_own(folder, own):
        return False
    if any(_is_table(folder / name) for name in TABLES) or (folder / "label.npz").is_file():
        return True
    return any(_PICKLES.fullmatch(path.name) for path in (*folder.glob("*.pkl"), *folder.glob("Processed/*.pkl")))


def _is_table(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        header = stream.readline(600).replace(b"\0", b"")  # of UTF-16 only the letters
    return b"video_id" in header or is_lfs_pointer(path)


def segments(base: Path, root: Path, layout: Layout) -> Iterator[Segment | Rejection]:
    """Yield the clips of the first label file that is there; none where there is none."""
    if path := next((path for name in TABLES if (path := find_file(base, name)) and _is_table(path)), None):
        yield from _from_table(path, root, layout)
    elif path := _pickle(base):
        yield from _from_pickle(path, root, layout)
    elif path := find_file(base, "label.npz"):
        yield from _from_archive(path, base, root, layout)


def _pickle(base: Path) -> Path | None:
    paths = [path for folder in folders_below(base) for path in sorted(folder.glob("*.pkl"))]
    return next((path for path in reversed(paths) if _PICKLES.fullmatch(path.name)), None)


def clip_number(text: object, layout: Layout) -> str:
    """Return a clip number as the release writes it, with the leading zeros that spreadsheets remove."""
    return re.sub(r"\.0$", "", str(text).strip()).zfill(layout.width)


def _from_table(path: Path, root: Path, layout: Layout) -> Iterator[Segment | Rejection]:
    for row in read_table(path, root, _COLUMNS, optional=("text", "annotation", *_WAYS)):
        if isinstance(row, Rejection):
            yield row
            continue
        fields = row.fields
        video, clip = fields["video_id"].strip(), clip_number(fields["clip_id"], layout)
        split = _MODES.get(fields["mode"].strip().lower(), "")
        if not (video and fields["clip_id"].strip() and split):
            yield Rejection(row.where, "broken_row", row.where, "no video, no clip or no split")
            continue
        labels = {way: fields[column] for column, way in _WAYS.items() if fields.get(column, "").strip()}
        labels["whole"] = fields["label"]
        word = fields.get("annotation", "")
        yield Segment(video, clip, split, row.where, fields.get("text", "").strip(), labels, word.strip())


def _from_pickle(path: Path, root: Path, layout: Layout) -> Iterator[Segment | Rejection]:
    where, content = relative(path, root), load_plain_pickle(path)
    if not isinstance(content, dict):
        raise Malformed(f"a {type(content).__name__} where splits are expected", where=where, do="fetch it again")
    for mode, part in content.items():
        if mode not in _MODES or not isinstance(part, dict):
            yield Rejection(f"{where}/{mode}", "unknown_name", where, "not a split")
            continue
        texts, words = (part.get(key) for key in ("raw_text", "annotations"))
        numbers = {"whole": "regression_labels", **{way: f"regression_{column}" for column, way in _WAYS.items()}}
        numbers |= {way: f"regression_labels_{column[-1]}" for column, way in _WAYS.items()}
        for place, name in enumerate(part.get("id", ())):
            video, _, clip = str(name).rpartition("$_$")
            if not video:
                yield Rejection(str(name), "broken_row", where, "not video$_$clip")
                continue
            labels = {way: _at(part.get(key), place) for way, key in numbers.items() if part.get(key) is not None}
            text, word = str(_at(texts, place) or ""), str(_at(words, place) or "")
            yield Segment(video, clip_number(clip, layout), _MODES[mode], where, text.strip(), labels, word.strip())


def _at(values: Any, place: int) -> Any:
    return plain(values[place]) if values is not None and place < len(values) else None


def _from_archive(path: Path, base: Path, root: Path, layout: Layout) -> Iterator[Segment | Rejection]:
    texts: dict[str, dict[str, str]] = {}
    transcript = find_file(base, "transcription-engchi-polish.csv", "transcription.csv")
    if transcript:
        languages = {"name": (), "chinese": (), "english": ("sentence",)}
        for row in read_table(transcript, root, languages, optional=("chinese", "english")):
            if isinstance(row, Rejection):
                yield row
            else:
                texts[row["name"]] = {tongue: row.fields.get(tongue, "").strip() for tongue in ("chinese", "english")}
    mine, other = ("english", "chinese") if layout.language == "en" else ("chinese", "english")
    for label in read_labels(path, root, ARCHIVES):
        if isinstance(label, Rejection):
            yield label
            continue
        video, _, clip = label.name.rpartition("_")
        words = texts.get(label.name, {})
        facts = {other: words[other]} if words.get(other) else {}
        labels = {"whole": plain(label.fields.get("val"))}
        split = ARCHIVES[label.part]
        yield Segment(video or clip, clip, split, label.where, words.get(mine, ""), labels, "", facts)


def samples(
    segments: Iterable[Segment | Rejection], clips: Clips, layout: Layout, films: Clips | None = None
) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip.

    Args:
        films: whole videos by video id, used as far as ``Segment.span`` says where a segment has no clip of its own.
    """
    yield from clips.odd()
    seen: set[str] = set()
    for segment in segments:
        if isinstance(segment, Rejection):
            yield segment
        elif again := first_sight(seen, segment.name, segment.where):
            yield again
        else:
            yield from _sample(segment, clips, layout, films)
    yield from clips.left()


def _sample(segment: Segment, clips: Clips, layout: Layout, films: Clips | None) -> Iterator[Sample | Rejection]:
    answers = list(segment.answers)
    yield from _answers(segment, layout, answers)
    media = clips.media(segment.name)
    if not answers:
        yield Rejection(segment.name, "no_annotation", segment.where)
        return
    if not media and films and segment.span:
        media = films.media(segment.video, *segment.span)
    if not media:
        yield from clips.missing(segment.name, segment.name, segment.where)
        if films and segment.span and not clips:
            yield from films.missing(segment.video, segment.name, segment.where)
    yield Sample(
        id=segment.name,
        corpus=layout.card.name,
        split=segment.split,
        annotations=tuple(answers),
        source=segment.where,
        text=segment.text or None,
        language=layout.language,
        dialogue=segment.video if layout.grouped else None,
        media=media,
        attributes={"video": segment.video, **segment.facts},
    )


def _answers(segment: Segment, layout: Layout, answers: list[Annotation]) -> Iterator[Rejection]:
    """Add the sentiments and the polarity word of a segment to ``answers``."""
    for way, value in segment.labels.items():
        if way != "whole" and not layout.parts:
            continue
        rater = layout.whole if way == "whole" else way
        sentiment = number(value, *layout.space.bounds or ())
        if sentiment is None:
            reason = "broken_row" if number(value) is None else "out_of_range"
            yield Rejection(segment.name, reason, segment.where, f"{rater}: {str(value)[:40]!r}")
        else:
            answers.append(Annotation(layout.space.name, rater, {"sentiment": sentiment}))
    if segment.word:
        if word := SENTIMENT_3.resolve(segment.word):
            answers.append(Annotation(SENTIMENT_3.name, layout.whole, word))
        else:
            yield Rejection(segment.name, "unknown_label", segment.where, segment.word[:60])

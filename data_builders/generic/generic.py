"""Your own data: a table or a folder of class folders, and a page ``affectllm.yaml`` beside it that names the columns.

::

    name: my_calls                     # required
    table: labels.csv                  # or .tsv, .xlsx, .json, .jsonl, .parquet, .csv.gz …; or folder: clips
    columns: {id: clip, text: words, speaker: who, dialogue: call, split: part, language: lang}   # all optional
    language: en                       # of all rows, where no column says it
    splits: {train: [train, tr], validation: [dev], test: [test]}      # what the split column says
    split_by: speaker                  # without a split column: speaker, dialogue or id
    attributes: [age, room]            # columns to be kept as facts
    raters: {crowd: five listeners}    # required: who judged
    spaces:                            # your own label spaces; ekman_6_neutral and other shared ones need no entry
      mood: {kind: category, names: [calm, tense], aliases: {relaxed: calm}}
      va: {kind: dimension, names: [valence, arousal], bounds: [1, 9]}
      next: {kind: options}            # answers that are offered with each row; several: true where several are right
    labels:                            # required
      - {space: mood, rater: crowd, column: mood}
      - {space: va, rater: crowd, columns: {valence: v, arousal: a}}
      - {space: next, rater: crowd, columns: {options: choices, right: answer}}
    panels:                            # who stands for several raters, by majority, mean or rounded_mean of theirs
      - {space: mood, rater: crowd, rule: majority, of: [ana, ben, cleo]}
    media:
      - {column: file, modality: audio, folder: wav, start: begin, end: finish}
    licence: {name: CC-BY-4.0, access: open, redistribution: true, commercial: false}
    counts: {train: 800, validation: 100, test: 100}

A folder holds ``{class}/`` or ``{split}/{class}/`` folders of clips; its columns are ``path``, ``class`` and ``split``.
Any file that FFmpeg or Pillow opens is a clip; others are counted. ``table`` may also be a folder of ``save_to_disk``.

A text table tells its own encoding, line ends and separator; where it does not, ``separator: "|"`` and ``encoding:
shift_jis`` do. ``header: false`` calls the columns of a table without a header "1", "2" …, and ``header: [text, mood]``
gives them names. ``sheet: Answers`` names the sheet of a workbook that has several.

Besides these: title, citation, url, obtain, notes, max_seconds. Sets are lists, or words with a separator,
or a column a label (1 or 0); distributions are objects, or a column a label. Options are a list and the right one, as
text or by its letter; passages of a dialogue (``kind: spans``) a list such as ``[{"turn": 3, "span": "words"}]``. Every
key is known or an error with file and line. Where the rater of a panel has no labels of its own, the rule makes them,
and names that tie are kept as a tie; ``affectllm-human`` scores the raters of a panel against each other. Without a
split column the split is by a hash of the speaker (or dialogue, or id): 80, 10 and 10 percent.

As ``generic``, the shared spaces and the raters on its card can be used. For spaces of your own, make a builder of your
own in your folder ``data_builders/``, ``my_calls.py``, of two lines::

    from affectllm.data_builders.generic import described
    CARD, samples, MINIATURE = described("/data/my_calls")
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.data_builders.generic._answers import answer
from affectllm.data_builders.generic._page import NAME, Medium, Page, read_page
from affectllm.data_builders.generic._rows import read_own

from affectllm.corpus import SPLITS, TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample, Turn
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import first_sight, folder_of, is_lfs_pointer, media_path, relative
from affectllm.corpus.records.rows import Record
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import number
from affectllm.errors import Malformed
from affectllm.labels import LabelSpace
from affectllm.labels.taxonomies import SPACES

RATERS = {
    "annotator": "one annotator, or the label as it was found",
    "crowd": "several people, by their majority or mean",
    "self": "the speaker or writer",
    "actor": "the emotion that was to be expressed",
    "model": "a model",
}
CARD = CorpusCard(
    name="generic",
    title="Your own data",
    citation="none: a reader of tables and folders, affectllm 2026",
    url="https://yaml.org/spec/1.2.2/",
    obtain=f"your own table or class folders, and beside them a page {NAME} that names the columns; "
    "`affectllm show generic` or the docstring of the builder says how",
    licence="as the page says; nothing is published where it does not",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("text", "audio", "video", "image"),
    spaces=SPACES,
    raters=RATERS,
    counts={TRAIN: 2, VALIDATION: 1, TEST: 1},
    split_policy="the table's own split column, else by a hash of the speaker, or the dialogue, or the id, as the page "
    "says: 80, 10 and 10 percent. The counts are those of the miniature: a page's own are under its `counts`",
    max_seconds=3600.0,
    notes=(
        "The card describes the reader; `described(folder)` makes a card, with its own spaces, from a page.",
        "A row without an answer in any space is rejected as no_annotation; an empty cell is no answer, not an error.",
        "Earlier rows of the same dialogue are the context of a row.",
        "Paths that are absolute or leave the folder are refused as unsafe_path.",
    ),
)


def _miniature() -> dict[str, Content]:
    """Return a miniature with one column for every shared space, so that the contract tests cover each."""
    labels = [{"space": space.name, "rater": "crowd", "column": space.name} for space in SPACES]
    page = {
        "name": "generic",
        "table": "table.csv",
        "columns": {"id": "clip", "text": "words", "speaker": "who", "split": "part", "dialogue": "call"},
        "splits": {"train": ["train"], "validation": ["dev"], "test": ["test"]},
        "language": "en",
        "raters": {"crowd": "three friends"},
        "labels": labels,
        "media": [
            {"column": "file", "modality": "audio", "folder": "wav"},
            {"column": "film", "modality": "video", "folder": "film", "sound": True},
            {"column": "face", "modality": "video", "folder": "film"},
        ],
    }
    names = [space.names[0] for space in SPACES]
    head = ",".join(["clip", "words", "who", "part", "call", "file", "film", "face", *(space.name for space in SPACES)])
    rows = [
        ["a1", '"Good, you are here."', "Ann", "train", "c1", "a1.wav", "a1.mp4", "a1_face.mp4", *names],
        ["a2", "So am I.", "Ben", "train", "c1", "../a2.wav", "", "", *names],
        ["b1", "No.", "Cleo", "dev", "c2", "b1.wav", "", "", "", "rage", *names[2:]],
        ["d1", "Why?", "Dora", "test", "c3", "", "", "", *names],
        ["d1", "Why?", "Dora", "test", "c3", "", "", "", *names],
        ["e1", "Hm.", "Emil", "later", "c4", "", "", "", *names],
        ["f1", "So.", "Fred", "test", "c5", "", "", "", *("" for _ in names)],
    ]
    table = "\n".join([head, *(",".join(row) for row in rows), "one,field,too,few"])
    clips: dict[str, Content] = {
        "wav/a1.wav": Tone(),
        "film/a1.mp4": Clip(scene=11),
        "film/a1_face.mp4": Clip(scene=12),
    }
    return {NAME: json.dumps(page, indent=1), "table.csv": table + "\n", **clips}


MINIATURE: Mapping[str, Content] = _miniature()


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per row of the table, or per file of the class folders, that the page beside it describes."""
    base = _base(root, CARD)
    page = read_page(base / NAME, relative(base / NAME, root))
    spaces = {space.name: space for space in CARD.spaces}
    for label in page.labels:
        if spaces.get(label.space.name) != label.space or label.rater not in CARD.raters:
            raise Malformed(
                f"{label.rater} in {label.space.name} is not on the card of generic",
                where=relative(base / NAME, root),
                do="write a builder of your own with `described`, see the docstring of the builder generic",
            )
    yield from _read(base, root, page, CARD.name)


def described(
    folder: str | Path,
) -> tuple[CorpusCard, Callable[[Path], Iterator[Sample | Rejection]], dict[str, Content]]:
    """Return card, ``samples`` and an empty miniature for a builder of your own, from the page in ``folder``."""
    path = Path(folder) / NAME
    page = read_page(path, str(path))
    spaces: dict[str, LabelSpace] = {label.space.name: label.space for label in page.labels}
    defaults = {
        "citation": f"none: {page.title}, read by the page {NAME}",
        "url": "",
        "obtain": f"your own data: {folder}",
        "licence": "not stated",
        "access": "request",
        "redistribution": False,
        "commercial": False,
    }
    card = CorpusCard(
        name=page.name,
        title=page.title,
        languages=(page.language or "und",),
        modalities=("text", *dict.fromkeys(medium.modality for medium in page.media)),
        spaces=tuple(spaces.values()),
        raters=page.raters,
        panels=page.panels,
        counts=page.counts,
        split_policy="the table's own" if "split" in page.columns else f"ours, by a hash of the {_split_key(page)}",
        max_seconds=page.max_seconds,
        notes=page.notes or (f"Described by {NAME}.",),
        **{**defaults, **page.facts},
    )

    def read(root: Path) -> Iterator[Sample | Rejection]:
        base = _base(root, card)
        yield from _read(base, root, read_page(base / NAME, relative(base / NAME, root)), card.name)

    return card, read, {}


def _base(root: Path, card: CorpusCard) -> Path:
    return folder_of(root, card, lambda folder: (folder / NAME).is_file(), f"a page {NAME}")


def _split_key(page: Page) -> str:
    return page.split_by or next((key for key in ("speaker", "dialogue") if key in page.columns), "id")


def _read(base: Path, root: Path, page: Page, corpus: str) -> Iterator[Sample | Rejection]:
    seen: set[str] = set()
    earlier: defaultdict[str, list[Turn]] = defaultdict(list)
    named = relative(base / NAME, root)
    checked = False
    for row in read_own(base, root, page.source, page.reading, named):
        if isinstance(row, Rejection):
            yield row
            continue
        if not checked:
            _check_columns(page, row, named)
            checked = True
        yield from _sample(row, base, root, page, corpus, seen, earlier)


def _check_columns(page: Page, row: Record, named: str) -> None:
    labels = [column for label in page.labels for column in (label.column, *label.columns.values()) if column]
    media = [column for medium in page.media for column in (medium.column, medium.start, medium.end) if column]
    required = [*page.columns.values(), *page.attributes, *labels, *media]
    if absent := [column for column in required if column not in row.fields]:
        columns = ", ".join(name[:40] for name in row.fields)
        hint = "; for a table without a line of names, write header: false" if page.reading.header is True else ""
        raise Malformed(f"{page.source} has no column {', '.join(absent)}", where=named, do=f"it has {columns}{hint}")


def _text(row: Record, page: Page, key: str) -> str:
    value = row.fields.get(page.columns.get(key, ""))
    return "" if value is None else str(value).strip()


def _sample(
    row: Record,
    base: Path,
    root: Path,
    page: Page,
    corpus: str,
    seen: set[str],
    earlier: Mapping[str, list[Turn]],
) -> Iterator[Sample | Rejection]:
    paths = [str(row.fields.get(medium.column) or "") for medium in page.media]
    identifier = _text(row, page, "id") or next((path for path in paths if path), f"{page.source}#{row.number}")
    if duplicate := first_sight(seen, identifier, row.where):
        yield duplicate
        return
    words, speaker, dialogue = (_text(row, page, key) for key in ("text", "speaker", "dialogue"))
    context = tuple(earlier[dialogue]) if dialogue else ()
    if dialogue and words:
        earlier[dialogue].append(Turn(speaker, words))
    split = _split(row, page, {"speaker": speaker, "dialogue": dialogue, "id": identifier}, corpus)
    if split not in SPLITS:
        yield Rejection(identifier, "unknown_split", row.where, split)
        return
    answers = [answer(label, row, identifier) for label in page.labels]
    yield from (item for item in answers if isinstance(item, Rejection))
    annotations = tuple(item for item in answers if item is not None and not isinstance(item, Rejection))
    if not annotations:
        yield Rejection(identifier, "no_annotation", row.where)
        return
    media = [_medium(medium, row, base, root, identifier) for medium in page.media]
    yield from (item for item in media if isinstance(item, Rejection))
    sample = Sample(
        id=identifier,
        corpus=corpus,
        split=split,
        annotations=annotations,
        source=row.where,
        text=words or None,
        language=_text(row, page, "language") or page.language,
        speaker=speaker or None,
        dialogue=dialogue or None,
        context=context,
        media=tuple(item for item in media if isinstance(item, MediaRef)),
        attributes={name: str(row.fields[name]) for name in page.attributes if row.fields.get(name) not in (None, "")},
    )
    yield _with_panels(sample, page)


def _with_panels(sample: Sample, page: Page) -> Sample:
    """Return the sample with the answers that stand for several raters, where the table has none."""
    stated = {(label.space.name, label.rater) for label in page.labels}
    for panel in page.panels:
        ratings = [rating.value for rating in panel.of_sample(sample)]
        if ratings and (panel.space, panel.rater) not in stated:
            sample = panel.answered(sample, panel.rule(ratings))
    return sample


def _split(row: Record, page: Page, keys: Mapping[str, str], corpus: str) -> str:
    word = _text(row, page, "split")
    if "split" in page.columns:
        default = {"train": TRAIN, "dev": VALIDATION, "val": VALIDATION, "valid": VALIDATION, "test": TEST}
        return page.splits.get(word, word if page.splits else default.get(word.lower(), word))
    return by_hash(keys[_split_key(page)] or keys["id"], salt=corpus)


def _medium(medium: Medium, row: Record, base: Path, root: Path, identifier: str) -> MediaRef | Rejection | None:
    named: Any = row.fields.get(medium.column)
    if named in (None, ""):
        return None
    path = media_path(base / medium.folder, root, str(named), row.where)
    if isinstance(path, Rejection):
        return path
    if is_lfs_pointer(root / path):
        return Rejection(identifier, "lfs_pointer", path, "run `git lfs pull`")
    start, end = (number(row.fields.get(column), 0.0) if column else None for column in (medium.start, medium.end))
    return MediaRef(path, medium.modality, sound=medium.sound, start=start, end=end)

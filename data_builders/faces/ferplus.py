"""FER+ (FERPlus): the 35,887 faces of FER2013, judged again by ten people each.

``fer2013new.csv`` holds the votes, row for row in the order of ``fer2013.csv``: how many of ten people chose each of
eight emotions, "unknown" or "not a face" (NF). Rows without an image name were judged to be no face by all ten; four
names stand there twice, once with other votes. ``data/FER2013Train|Valid|Test/label.csv`` has no header, a box instead
of the usage, and comes from another round: the votes of 1,602 images differ between the two, so both are kept, each
under its own rater. ``Training``, ``PublicTest`` and ``PrivateTest`` are the splits.

The pixels are not in the release. The release's script writes them as png files beside each ``label.csv``; where they
lie there, or in ``Images/``, they belong to the samples. Where ``fer2013.csv`` lies beside the votes, the first label
of each face, by the authors of FER2013, is read from it too (many of those are wrong, which is why FER+ exists).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.media_files import unusable
from affectllm.corpus.files.suffixes import PICTURES
from affectllm.corpus.miniature import Content, Picture
from affectllm.corpus.panel import Panel
from affectllm.corpus.reading import (
    find_file,
    first_sight,
    folder_of,
    list_media,
    missing_file,
    read_csv,
    read_lines,
    relative,
)
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import EKMAN_6_CONTEMPT_NEUTRAL, EKMAN_6_NEUTRAL, aliases

EMOTIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
CHOICES = (*EMOTIONS, "unknown", "no face")
USAGES = {"Training": TRAIN, "PublicTest": VALIDATION, "PrivateTest": TEST}
FOLDERS = {"FER2013Train": TRAIN, "FER2013Valid": VALIDATION, "FER2013Test": TEST}
FER2013 = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")  # in the order of the numbers
VOTES = LabelSpace(
    "ferplus_votes",
    "distribution",
    CHOICES,
    source="Barsoum et al., Training Deep Networks for Facial Expression Recognition, ICMI 2016",
    aliases=aliases(*EMOTIONS) | {"nf": "no face"},
)


def _agreed(votes: Mapping[str, float]) -> str | None:
    """Return the authors' majority: single votes are dropped, and more than half of the others must agree."""
    left = {choice: count for choice, count in votes.items() if count > 1}
    best = max(left, key=lambda choice: left[choice], default="unknown")
    return best if best in EMOTIONS and left[best] > sum(left.values()) / 2 else None


def _agreed_of(votes: Sequence[str]) -> str | None:
    return _agreed(Counter(votes))


CARD = CorpusCard(
    name="ferplus",
    title="FER+",
    citation="Barsoum, Zhang, Canton Ferrer, Zhang: Training Deep Networks for Facial Expression Recognition with "
    "Crowd-Sourced Label Distribution. ICMI 2016",
    url="https://github.com/microsoft/FERPlus",
    obtain="fer2013new.csv (and data/) from https://github.com/microsoft/FERPlus ; the images with its script "
    "generate_training_data.py from fer2013.csv of the Kaggle challenge on facial expression recognition, in "
    "data/FER2013Train, data/FER2013Valid and data/FER2013Test",
    licence="MIT (votes); the images of FER2013 have terms of their own",
    access="open",
    redistribution=True,
    commercial=False,
    languages=("en",),
    modalities=("image",),
    spaces=(EKMAN_6_CONTEMPT_NEUTRAL, VOTES, EKMAN_6_NEUTRAL),
    raters={
        "crowd": "ten people by fer2013new.csv: their votes, and their majority as the authors count it",
        "crowd_label_csv": "ten people by data/*/label.csv, whose votes differ for 1,602 images",
        "fer2013": "the label of FER2013 (Goodfellow et al. 2013), found by image search and checked by hand",
    },
    counts={TRAIN: 28558, VALIDATION: 3579, TEST: 3573},
    known={"no_face": 173, "duplicate_id": 4},
    panels=tuple(
        Panel(
            EKMAN_6_CONTEMPT_NEUTRAL.name, crowd, lambda votes: _agreed(Counter(votes)), votes=crowd, ratings=VOTES.name
        )
        for crowd in ("crowd", "crowd_label_csv")
    ),
    split_policy="official: Training, PublicTest and PrivateTest; people are not identified, so a face may be in two",
    notes=(
        "35,887 rows: 173 without an image name (all ten saw no face) are rejected as no_face, and four names that "
        "stand there twice as duplicate_id, the later row; 35,710 images remain.",
        "The majority is the authors': emotions with a single vote are dropped, and one emotion must have more than "
        "half of what is left. Without one, or where unknown or no face wins, a sample has its votes only.",
        "One row has nine votes instead of ten.",
        "Image names are not row numbers: each row without a name shifts them.",
        "The rows of fer2013.csv are matched by position, as its authors do; where the numbers of rows or the usages "
        "differ, its labels are not used.",
    ),
)
_HEADER = "Usage,Image name," + ",".join((*EMOTIONS, "unknown", "NF")) + "\n"
MINIATURE: Mapping[str, Content] = {
    "fer2013new.csv": _HEADER
    + "Training,fer0000000.png,1,8,1,0,0,0,0,0,0,0\n"
    + "Training,,0,0,0,0,0,0,0,0,0,10\n"
    + "Training,fer0000001.png,4,0,0,0,0,0,0,2,4,0\n"
    + "Training,fer0000000.png,0,10,0,0,0,0,0,0,0,0\n"
    + "Training,fer0000003.png,0,many,0,0,0,0,0,0,0,0\n"
    + "PublicTest,fer0000004.png,0,0,0,5,4,0,0,0,1,0\n"
    + "Holiday,fer0000005.png,0,0,0,5,4,0,0,0,1,0\n"
    + "PrivateTest,fer0000006.png,0,0,0,0,0,1,9,0,0,0\n",
    "fer2013.csv": "emotion,pixels,Usage\n3,7 7,Training\n0,7 7,Training\n6,7 7,Training\n3,7 7,Training\n"
    "3,7 7,Training\n4,7 7,PublicTest\n4,7 7,PublicTest\n9,7 7,PrivateTest\n",
    "data/FER2013Train/label.csv": 'fer0000000.png,"(0, 0, 48, 48)",0,10,0,0,0,0,0,0,0,0\n'
    'fer0000009.png,"(0, 0, 48, 48)",0,10,0,0,0,0,0,0,0,0\n',
    "data/FER2013Train/fer0000000.png": Picture(480, 480),
    "data/FER2013Train/._fer0000000.png": b"\x00\x05\x16\x07",
    "data/FER2013Valid/fer0000004.png": Picture(480, 480),
}


@dataclass
class _Beside:
    """Files beside the votes: images by name, votes of ``label.csv`` by name, labels of FER2013 by row."""

    images: dict[str, str] = field(default_factory=dict)
    unusable: dict[str, Rejection] = field(default_factory=dict)
    votes: dict[str, tuple[Annotation, ...]] = field(default_factory=dict)
    first: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Face:
    name: str
    split: str
    where: str
    annotations: tuple[Annotation, ...]


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per image, in the order of ``fer2013new.csv``, or of ``label.csv`` where it is missing."""
    base = folder_of(root, CARD, _is_ours, "fer2013new.csv, or FER2013Train/label.csv")
    beside = _Beside()
    _list_images(base, root, beside)
    labels = list(_label_tables(base, root))
    beside.votes = {face.name: face.annotations for face in labels if isinstance(face, _Face)}
    yield from (item for item in labels if isinstance(item, Rejection))
    path = find_file(base, "fer2013new.csv")
    if path is None:
        yield missing_file("fer2013new.csv", CARD)
    else:
        beside.first = _fer2013(base, root)
    seen: set[str] = set()
    for face in _new_votes(path, root, beside) if path else labels:
        if isinstance(face, Rejection):
            if path:
                yield face
        else:
            duplicate = first_sight(seen, face.name, face.where)
            yield from (duplicate,) if duplicate else _sample(face, beside)
    for face in labels:
        if isinstance(face, _Face) and face.name not in seen:
            yield Rejection(face.name, "row_missing", face.where, "in label.csv only")


def _is_ours(folder: Path) -> bool:
    tables = [folder / "fer2013new.csv", *(folder / name / "label.csv" for name in FOLDERS)]
    return any(path.is_file() for path in (*tables, *(folder / "data" / name / "label.csv" for name in FOLDERS)))


def _list_images(base: Path, root: Path, beside: _Beside) -> None:
    for path in list_media(base, PICTURES, depth=2):
        if path.stem.startswith("fer"):
            trouble = unusable(root, relative(path, root), path.stem)
            if trouble:
                beside.unusable.setdefault(path.stem, trouble)
            else:
                beside.images.setdefault(path.stem, relative(path, root))


def _label_tables(base: Path, root: Path) -> Iterator[_Face | Rejection]:
    for name, split in FOLDERS.items():
        path = next((p for p in (base / name / "label.csv", base / "data" / name / "label.csv") if p.is_file()), None)
        for line in read_lines(path, root) if path else ():
            if isinstance(line, Rejection):
                yield line
                continue
            # The box is the one quoted field: what follows it are the votes.
            cells = line[1].replace('"', "").replace("(", "").replace(")", "").split(",")
            votes = _votes(cells[-len(CHOICES) :])
            if votes is None or not cells[0].strip():
                if line[1].strip():
                    yield Rejection(line[0], "broken_row", line[0], line[1][:120])
                continue
            yield _Face(cells[0].strip(), split, line[0], tuple(_judged(votes, "crowd_label_csv")))


def _fer2013(base: Path, root: Path) -> list[tuple[str, str]]:
    """Return (usage, number of the emotion) for every row; the pixels between the two are skipped."""
    path = find_file(base, "fer2013.csv")
    rows = []
    for line in read_lines(path, root) if path else ():
        if not isinstance(line, Rejection) and line[1][:1].isdecimal():
            number, _, rest = line[1].partition(",")
            rows.append((rest.rpartition(",")[2].strip(), number))
    return rows


def _new_votes(path: Path, root: Path, beside: _Beside) -> Iterator[_Face | Rejection]:
    for index, row in enumerate(read_csv(path, root, ("Usage", "Image name"))):
        if isinstance(row, Rejection):
            yield row
            continue
        cells = [value for column, value in row.fields.items() if column not in ("Usage", "Image name")]
        name, votes, split = row["Image name"].strip(), _votes(cells), USAGES.get(row["Usage"].strip())
        if votes is None or split is None:
            yield Rejection(name or row.where, "broken_row", row.where, "no votes, or an unknown usage")
        elif not name:
            yield Rejection(row.where, "no_face", row.where, "no image name: all saw no face")
        else:
            first = _first_label(beside.first, index, row["Usage"].strip())
            yield _Face(name, split, row.where, (*_judged(votes, "crowd"), *first))


def _votes(cells: list[str]) -> dict[str, float] | None:
    counts = [cell.strip() for cell in cells]
    if len(counts) != len(CHOICES) or not all(count.isdecimal() for count in counts):
        return None
    return {choice: int(count) for choice, count in zip(CHOICES, counts, strict=True) if int(count)} or None


def _judged(votes: Mapping[str, float], rater: str) -> Iterator[Annotation]:
    yield Annotation(VOTES.name, rater, dict(votes))
    if best := _agreed(votes):
        yield Annotation(EKMAN_6_CONTEMPT_NEUTRAL.name, rater, best)


def _first_label(rows: list[tuple[str, str]], index: int, usage: str) -> tuple[Annotation, ...]:
    if index >= len(rows) or rows[index][0] != usage or int(rows[index][1]) >= len(FER2013):
        return ()
    return (Annotation(EKMAN_6_NEUTRAL.name, "fer2013", FER2013[int(rows[index][1])]),)


def _sample(face: _Face, beside: _Beside) -> Iterator[Sample | Rejection]:
    stem = face.name.rpartition(".")[0] or face.name
    image = beside.images.get(stem)
    if image is None and stem in beside.unusable:
        yield beside.unusable[stem]
    elif image is None and beside.images:
        yield Rejection(stem, "media_missing", face.where)
    by_label_csv = () if face.annotations[0].rater == "crowd_label_csv" else beside.votes.get(face.name, ())
    yield Sample(
        id=stem,
        corpus=CARD.name,
        split=face.split,
        annotations=(*face.annotations, *by_label_csv),
        source=face.where,
        media=(MediaRef(image, "image"),) if image else (),
    )

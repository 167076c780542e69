"""CH-SIMS: 2,281 clips of Chinese films and shows, judged as a whole and by words, voice and face alone.

Five students judged each clip four times, as negative (-1), neutral (0) or positive (1); the means, in steps of 0.2,
are the sentiments. That the four differ is the point of the corpus, so each has its rater. Of the first release
(``metadata/sentiment/label_M.csv``, ``label_T.csv``, ``label_A.csv``, ``label_V.csv`` with clip numbers that lost
their zeros, ``metadata/train_index.csv`` … with row numbers, ``metadata/Translation.csv``) and MMSA's (``label.csv``,
or ``Processed/unaligned_39.pkl``), the one that is there is read. Clips are ``Raw/video_0001/0001.mp4``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from affectllm.data_builders.video import _mmsa

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import find_file, folder_of, missing_file, read_csv
from affectllm.corpus.tables import read_table
from affectllm.labels import LabelSpace
from affectllm.labels.taxonomies import SENTIMENT_3

SPACE = LabelSpace(
    "sims_sentiment",
    "dimension",
    ("sentiment",),
    source="Yu et al., CH-SIMS: A Chinese Multimodal Sentiment Analysis Dataset with Fine-grained Annotation of "
    "Modality, ACL 2020",
    bounds=(-1.0, 1.0),
)
CARD = CorpusCard(
    name="ch_sims",
    title="CH-SIMS",
    citation="Yu, Xu, Meng, Zhu, Ma, Wu, Zou, Yang: CH-SIMS: A Chinese Multimodal Sentiment Analysis Dataset with "
    "Fine-grained Annotation of Modality. ACL 2020",
    url="https://github.com/thuiar/MMSA",
    obtain="the folder SIMS of MMSA's download (https://github.com/thuiar/MMSA): label.csv, Raw/ and Processed/; or "
    "the first release with metadata/ and Raw/",
    licence="research use; the clips are from films and television",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("zh",),
    modalities=("text", "video", "audio"),
    spaces=(SPACE, SENTIMENT_3),
    raters={
        "multimodal": "five students who saw and heard the clip, and the sign of their mean as a word",
        "text": "five students who read the words",
        "audio": "five students who heard the voice",
        "video": "five students who saw the clip without sound",
    },
    counts={TRAIN: 1368, VALIDATION: 456, TEST: 457},
    split_policy="official: the index files, which label.csv has as mode; clips of one video lie in several splits",
    max_seconds=60.0,
    notes=(
        "Clips of one video are in more than one split, so a model may know its actors; the video is an attribute.",
        "Clip numbers have four digits; tables that a spreadsheet went through lost the zeros, which are put back.",
        "The translation to English is an attribute, where Translation.csv is there.",
    ),
)
LAYOUT = _mmsa.Layout(CARD, SPACE, "multimodal", "zh", parts=True, width=4)
MINIATURE: Mapping[str, Content] = {
    "SIMS/label.csv": "video_id,clip_id,text,label,label_T,label_A,label_V,annotation,mode\r\n"
    "video_0001,0001,我不想说这个,-0.4,-0.2,0.0,-1.0,Negative,train\r\n"
    "video_0001,2,那就走吧,0.0,0.0,0.2,0.0,Neutral,valid\r\n"
    "video_0002,0003,太好了,1.0,1.0,1.2,0.8,Positive,test\r\n"
    "video_0002,0004,太好了,NaN,,,,,test\r\n",
    "SIMS/Raw/video_0001/0001.mp4": Clip(),
    "SIMS/Raw/video_0001/0002.mp4": Clip(),
    "SIMS/Raw/video_0002/0009.mp4": Clip(),
}
_SENTIMENTS = {"whole": "label_M.csv", "text": "label_T.csv", "audio": "label_A.csv", "video": "label_V.csv"}
_INDEX = {"train_index.csv": TRAIN, "val_index.csv": VALIDATION, "test_index.csv": TEST}


@dataclass
class _First:
    """The first release: clips in the order of label_M.csv, with the data of the other files."""

    rows: list[_mmsa.Segment] = field(default_factory=list)
    by_name: dict[str, _mmsa.Segment] = field(default_factory=dict)


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, in the order of the label file."""
    base = folder_of(root, CARD, _looks_right, "label.csv, or metadata/sentiment/label_M.csv")
    first = find_file(base, "label_M.csv")
    segments = _first_release(first, base, root) if first else _mmsa.segments(base, root, LAYOUT)
    yield from _mmsa.samples(segments, Clips(base, root, _mmsa.clip_key), LAYOUT)


def _looks_right(folder: Path) -> bool:
    first = any((folder / place / "label_M.csv").is_file() for place in ("metadata/sentiment", "sentiment", "."))
    return _mmsa.has_labels(folder, "sims") or first


def _first_release(first: Path, base: Path, root: Path) -> Iterator[_mmsa.Segment | Rejection]:
    release = _First()
    for way, name in _SENTIMENTS.items():
        path = first if way == "whole" else find_file(base, name)
        if path is None:
            yield missing_file(name, CARD)
        else:
            yield from _sentiments(path, root, way, release)
    for name, split in _INDEX.items():
        path = find_file(base, name)
        if path is None:
            yield missing_file(name, CARD)
        else:
            yield from _index(path, root, split, release)
    path = find_file(base, "Translation.csv")
    if path is None:
        yield missing_file("Translation.csv", CARD)
    else:
        yield from _translation(path, root, release)
    for segment in release.rows:
        yield segment if segment.split else Rejection(segment.name, "no_split", segment.where, "in no index file")


def _sentiments(path: Path, root: Path, way: str, release: _First) -> Iterator[Rejection]:
    for row in read_csv(path, root, ("video_id", "clip_id", "label")):
        if isinstance(row, Rejection):
            yield row
            continue
        segment = _mmsa.Segment(row["video_id"].strip(), _mmsa.clip_number(row["clip_id"], LAYOUT), "", row.where)
        if way == "whole":
            # Also a clip that is named twice keeps its place, because the index files count rows.
            release.rows.append(segment)
            release.by_name.setdefault(segment.name, segment)
            segment.labels[way] = row["label"]
        elif segment.name in release.by_name:
            release.by_name[segment.name].labels[way] = row["label"]
        else:
            yield Rejection(segment.name, "no_annotation", row.where, "not in label_M.csv")


def _index(path: Path, root: Path, split: str, release: _First) -> Iterator[Rejection]:
    for row in read_csv(path, root, ("index",)):
        if isinstance(row, Rejection):
            yield row
        elif row["index"].strip().isdecimal() and int(row["index"]) < len(release.rows):
            release.rows[int(row["index"])].split = split
        else:
            yield Rejection(row.where, "broken_row", row.where, f"no row {row['index'][:40]!r} in label_M.csv")


def _translation(path: Path, root: Path, release: _First) -> Iterator[Rejection]:
    columns = {"video_id": (), "clip_id": (), "Chinese": ("text",), "English": ()}
    for row in read_table(path, root, columns, optional=("English",)):
        if isinstance(row, Rejection):
            yield row
            continue
        name = f"{row['video_id'].strip()}_{_mmsa.clip_number(row['clip_id'], LAYOUT)}"
        if segment := release.by_name.get(name):
            segment.text = row["Chinese"].strip()
            if english := row.fields.get("English", "").strip():
                segment.facts["english"] = english
        else:
            yield Rejection(name, "no_annotation", row.where, "not in label_M.csv")

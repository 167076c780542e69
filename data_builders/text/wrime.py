"""WRIME: Japanese posts, and how strongly the writer and three readers say each of Plutchik's eight emotions is felt.

The writer of each post gave joy, sadness, anticipation, surprise, anger, fear, disgust and trust 0 (none) to 3
(strong); three readers did the same without knowing the answers. ``wrime-ver1.tsv`` has 43,200 posts of 80 people,
``wrime-ver2.tsv`` 35,000 of 60 and also the sentiment, -2 to 2. Columns are separated by tabs without quoting; a line
break in a post is the two characters ``\\n``.

What writers feel and what readers see differ much, and that is what the corpus is for: all five answers are kept, the
readers' rounded mean of the release too. Most posts of version 2 are also in version 1: one that has another split
there is rejected, so that a test post of one version is never a train post of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.panel import Panel, rounded_mean
from affectllm.corpus.reading import Row, find_file, folder_of
from affectllm.corpus.tables import number, read_table
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import PLUTCHIK_8_NAMES, aliases

FILES = {"ver1": "wrime-ver1.tsv", "ver2": "wrime-ver2.tsv"}
RATERS = {
    "writer": "Writer",
    "reader_1": "Reader1",
    "reader_2": "Reader2",
    "reader_3": "Reader3",
    "readers_mean": "Avg. Readers",
}
READERS = ("reader_1", "reader_2", "reader_3")
EMOTIONS = ("joy", "sadness", "anticipation", "surprise", "anger", "fear", "disgust", "trust")
_JAPANESE = dict(zip(("喜び", "悲しみ", "期待", "驚き", "怒り", "恐れ", "嫌悪", "信頼"), EMOTIONS, strict=True))
_SOURCE = "Kajiwara et al., WRIME: A New Dataset for Emotional Intensity Estimation, NAACL 2021"
SPACE = LabelSpace(
    "wrime_intensity",
    "dimension",
    PLUTCHIK_8_NAMES,
    source=_SOURCE,
    aliases={**aliases(*PLUTCHIK_8_NAMES), **_JAPANESE},
    bounds=(0.0, 3.0),
)
SENTIMENT = LabelSpace(
    "wrime_sentiment",
    "dimension",
    ("sentiment",),
    source="Suzuki et al., A Japanese Dataset for Subjective and Objective Sentiment Polarity Classification in Micro "
    "Blog Domain, LREC 2022",
    bounds=(-2.0, 2.0),
)
SPLITS = {"train": TRAIN, "dev": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "test": TEST}
COLUMNS: dict[str, tuple[str, ...]] = {
    "Sentence": ("text",),
    "UserID": ("user id", "user_id"),
    "Datetime": ("date",),
    "Split": ("Train/Dev/Test",),
    **{f"{column}_{name}": (f"{column} {name}",) for column in RATERS.values() for name in EMOTIONS},
    **{f"{column}_Sentiment": () for column in RATERS.values()},
}
_OPTIONAL = ("Datetime", *(f"{column}_Sentiment" for column in RATERS.values()))
CARD = CorpusCard(
    name="wrime",
    title="WRIME",
    citation="Kajiwara, Chu, Takemura, Nakashima, Nagahara: WRIME: A New Dataset for Emotional Intensity Estimation "
    "with Subjective and Objective Annotations. NAACL 2021",
    url="https://github.com/ids-cv/wrime",
    obtain="wrime-ver1.tsv and wrime-ver2.tsv from https://github.com/ids-cv/wrime",
    licence="CC-BY-NC-ND-4.0",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("ja",),
    modalities=("text",),
    spaces=(SPACE, SENTIMENT),
    raters={
        "writer": "the person who wrote the post",
        "reader_1": "the first of three readers",
        "reader_2": "the second of three readers",
        "reader_3": "the third of three readers",
        "readers_mean": "the rounded mean of the three readers, as released",
    },
    counts={TRAIN: 70000, VALIDATION: 3700, TEST: 4500},
    panels=tuple(Panel(space.name, "readers_mean", rounded_mean, of=READERS) for space in (SPACE, SENTIMENT)),
    split_policy="official: the column Train/Dev/Test; writers of dev and test wrote nothing in train of that version",
    notes=(
        "Counts are both versions together: 40,000, 1,200 and 2,000 posts of version 1 and 30,000, 2,500 and 2,500 of "
        "version 2. Train with one version at a time: the attribute version tells which.",
        "A post of version 2 that version 1 has in another split is rejected as other_split.",
        "No derivatives: converted records may not be published.",
        "Released means are rounded to whole numbers.",
        "People are numbered anew in each version, so the version is part of the speaker.",
    ),
)
_HEADS = [f"{column}_{name.capitalize()}" for column in RATERS.values() for name in EMOTIONS]
_HEADER_1 = "\t".join(["Sentence", "UserID", "Datetime", "Train/Dev/Test", *_HEADS]) + "\n"
_HEADER_2 = _HEADER_1.rstrip("\n") + "".join(f"\t{column}_Sentiment" for column in RATERS.values()) + "\n"
_ZEROS = "0\t" * 32
_ROW = "{0}\t{1}\t2013/02/03 04:05\t{2}\t" + _ZEROS + "1\t0\t0\t0\t0\t0\t0\t{3}\n"
MINIATURE: Mapping[str, Content] = {
    "wrime-ver1.tsv": _HEADER_1
    + _ROW.format('庭に花が咲いた\\n"うれしい', 1, "train", 3)
    + _ROW.format("雨がやまない", 2, "dev", 0)
    + _ROW.format("靴をなくした", 3, "test", 0)
    + _ROW.format("点が高すぎる", 3, "test", 4)
    + _ROW.format("区分なし", 3, "other", 0)
    + "短い\t1\n",
    "wrime-ver2.tsv": _HEADER_2
    + _ROW.format("魚がおいしい", 4, "train", 0).rstrip("\n")
    + "\t2\t1\t1\t0\t1\n"
    + _ROW.format("雨がやまない", 2, "train", 0).rstrip("\n")
    + "\t-1\t-1\t-1\t-2\t-1\n",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per post and version, in the order of the files."""
    names = FILES.values()
    base = folder_of(root, CARD, lambda folder: any((folder / name).is_file() for name in names), FILES["ver1"])
    split_of: dict[str, str] = {}
    for version, name in FILES.items():
        path = find_file(base, name)
        if path is None:
            yield Rejection(name, "file_missing", name, f"version {version[-1]} of {CARD.title} is not there")
            continue
        for row in read_table(path, root, COLUMNS, "\t", optional=_OPTIONAL):
            yield from (row,) if isinstance(row, Rejection) else _post(row, version, split_of)


def _post(row: Row, version: str, split_of: dict[str, str]) -> Iterator[Sample | Rejection]:
    identifier = f"{version}/{row.where.rpartition(':')[2]}"
    text = row["Sentence"].replace("\\n", "\n").strip()
    split = SPLITS.get(row["Split"].strip().lower())
    if not text or split is None:
        yield Rejection(identifier, "broken_row", row.where, f"no words, or the split {row['Split']!r}")
        return
    first = split_of.setdefault(text, split) if version == "ver1" else split_of.get(text, split)
    if version != "ver1" and first != split:
        yield Rejection(identifier, "other_split", row.where, f"version 1 has this post in {first}")
        return
    answers = list(_answers(row, identifier))
    yield from (answer for answer in answers if isinstance(answer, Rejection))
    annotations = tuple(answer for answer in answers if isinstance(answer, Annotation))
    if not annotations:
        return
    person = row["UserID"].strip()
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=annotations,
        source=row.where,
        text=text,
        language="ja",
        speaker=f"{version}/{person}" if person else None,
        attributes={"version": version, "datetime": row.fields.get("Datetime", "").strip()},
    )


def _answers(row: Row, identifier: str) -> Iterator[Annotation | Rejection]:
    """Yield the answers of the five raters; one without eight numbers from 0 to 3 is rejected."""
    for rater, column in RATERS.items():
        scores = {name: number(row[f"{column}_{name}"], 0, 3) for name in EMOTIONS}
        read = {name: score for name, score in scores.items() if score is not None}
        if len(read) == len(scores):
            yield Annotation(SPACE.name, rater, read)
        else:
            strange = ", ".join(name for name in EMOTIONS if name not in read)
            yield Rejection(f"{identifier} {rater}", "unknown_label", row.where, f"not from 0 to 3: {strange}")
        sentiment = number(row.fields.get(f"{column}_Sentiment"), -2, 2)
        if sentiment is not None:
            yield Annotation(SENTIMENT.name, rater, {"sentiment": sentiment})

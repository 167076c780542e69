"""LEIA on Vent: millions of posts whose writers said themselves how they felt.

On the platform Vent a post was sent with an emotion that its writer picked from several hundred; LEIA keeps posts in
English whose emotion belongs to one of five groups: sadness, anger, happiness, affection and fear. The label is the
writer's own, not what a reader sees. The data are given on request, as tables or JSON lines with the text and the
label, one file a split. There are several test sets (by user, by time, at random); each is a part of test.

Column names differ between copies, so several are accepted, and all others become attributes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import Row, folder_of, folders_below, is_debris, is_lfs_pointer, relative
from affectllm.corpus.records.json_reading import read_json
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import plain_name, read_table
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

EMOTIONS = ("sadness", "anger", "happiness", "affection", "fear")
_SOURCE = "Aroyehun et al., LEIA: Linguistic Embeddings for the Identification of Affect, EPJ Data Science 12, 2023"
SPACE = LabelSpace(
    "leia_5",
    "category",
    EMOTIONS,
    source=_SOURCE,
    aliases={**aliases(*EMOTIONS), "love": "affection", "affectionate": "affection"},
)
RAW = LabelSpace("vent_emotion", "open", (), source="Lykousas et al., Sharing emotions at scale: Vent, ICWSM 2019")
COLUMNS: dict[str, tuple[str, ...]] = {
    "text": ("vent", "post", "body", "content", "message", "sentence"),
    "label": ("emotion_group", "category", "emotion_category", "leia_label", "target", "emotion"),
    "vent_emotion": ("emotion_name", "raw_emotion", "fine_emotion", "mood", "self_label"),
    "user": ("user_id", "author", "author_id", "uid"),
    "id": ("vent_id", "post_id", "idx", "unnamed: 0"),
}
_OPTIONAL = ("vent_emotion", "user", "id")
SPLITS = {"train": TRAIN, "dev": VALIDATION, "valid": VALIDATION, "test": TEST}
CARD = CorpusCard(
    name="leia_vent",
    title="LEIA (Vent)",
    citation="Aroyehun, Malik, Metzler, Haimerl, Di Natale, Garcia: LEIA: Linguistic Embeddings for the Identification "
    "of Affect. EPJ Data Science 12, 2023. Posts: Lykousas et al., Sharing emotions at scale, ICWSM 2019",
    url="https://github.com/LEIA-emotion/LEIA",
    obtain="ask the authors for the posts (for research only); a folder with vent or leia in its name or that of its "
    "files, with the text and the label of each post",
    licence="research only, no redistribution",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE, RAW),
    raters={"writer": "the person who posted, who picked the emotion"},
    counts={},
    total=6000000,
    split_policy="files called train, dev, valid or test keep their split; posts in other files are split by a hash of "
    "the user (of the words, where there is none): 80, 10 and 10 percent",
    notes=(
        "Layout and columns are not documented publicly and were not checked on a real file: the builder takes several "
        "names for each.",
        "The total is that of the paper, rounded.",
        "Labels given as numbers are refused: nothing says which number is which emotion.",
        "The emotion that the writer picked, where the copy has it, is kept as open words.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "leia_vent/vent_train.csv": "vent_id,user_id,text,label,emotion_name\n"
    + '1,u1,"I miss her, so ""much"".",Sadness,Heartbroken\n'
    + "2,u2,Nobody listens!,Angry,Furious\n"
    + "3,u2,What day is it?,Confused,Confused\n"
    + "4,u2,,Fear,Anxious\n"
    + "1,u1,Again.,Sadness,Sad\n",
    "leia_vent/vent_dev.tsv": "text\tlabel\nMy cat sleeps on me\taffection\n",
    "leia_vent/vent_user_test.jsonl": '{"text": "I got the job", "label": "Happiness", "user": "u9"}\n{"text": 3}\n',
}
_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
_JSON = (".json", ".jsonl")
_NAME = re.compile(r"(?<![a-z])(vents?|leia)(?![a-z])")  # not the vent of event


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per post, in the order of folders and files."""
    base = folder_of(root, CARD, lambda folder: any(_files(folder, 0)), "tables called vent… or leia…")
    for path in _files(base, 4):
        name = relative(path, root)
        if is_lfs_pointer(path):
            yield Rejection(name, "lfs_pointer", name)
            continue
        seen: set[bytes] = set()  # ids start again in each file
        part = next((split for word, split in SPLITS.items() if word in path.stem.lower()), None)
        for row in _rows(path, root):
            if isinstance(row, Rejection):
                yield row
                continue
            item = _post(row, relative(path, base), part)
            if isinstance(item, Sample) and row.fields.get("id"):
                key = hashlib.blake2b(item.id.encode(), digest_size=8).digest()  # of millions of ids, only this is kept
                if key in seen:
                    yield Rejection(item.id, "duplicate_id", row.where)
                    continue
                seen.add(key)
            yield item


def _files(base: Path, depth: int) -> Iterator[Path]:
    for folder in folders_below(base, depth) if base.is_dir() else ():
        for path in sorted(folder.glob("*")):
            suffix = path.suffix.lower()
            if suffix not in (*_SEPARATORS, *_JSON) or is_debris(path.name) or not path.is_file():
                continue
            if _NAME.search(path.stem.lower()) or (_NAME.search(folder.name.lower()) and _part(path)):
                yield path


def _part(path: Path) -> bool:
    return any(word in path.stem.lower() for word in SPLITS)


def _rows(path: Path, root: Path) -> Iterator[Row | Rejection]:
    if path.suffix.lower() in _SEPARATORS:
        yield from read_table(path, root, COLUMNS, _SEPARATORS[path.suffix.lower()], optional=_OPTIONAL)
        return
    names = {plain_name(word): key for key, words in COLUMNS.items() for word in (key, *words)}
    for item in read_json(path, root):
        if isinstance(item, Rejection):
            yield item
        elif isinstance(item.value, dict):
            cells = {str(key): "" if value is None else str(value) for key, value in item.value.items()}
            yield Row({names.get(plain_name(key), key): value for key, value in cells.items()}, item.where)
        else:
            yield Rejection(item.where, "broken_row", item.where, "no post")


def _post(row: Row, name: str, part: str | None) -> Sample | Rejection:
    key = row.fields.get("id", "").strip() or row.where.rpartition(":")[2]
    identifier, text = f"{name}/{key}", row.fields.get("text", "").strip()
    label, person = row.fields.get("label", "").strip(), row.fields.get("user", "").strip()
    if not text:
        return Rejection(identifier, "no_text", row.where)
    emotion = SPACE.resolve(label)
    if emotion is None:
        return Rejection(identifier, "unknown_label" if label else "no_annotation", row.where, label[:80])
    picked = row.fields.get("vent_emotion", "").strip()
    raw = (Annotation(RAW.name, "writer", picked),) if picked else ()
    facts = {name: fact.strip() for name, fact in row.fields.items() if name not in COLUMNS and fact.strip()}
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=part or by_hash(person or text, salt=CARD.name),
        annotations=(Annotation(SPACE.name, "writer", emotion), *raw),
        source=row.where,
        text=text,
        language="en",
        speaker=person or None,
        attributes=facts,
    )

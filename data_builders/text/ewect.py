"""EWECT (SMP 2020): posts of Weibo with one of six emotions, in general and about the pandemic.

Six files, of JSON despite their names: ``usual_train.txt``, ``usual_eval_labeled.txt``, ``usual_test_labeled.txt`` and
the same of ``virus``. Each is a list of ``{"id": 1, "content": "…", "label": "angry"}``. The release keeps them in
folders with Chinese names, copies keep them in others; they are found by their names. Ids count anew in each file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import find_file, first_sight, folder_of, missing_file
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

_NAMES = ("anger", "happiness", "sadness", "fear", "surprise", "neutral")
SPACE = LabelSpace(
    "ewect_6",
    "category",
    _NAMES,
    source="SMP 2020, evaluation of Weibo emotion classification",
    aliases=aliases(*_NAMES),
)
PARTS = {"train": TRAIN, "eval_labeled": VALIDATION, "test_labeled": TEST}
FILES = {f"{about}_{part}.txt": (about, split) for about in ("usual", "virus") for part, split in PARTS.items()}
CARD = CorpusCard(
    name="ewect",
    title="SMP2020-EWECT",
    citation="SMP 2020 organisers: The Evaluation of Weibo Emotion Classification Technology. SMP 2020",
    url="https://smp2020ewect.github.io/",
    obtain="the data of https://smp2020ewect.github.io/ , after its terms are agreed to: usual_train.txt and five more",
    licence="research use, by the organisers' terms",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("zh",),
    modalities=("text",),
    spaces=(SPACE,),
    raters={"annotators": "the emotion that the organisers' annotators gave a post"},
    counts={},
    split_policy="official: a file for each part",
    notes=(
        "The subject (usual, virus) is the attribute `set`; MMAFFBen asks 5,000 and 3,000 posts, the test parts.",
        "The layout was read in copies of the test files in public repositories.",
    ),
)


def _posts(*posts: tuple[str, str]) -> str:
    rows = [{"id": number, "content": text, "label": label} for number, (text, label) in enumerate(posts, 1)]
    return json.dumps(rows, ensure_ascii=False)


MINIATURE: Mapping[str, Content] = {
    "train/usual_train.txt": _posts(("太好了", "happy"), ("", "sad"), ("什么", "bored"), ("走吧", "neutral")),
    "train/virus_train.txt": _posts(("加油", "happy")),
    "eval（刷榜数据集）/usual_eval_labeled.txt": _posts(("吓死我了", "fear")),
    "eval（刷榜数据集）/virus_eval_labeled.txt": _posts(("在家", "neutral")),
    "test（最终评测数据集）/真实测试集/usual_test_labeled.txt": _posts(("气死了", "angry"), ("哭了", "sad")),
    "test（最终评测数据集）/真实测试集/virus_test_labeled.txt": _posts(("没想到", "surprise"), ("好消息", "happy")),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per post, file by file."""
    base = root if root.is_dir() and any(find_file(root, name) for name in FILES) else _nowhere(root)
    for name, (about, split) in FILES.items():
        path = find_file(base, name)
        if path is None:
            yield missing_file(name, CARD)
            continue
        seen: set[str] = set()
        for item in read_json(path, root):
            yield item if isinstance(item, Rejection) else _sample(item, about, split, seen)


def _nowhere(root: Path) -> Path:
    """Say that nothing of the release lies below ``root``; no single folder of a release holds all of its files."""
    return folder_of(
        root, CARD, lambda folder: any((folder / name).is_file() for name in FILES), "usual_test_labeled.txt"
    )


def _sample(item: Item, about: str, split: str, seen: set[str]) -> Sample | Rejection:
    row = item.value if isinstance(item.value, dict) else {}
    identifier, text = f"{about}/{split}/{row.get('id', '')}", str(row.get("content") or "").strip()
    label = SPACE.resolve(str(row.get("label") or ""))
    if "id" not in row or not text:
        return Rejection(identifier, "broken_row", item.where, "no id or no words")
    if label is None:
        return Rejection(identifier, "unknown_label", item.where, str(row.get("label"))[:60])
    return first_sight(seen, identifier, item.where) or Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=(Annotation(SPACE.name, "annotators", label),),
        source=item.where,
        text=text,
        language="zh",
        attributes={"set": about},
    )

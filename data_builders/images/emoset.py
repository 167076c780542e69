"""EmoSet-118K: 118,102 photographs and paintings from the web in the eight emotions of Mikels, with attributes.

``train.json``, ``val.json`` and ``test.json`` are lists of [emotion, image id, path of the image, path of its
annotation]; a copy with other models has three fields and no id. The annotation of an image is a json file of its own:
emotion, brightness and colorfulness in steps of a tenth, scene, objects, facial expressions and human actions. Any of
the attributes may be missing. ``info.json`` gives the numbers of all labels; its keys are strings and some of its
values are floats, so nothing is read from it but the promise that the eight emotions are the ones below.

Each image was chosen by a search word and its emotion confirmed by at least ten people.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.miniature import Content, Picture
from affectllm.corpus.reading import first_sight, folder_of, is_lfs_pointer, media_path, missing_file
from affectllm.corpus.records.json_reading import read_json
from affectllm.labels import Annotation
from affectllm.labels.taxonomies import MIKELS_8

FILES = {"train.json": TRAIN, "val.json": VALIDATION, "test.json": TEST}
ATTRIBUTES = ("brightness", "colorfulness", "scene", "object", "facial_expression", "human_action")
CARD = CorpusCard(
    name="emoset",
    title="EmoSet-118K",
    citation="Yang, Huang, Ding, Lischinski, Cohen-Or, Huang: EmoSet: A Large-scale Visual Emotion Dataset with Rich "
    "Attributes. ICCV 2023",
    url="https://vcc.tech/EmoSet",
    obtain="EmoSet-118K.zip, linked at https://vcc.tech/EmoSet ; the folder with train.json, image/ and annotation/",
    licence="research use; the images belong to their authors",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("image",),
    spaces=(MIKELS_8,),
    raters={"crowd": "at least ten people who confirmed the emotion by whose name the image was found"},
    counts={TRAIN: 94481, VALIDATION: 5905, TEST: 17716},
    split_policy="official: train, val and test json (80, 5 and 15 percent)",
    notes=(
        "Attributes may be missing; lists (object, facial_expression, human_action) are joined by commas.",
        "Where the annotation file of an image is missing, its emotion is that of the list.",
        "Where list and annotation file disagree on the emotion, the list is used and the other counted as "
        "label_conflict.",
    ),
)
_ONE = {"image_id": "awe_00001", "emotion": "awe", "brightness": 0.4, "scene": "lake", "object": ["boat", "sky"]}
_OTHER = {"image_id": "fear_00002", "emotion": "anger", "colorfulness": 0.1, "human_action": []}
MINIATURE: Mapping[str, Content] = {
    "info.json": '{"emotion": {"label2idx": {"amusement": 0}}}',
    "train.json": json.dumps(
        [
            ["awe", "awe_00001", "image/awe/awe_00001.jpg", "annotation/awe/awe_00001.json"],
            ["fear", "image/fear/fear_00002.jpg", "annotation/fear/fear_00002.json"],
            ["awe", "awe_00001", "image/awe/awe_00001.jpg", "annotation/awe/awe_00001.json"],
            ["calm", "calm_00003", "image/calm/calm_00003.jpg", "annotation/calm/calm_00003.json"],
            ["awe", "awe_00004", "../../awe_00004.jpg", "/etc/awe_00004.json"],
            ["awe"],
        ],
        indent=0,
    ),
    "val.json": json.dumps([["sadness", "sadness_00005", "image/sadness/sadness_00005.jpg", "annotation/none.json"]]),
    "test.json": json.dumps([["anger", "anger_00006", "image/anger/anger_00006.jpg", "annotation/broken.json"]]),
    "annotation/awe/awe_00001.json": json.dumps(_ONE),
    "annotation/fear/fear_00002.json": json.dumps(_OTHER),
    "annotation/broken.json": "{",
    "image/awe/awe_00001.jpg": Picture(),
    "image/awe/._awe_00001.jpg": b"\x00\x05\x16\x07",
    "image/fear/fear_00002.jpg": Picture(),
    "image/anger/anger_00006.jpg": Picture(),
}

_Facts = Generator[Rejection, None, dict[str, str]]


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per image, in the order of the lists."""
    base = folder_of(root, CARD, _is_ours, "train.json, val.json and test.json beside image/ or annotation/")
    has_images, has_annotations = (base / "image").is_dir(), (base / "annotation").is_dir()
    seen: set[str] = set()
    for name, split in FILES.items():
        if not (base / name).is_file():
            yield missing_file(name, CARD)
            continue
        for item in read_json(base / name, root):
            if isinstance(item, Rejection):
                yield item
                continue
            fields = item.value if isinstance(item.value, list) else []
            if len(fields) not in (3, 4) or not all(isinstance(field, str) for field in fields):
                yield Rejection(item.where, "broken_row", item.where, "not emotion, id, image, annotation")
                continue
            emotion, image, annotation = fields[0], fields[-2], fields[-1]
            identifier = fields[1] if len(fields) == 4 else Path(image).stem
            if duplicate := first_sight(seen, identifier, item.where):
                yield duplicate
                continue
            facts: dict[str, str] = {}
            if has_annotations:
                facts = yield from _facts(base, root, annotation, item.where, emotion)
            picture = media_path(base, root, image, item.where) if has_images else None
            yield from _sample(identifier, emotion, split, item.where, facts, picture, root)


def _is_ours(folder: Path) -> bool:
    return any((folder / name).is_file() for name in FILES) and any(
        (folder / name).exists() for name in ("image", "annotation", "info.json")
    )


def _facts(base: Path, root: Path, named: str, where: str, emotion: str) -> _Facts:
    """Yield rejections of the annotation file of an image, and return its attributes as strings."""
    path = media_path(base, root, named, where)
    if isinstance(path, Rejection):
        yield Rejection(named, "annotation_missing" if path.reason == "media_missing" else path.reason, where)
        return {}
    try:
        record = json.loads((root / path).read_text(encoding="utf-8"))
    except ValueError as error:
        yield Rejection(named, "broken_row", path, str(error)[:120])
        return {}
    if not isinstance(record, dict):
        yield Rejection(named, "broken_row", path, "no object")
        return {}
    if record.get("emotion", emotion) != emotion:
        yield Rejection(named, "label_conflict", path, f"{record['emotion']!r} here, {emotion!r} in the list")
    return {name: text for name in ATTRIBUTES if (text := _text(record.get(name)))}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(part) for part in value)
    return "" if value is None else str(value)


def _sample(
    identifier: str,
    label: str,
    split: str,
    where: str,
    facts: Mapping[str, str],
    picture: str | Rejection | None,
    root: Path,
) -> Iterator[Sample | Rejection]:
    emotion = MIKELS_8.resolve(label)
    if emotion is None:
        yield Rejection(identifier, "unknown_label", where, label)
        return
    if isinstance(picture, str) and is_lfs_pointer(root / picture):
        picture = Rejection(identifier, "lfs_pointer", picture, "run `git lfs pull`")
    if isinstance(picture, Rejection):
        yield picture
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=(Annotation(MIKELS_8.name, "crowd", emotion),),
        source=where,
        media=(MediaRef(picture, "image"),) if isinstance(picture, str) else (),
        attributes=facts,
    )

"""Emo Pillars: 400,000 synthetic utterances in the 28 classes of GoEmotions, a quarter of them within a story.

A language model (Mistral-7B) wrote utterances of characters in stories and said which emotions they hold. The
*context-full* part has about 100,000 utterances with a description of the character and what happened before; the
*context-less* part about 300,000 that stand alone. Records are JSON, one file a part and split; ``all_emotions`` is a
list of pairs of emotion and score, whose mixed types break tools that want columns. Some named emotions are not among
the 28: those are counted and left out, the others of the utterance stay.

No human labelled these: the only rater is the model. Nothing of it should be scored as truth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample, Turn
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import folder_of, folders_below, is_debris, is_lfs_pointer, relative
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import number, plain_name
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import GOEMOTIONS_28

SCORES = LabelSpace(
    "emo_pillars_scores",
    "distribution",
    GOEMOTIONS_28.names,
    source="Shvets, Emo Pillars, 2025; classes of Demszky et al., GoEmotions, ACL 2020",
    aliases=GOEMOTIONS_28.aliases,
)
SPLITS = {"train": TRAIN, "dev": VALIDATION, "valid": VALIDATION, "test": TEST}
# Fact → names that records give it.
TEXT = ("utterance", "text", "sentence", "input")
CONTEXT = ("context", "narrative", "story", "situation")
CHARACTER = ("character", "character_description", "actor", "persona")
EMOTIONS = ("all_emotions", "emotions", "labels", "label", "emotion")
CARD = CorpusCard(
    name="emo_pillars",
    title="Emo Pillars",
    citation="Shvets: Emo Pillars: Knowledge Distillation to Support Fine-Grained Context-Aware and Context-Less "
    "Emotion Classification. Findings of ACL 2025",
    url="https://huggingface.co/datasets/alex-shvets/EmoPillars",
    obtain="the JSON files of https://huggingface.co/datasets/alex-shvets/EmoPillars",
    licence="see the dataset's page; synthetic text by Mistral-7B",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(GOEMOTIONS_28, SCORES),
    raters={"model": "Mistral-7B, which also wrote the utterance"},
    counts={},
    total=400000,
    split_policy="files called train, dev, valid or test keep their split; what is in other files is split by a hash "
    "of the context (of the words, where there is none): 80, 10 and 10 percent",
    notes=(
        "Names of files and fields are not documented publicly and were not checked on a real file: the builder takes "
        "several names for each.",
        "The total is that of the paper.",
        "goemotions_28 has every class that the model named with a score above 0, emo_pillars_scores its score.",
        "Emotions outside the 28 classes are counted as unknown_label; an utterance that has no other is not used.",
        "The classes are those of GoEmotions; the words are not.",
    ),
)


def _record(text: str, context: str, *emotions: Any) -> dict[str, Any]:
    return {"utterance": text, "context": context, "character": "Ada, a baker", "all_emotions": list(emotions)}


MINIATURE: Mapping[str, Content] = {
    "EmoPillars/context-full_train.json": json.dumps(
        [
            _record("My oven is back!", "The oven was stolen.", ["joy", 0.9], ["relief", 0.4], ["awe", 0.2]),
            _record("Hm.", "The oven was sold.", ["bewilderment", 1]),
            _record("", "The oven was lost.", ["joy", 1]),
        ],
        indent=1,
    ),
    "EmoPillars/context-less_valid.jsonl": json.dumps({"text": "Get out!", "all_emotions": [["anger", "0.8"]]}) + "\n",
    "EmoPillars/context-less_test.json": json.dumps([{"text": "As you like.", "emotions": ["neutral"]}]),
    "EmoPillars/dataset_info.json": json.dumps({"features": {"text": "string"}}),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per utterance, in the order of folders and files."""
    base = folder_of(root, CARD, _is_ours, "JSON files of EmoPillars")
    for path in _files(base):
        if not _has(path, *EMOTIONS):
            name = relative(path, root)
            reason = "lfs_pointer" if is_lfs_pointer(path) else "unknown_name"
            yield Rejection(name, reason, name, "no utterances in it")
            continue
        part = next((split for word, split in SPLITS.items() if word in path.stem.lower()), None)
        for place, item in enumerate(read_json(path, root), 1):
            if isinstance(item, Rejection):
                yield item
            else:
                yield from _utterance(item, f"{relative(path, base)}/{place}", part)


def _files(base: Path) -> Iterator[Path]:
    for folder in folders_below(base):
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in (".json", ".jsonl") and not is_debris(path.name) and path.is_file():
                yield path


def _has(path: Path, *names: str) -> bool:
    """Whether one of the fields is named early in the file."""
    with path.open("rb") as stream:
        head = stream.read(20_000).replace(b"\0", b"")
    return any(f'"{name}"'.encode() in head for name in names)


def _is_ours(folder: Path) -> bool:
    """Whether a JSON file of this corpus, by its name or its fields, lies directly in ``folder``."""
    for path in sorted(folder.glob("*")):
        if path.suffix.lower() in (".json", ".jsonl") and path.is_file():
            if _has(path, "all_emotions"):
                return True
            if "emopillars" in plain_name(path.name) + plain_name(folder.name) and _has(path, "emotions"):
                return True
    return False


def _first(value: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((value[name] for name in names if value.get(name)), None)


def _utterance(item: Item, identifier: str, part: str | None) -> Iterator[Sample | Rejection]:
    value = item.value if isinstance(item.value, dict) else {}
    text, context, character = (str(_first(value, names) or "").strip() for names in (TEXT, CONTEXT, CHARACTER))
    if not text:
        yield Rejection(identifier, "broken_row", item.where, "no words")
        return
    scores: dict[str, float] = {}
    for name, score in _pairs(_first(value, EMOTIONS)):
        emotion, weight = GOEMOTIONS_28.resolve(name), number(score, 0)
        if emotion is None or weight is None:
            yield Rejection(f"{identifier} {name}", "unknown_label", item.where, f"{name} {score!r}"[:80])
        else:
            scores[emotion] = max(weight, scores.get(emotion, 0.0))
    if not scores:
        yield Rejection(identifier, "no_annotation", item.where, text[:80])
        return
    named = tuple(name for name in GOEMOTIONS_28.names if scores.get(name, 0) > 0)
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=part or by_hash(context or text, salt=CARD.name),
        annotations=(Annotation(GOEMOTIONS_28.name, "model", named), Annotation(SCORES.name, "model", scores)),
        source=item.where,
        text=text,
        language="en",
        context=(Turn("narrator", context),) if context else (),
        attributes={"character": character} if character else {},
    )


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield emotion and score, from pairs, from a mapping, or from bare names (then the score is 1)."""
    if isinstance(value, str):
        yield from ((name.strip(), 1) for name in value.split(",") if name.strip())
    elif isinstance(value, dict):
        yield from ((str(name), score) for name, score in value.items())
    elif isinstance(value, list):
        for element in value:
            if isinstance(element, list) and len(element) == 2:
                yield str(element[0]), element[1]
            else:
                yield str(element), 1

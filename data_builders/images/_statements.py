"""Shared reader of corpora of statements about pictures: pictures with a list of true and false statements.

Not a corpus. An item is ``{"image_id": …, "statement_list": [{"statement": …, "class": …, "label": "Correct"}, …]}``;
other members of an item are kept as facts. A re-upload may have one statement an item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus import CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.reading import is_lfs_pointer, media_path
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.labels import Annotation, LabelSpace

DIMENSIONS = ("sentiment polarity", "emotion interpretation", "scene context", "perception subjectivity")
SOURCE = "Wu et al., Customizing Visual Emotion Evaluation for MLLMs, arXiv 2509.21950, 2025"
_LISTS = ("statement_list", "statements")
_EMOTIONS = ("emotion_list", "emotions", "emotion", "open_vocabulary_emotions", "labels")
_WORDS = {
    "true": "correct",
    "yes": "correct",
    "1": "correct",
    "false": "incorrect",
    "no": "incorrect",
    "0": "incorrect",
}


def judgement_space(name: str) -> LabelSpace:
    """Return the label space of judgements whether a statement fits a picture."""
    return LabelSpace(name, "category", ("correct", "incorrect"), source=SOURCE, aliases=_WORDS)


@dataclass
class Statements:
    """Converts the items of one release to samples, one per statement."""

    card: CorpusCard
    judgement: LabelSpace
    emotions: LabelSpace
    rater: str
    split: str
    base: Path
    root: Path
    _count: Counter[str] = field(default_factory=Counter)

    def read(self, path: Path) -> Iterator[Sample | Rejection]:
        """Yield one sample per statement, in the order of the file."""
        for item in read_json(path, self.root):
            if isinstance(item, Rejection):
                yield item
                continue
            value = item.value if isinstance(item.value, dict) else {}
            image = str(value.get("image_id") or value.get("image") or item.key or "").strip()
            listed = next((value[name] for name in _LISTS if isinstance(value.get(name), list)), None)
            statements = listed if listed is not None else [value] if "statement" in value else []
            if not image or not statements:
                yield Rejection(image or item.where, "broken_row", item.where, "no image, or no statements")
                continue
            picture = self._picture(image, item.where)
            if isinstance(picture, Rejection):
                yield picture
            for statement in statements:
                yield self._sample(image, statement, value, item, picture)

    def _picture(self, image: str, where: str) -> str | Rejection | None:
        folders = [self.base / name for name in ("images", "image") if (self.base / name).is_dir()]
        name = image if "." in image else f"{image}.jpg"
        tried = [media_path(folder, self.root, name, where) for folder in (*folders, self.base)]
        picture = next((path for path in tried if isinstance(path, str)), tried[0])
        if isinstance(picture, str) and is_lfs_pointer(self.root / picture):
            return Rejection(image, "lfs_pointer", picture, "run `git lfs pull`")
        lost = isinstance(picture, Rejection) and picture.reason == "media_missing"
        return None if lost and not folders else picture

    def _sample(
        self, image: str, statement: Any, item: Mapping[str, Any], read: Item, picture: str | Rejection | None
    ) -> Sample | Rejection:
        self._count[image] += 1
        identifier = f"{Path(image).stem}#{self._count[image]}"
        words = str(statement.get("statement") or "").strip() if isinstance(statement, dict) else ""
        if not words:
            return Rejection(identifier, "broken_row", read.where, "no statement")
        label = self.judgement.resolve(str(statement.get("label", "")))
        if label is None:
            return Rejection(identifier, "unknown_label", read.where, str(statement.get("label"))[:80])
        emotions = next((_joined(item[name]) for name in _EMOTIONS if item.get(name)), "")
        return Sample(
            id=identifier,
            corpus=self.card.name,
            split=self.split,
            annotations=(
                Annotation(self.judgement.name, self.rater, label),
                *((Annotation(self.emotions.name, self.rater, emotions),) if emotions else ()),
            ),
            source=read.where,
            text=words,
            language="en",
            media=(MediaRef(picture, "image"),) if isinstance(picture, str) else (),
            attributes={"image": image, "dimension": str(statement.get("class", "")).strip().lower()},
        )


def _joined(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(str(key) for key in value)
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)

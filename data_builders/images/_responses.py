"""Shared reader of corpora of feelings about pictures: a row is one person's emotion and why, in words.

Not a corpus. A row has no id, so a response is called by its picture and its number among the rows of that picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.reading import Row, is_lfs_pointer
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import read_table
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import MIKELS_8_NAMES, aliases

EMOTIONS = (*MIKELS_8_NAMES, "something else")
SPLITS = {"train": TRAIN, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "test": TEST}


def emotion_space(name: str, source: str) -> LabelSpace:
    """Return the label space of the eight emotions of Mikels and "something else"."""
    other = {"something_else": "something else", "something-else": "something else", "other": "something else"}
    return LabelSpace(name, "category", EMOTIONS, source=source, aliases=aliases(*MIKELS_8_NAMES) | other)


@dataclass
class Responses:
    """Converts the rows of one release to samples.

    Args:
        columns: ``emotion`` and ``words``, and where the table has them ``split``; see ``read_table``.
        picture: says which picture a row is about, as the release names it.
        find: the file of a picture below the root, a rejection, or None where no pictures were downloaded.
        facts: columns that become attributes.
    """

    card: CorpusCard
    emotion: LabelSpace
    words: LabelSpace
    columns: Mapping[str, tuple[str, ...]]
    picture: Callable[[Row], str]
    find: Callable[[str, str], str | Rejection | None]
    facts: tuple[str, ...] = ()
    prefix: str = ""
    _count: Counter[str] = field(default_factory=Counter)

    def read(self, path: Path, root: Path) -> Iterator[Sample | Rejection]:
        """Yield one sample per row."""
        optional = ("split", "source", "annotator")
        for row in read_table(path, root, self.columns, optional=optional):
            yield from (row,) if isinstance(row, Rejection) else self._sample(row, root)

    def _sample(self, row: Row, root: Path) -> Iterator[Sample | Rejection]:
        picture = self.picture(row)
        if not picture:
            yield Rejection(row.where, "broken_row", row.where, "no picture")
            return
        self._count[picture] += 1
        identifier = f"{self.prefix}{picture}#{self._count[picture]}"
        split_name = row.fields.get("split", "").strip().lower()
        split = (
            SPLITS.get(split_name) if split_name else by_hash(picture, validation=0.05, test=0.1, salt=self.card.name)
        )
        emotion, words = self.emotion.resolve(row["emotion"]), row["words"].strip()
        if split is None:
            yield Rejection(identifier, "not_in_split", row.where, f"split {split_name!r}")
            return
        if emotion is None:
            yield Rejection(identifier, "unknown_label", row.where, row["emotion"])
        if not (emotion or words):
            return
        image = self.find(picture, row.where)
        if isinstance(image, str) and is_lfs_pointer(root / image):
            image = Rejection(identifier, "lfs_pointer", image, "run `git lfs pull`")
        if isinstance(image, Rejection):
            yield image
        facts = {name: row.fields[name].strip() for name in self.facts if row.fields.get(name, "").strip()}
        yield Sample(
            id=identifier,
            corpus=self.card.name,
            split=split,
            annotations=(
                *((Annotation(self.emotion.name, "viewer", emotion),) if emotion else ()),
                *((Annotation(self.words.name, "viewer", words),) if words else ()),
            ),
            source=row.where,
            language="en",
            media=(MediaRef(image, "image"),) if isinstance(image, str) else (),
            attributes={"picture": picture, **facts},
        )

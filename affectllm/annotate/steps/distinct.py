"""Drop near-duplicates among the texts, and report how diverse the others are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from affectllm.annotate.diversity import diversity
from affectllm.annotate.row import Item, Row
from affectllm.annotate.step import NOTHING, Context, Read, Step
from affectllm.annotate.steps.agrees import labels_of
from affectllm.corpus.leaks.duplicates import TextDuplicates


@dataclass(frozen=True)
class Distinct(Step):
    """Args:
    of: the step whose notes are compared; empty for the texts of the samples.
    threshold: least estimated Jaccard similarity of a near-duplicate.
    shingle: words in a shingle.
    """

    of: str = ""
    threshold: float = 0.7
    shingle: int = 2

    whole: ClassVar[bool] = True
    leaves: ClassVar[str] = NOTHING

    def reads(self) -> tuple[Read, ...]:
        return (Read(self.of),) if self.of else ()

    def check(self, context: Context) -> None:
        TextDuplicates(self.threshold, self.shingle, short=True)

    def over(self, rows: Sequence[Row], context: Context) -> list[Item]:
        texts = [str(row.notes.get(self.of, "")) if self.of else row.sample.text or "" for row in rows]
        keyed = [
            (str(place), text, row.sample.language) for place, (row, text) in enumerate(zip(rows, texts, strict=True))
        ]
        dropped = TextDuplicates(self.threshold, self.shingle, short=True).find(keyed)
        items: list[Item] = []
        for place, row in enumerate(rows):
            twin = dropped.get(str(place))
            items.append(row if twin is None else row.rejected("near_duplicate", rows[int(twin)].sample.id))
        kept = [place for place in range(len(rows)) if str(place) not in dropped]
        labels = [_labels(rows[place]) for place in kept]
        context.facts[self.name] = diversity([texts[place] for place in kept], labels)
        return items

    def supposed(self, row: Row, context: Context) -> list[Row]:
        return [row]


def _labels(row: Row) -> list[str]:
    """Return the labels of a row: those of the annotations that are names, the last rater's."""
    for one in reversed(row.sample.annotations):
        if isinstance(one.value, tuple):
            return labels_of(list(one.value))
        if isinstance(one.value, str) and len(one.value) < 40:
            return [one.value]
    return []


STEP = Distinct

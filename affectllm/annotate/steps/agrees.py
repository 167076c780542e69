"""Keep the rows whose labels agree with a label that the corpus gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from affectllm.annotate.row import Item, Row
from affectllm.annotate.step import LABELS, Context, Read, Step
from affectllm.errors import Malformed
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.reading import Unreadable, read_labels
from affectllm.respond.responder import Reply


@dataclass(frozen=True)
class Agrees(Step):
    """Args:
    of: the step that voted or extracted.
    space: label space of the given label.
    rater: who gave it.
    """

    of: str
    space: str
    rater: str

    leaves: ClassVar[str] = LABELS

    def reads(self) -> tuple[Read, ...]:
        return (Read(self.of, (LABELS,)),)

    def check(self, context: Context) -> None:
        refuse_foreign("of", self.of, context.labels(self.space), context)
        context.check_given(self.space, self.rater)
        context.labelled[self.name] = self.space

    def take(self, row: Row, replies: Sequence[Reply], context: Context) -> list[Item]:
        given = row.sample.annotation(self.space, self.rater)
        if given is None:
            return [row.rejected("no_given_label", f"{self.space} by {self.rater}")]
        labels, wanted = labels_of(row.notes.get(self.of, ())), given_labels(given)
        if not named_by(labels, context.space(self.space, self.name)) & wanted:
            return [row.rejected("disagrees_with_label", f"{', '.join(labels)} and not {', '.join(sorted(wanted))}")]
        return [row.noted(self.name, sorted(wanted))]

    def supposed(self, row: Row, context: Context) -> list[Row]:
        return [row]


def labels_of(note: object) -> list[str]:
    """Return the labels of a vote, or all of an extraction by several models."""
    lists = note.values() if isinstance(note, dict) else [note]
    return list(dict.fromkeys(str(label) for labels in lists if isinstance(labels, list | tuple) for label in labels))


def refuse_foreign(key: str, name: str, space: LabelSpace, context: Context) -> None:
    """Raise ``Malformed`` when no label that the step ``name`` may note stands for one of ``space``."""
    given = context.spaces.get(context.labelled.get(name, ""))
    if given and not named_by(given.names, space):
        message = f"{name} labels in {given.name}, of which no label stands for one of {space.name}"
        raise Malformed(message, where=key, do="compare labels of one space, or extract open words")


def given_labels(annotation: Annotation) -> set[str]:
    """Return the names that an annotation gives: one, those of a tie, or those of a set."""
    value = annotation.value
    return {value} if isinstance(value, str) else {str(name) for name in value}


def named_by(labels: Iterable[str], space: LabelSpace) -> set[str]:
    """Return the names of a label space that words of any kind stand for: ``cheerful`` for ``happiness``."""
    names: set[str] = set()
    for label in labels:
        reading = read_labels(label, space)
        names |= set() if isinstance(reading, Unreadable) else set(reading)
    return names


STEP = Agrees

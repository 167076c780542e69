"""Write texts for labels, each grounded in a narrative and with the context that it needs (as Emo Pillars has them)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from affectllm.annotate.row import Item, Row
from affectllm.annotate.step import LABELS, Context, Question, Step, text_ask
from affectllm.annotate.steps.agrees import named_by
from affectllm.corpus.sample import Turn
from affectllm.errors import Malformed
from affectllm.labels import LabelSpace
from affectllm.labels.reading.structure import json_objects, texts_of
from affectllm.respond.responder import Reply, Unanswered

ASKED = (
    "Here is a story:\n\n{story}\n\nChoose a person in it. Write what this person could say or write at one moment of "
    "the story in which they feel {label}, without naming the feeling, and one or two sentences of context that a "
    "stranger needs to understand it. Answer with JSON alone: "
    '{{"context": "…", "text": "…", "emotions": ["every emotion that the text expresses, of: {labels}"]}}'
)


@dataclass(frozen=True)
class Synthesize(Step):
    """Args:
    model: who writes.
    space: label space of the texts.
    per: how many labels are asked for of each narrative, the sample's text; they are drawn by a hash of its id.
    tokens: longest answer.
    """

    model: str
    space: str
    per: int = 1
    tokens: int = 300

    leaves: ClassVar[str] = LABELS

    def asked_models(self) -> tuple[str, ...]:
        return (self.model,)

    def check(self, context: Context) -> None:
        names = context.labels(self.space).names
        if not 1 <= self.per <= len(names):
            raise Malformed(f"{self.name}: per is 1 to {len(names)}, the labels of {self.space}", where="per")
        context.own_space(self, "set", names, "template: emotion_set")
        context.forget_given()

    def _labels(self, row: Row, space: LabelSpace) -> list[str]:
        """Return the labels of a narrative: one after another from a place that its id decides."""
        start = int.from_bytes(hashlib.blake2b(row.sample.id.encode(), digest_size=8).digest()) % len(space.names)
        return [space.names[(start + number) % len(space.names)] for number in range(self.per)]

    def asks(self, row: Row, context: Context) -> list[Question]:
        space, story = context.space(self.space, self.name), (row.sample.text or "").strip()
        if not story:
            return []
        words = ", ".join(space.names)
        asked = [ASKED.format(story=story, label=label, labels=words) for label in self._labels(row, space)]
        return [Question(self.model, text_ask((), text, self.tokens)) for text in asked]

    def take(self, row: Row, replies: Sequence[Reply], context: Context) -> list[Item]:
        if not replies:
            return [row.rejected("no_narrative")]
        labels = self._labels(row, context.space(self.space, self.name))
        pairs = enumerate(zip(labels, replies, strict=True), 1)
        return [self._written(row, number, label, reply, context) for number, (label, reply) in pairs]

    def _written(self, row: Row, number: int, label: str, reply: Reply, context: Context) -> Item:
        place = replace(row, sample=replace(row.sample, id=f"{row.sample.id}#{number}"))
        if isinstance(reply, Unanswered):
            return place.rejected("not_written", reply.reason)
        answer: Mapping[str, Any] = next((one for one in reversed(json_objects(reply)) if "text" in one), {})
        text, setting = _text(answer, "text"), _text(answer, "context")
        listed = texts_of(answer.get("emotions")) or []
        if not text or not listed:
            return place.rejected("not_as_asked", reply[:80])
        space = context.space(self.space, self.name)
        known = {word: named_by([word], space) for word in listed}
        self._count(context, [word for word in listed if not known[word]])
        names = set().union(*known.values())
        if label not in names:
            return place.rejected("label_not_expressed", f"{label}: {', '.join(listed)}"[:80])
        turns = (Turn("context", setting),) if setting else ()
        kept = tuple(name for name in space.names if name in names)
        place = replace(place, sample=replace(place.sample, text=text, context=turns, media=(), annotations=()))
        own = context.own_space(self).name
        return place.noted(self.name, {"label": label, "labels": list(kept)}).annotated(
            own, context.raters[self.model], kept
        )

    def _count(self, context: Context, strange: Sequence[str]) -> None:
        """Count answers outside the taxonomy."""
        facts = context.facts.setdefault(self.name, {"out_of_taxonomy": 0, "words": {}})
        words = Counter(facts["words"]) + Counter(word.strip().lower() for word in strange)
        facts["words"], facts["out_of_taxonomy"] = dict(sorted(words.items())), words.total()

    def supposed(self, row: Row, context: Context) -> list[Row]:
        return [row.noted(self.name, {}) for _ in range(self.per)]


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key)
    return value.strip() if isinstance(value, str) else ""


STEP = Synthesize

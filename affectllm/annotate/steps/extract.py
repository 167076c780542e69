"""Extract labels from a description, by one model or several: in open words, or one of a label space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from affectllm.annotate.row import Item, Row
from affectllm.annotate.step import LABELS, Context, Question, Read, Step, text_ask
from affectllm.errors import Malformed
from affectllm.labels import LabelSpace
from affectllm.labels.reading import Unreadable, read_label, read_open_labels
from affectllm.respond.responder import Reply, Unanswered

OPEN = "Which emotions does the person in this description feel? Answer with words for them, separated by commas."
CLOSED = "Which of these does the person in this description feel: {labels}? Answer with one of them."


@dataclass(frozen=True)
class Extract(Step):
    """Args:
    models: who extract; with several of them a later step votes.
    of: the step that described.
    space: label space of one answer; empty for open words.
    score_by: ``reply``, or ``likelihood``: the likeliest label of the space, of a model that keeps to none, too.
    tokens: longest answer.
    """

    models: tuple[str, ...]
    of: str
    space: str = ""
    score_by: str = "reply"
    tokens: int = 48

    leaves: ClassVar[str] = LABELS

    def asked_models(self) -> tuple[str, ...]:
        return self.models

    def reads(self) -> tuple[Read, ...]:
        return (Read(self.of),)

    def check(self, context: Context) -> None:
        if self.score_by not in ("reply", "likelihood"):
            raise Malformed(f"score_by is reply or likelihood, not {self.score_by!r}", where="score_by")
        if self.score_by == "likelihood" and not self.space:
            raise Malformed("likelihoods are those of the labels of a space", where="score_by", do="give it a space")
        if self.score_by == "likelihood" and (writing := [one for one in self.models if one in context.unscored]):
            message = f"{writing[0]} tells no likelihoods, only replies"
            raise Malformed(message, where="score_by", do="give it a profile that tells them, or score_by: reply")
        if self.space:
            context.labels(self.space, ("category",))  # one answer is one name
        context.labelled[self.name] = self._space(context).name
        context.voters[self.name] = [context.raters[model] for model in self.models]

    def _space(self, context: Context) -> LabelSpace:
        if not self.space:
            return context.own_space(self, part="template: emotion_open")
        return context.new_spaces.setdefault(self.space, context.space(self.space, self.name))

    def asks(self, row: Row, context: Context) -> list[Question]:
        if self.of not in row.notes:
            return []
        names = self._space(context).names
        asked = CLOSED.format(labels=", ".join(names)) if self.space else OPEN
        scored = self.score_by == "likelihood"
        ask = text_ask((), f"{asked}\n\n{row.notes[self.of]}", 1 if scored else self.tokens)
        return [Question(model, ask, names if scored else ()) for model in self.models]

    def take(self, row: Row, replies: Sequence[Reply], context: Context) -> list[Item]:
        if not replies:
            return [row.rejected("nothing_to_extract", row.gaps.get(self.of, ""))]
        space, labels = self._space(context), dict[str, list[str]]()
        for model, reply in zip(self.models, replies, strict=True):
            rater, reading = context.raters[model], self._read(reply, space)
            if isinstance(reading, str):
                row = row.lacking(f"{self.name}/{rater}", reading)
                continue
            labels[rater] = list(reading)
            row = row.annotated(space.name, rater, reading[0] if self.space else ", ".join(reading))
        return [row.noted(self.name, labels)]

    def _read(self, reply: Reply, space: LabelSpace) -> tuple[str, ...] | str:
        """Return the labels, or the reason why there are none."""
        if isinstance(reply, Unanswered):
            return reply.reason
        reading = read_label(reply, space) if self.space else read_open_labels(reply)
        if isinstance(reading, Unreadable):
            return f"unreadable:{reading.reason}"
        labels = (reading,) if isinstance(reading, str) else tuple(reading)
        return labels or "no_label"

    def supposed(self, row: Row, context: Context) -> list[Row]:
        return [row.noted(self.name, {context.raters[model]: ["joy"] for model in self.models})]


STEP = Extract

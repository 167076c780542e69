"""Merge several descriptions of a moment into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from affectllm.annotate.row import Item, Row
from affectllm.annotate.step import WORDS, Context, Question, Read, Step, filled, text_ask
from affectllm.respond.responder import Reply

ASKED = (
    "Several observers describe one and the same moment. Write one description in three sentences that keeps what they "
    "saw and heard, weighs contradictions, and ends with the feeling that is most likely."
)


@dataclass(frozen=True)
class Merge(Step):
    """Args:
    model: who merges; it sees the descriptions and no clip.
    of: the steps that described.
    ask: the question; empty for the usual one.
    tokens: longest description.
    """

    model: str
    of: tuple[str, ...]
    ask: str = ""
    tokens: int = 200

    leaves: ClassVar[str] = WORDS

    def asked_models(self) -> tuple[str, ...]:
        return (self.model,)

    def reads(self) -> tuple[Read, ...]:
        return tuple(Read(name) for name in self.of)

    def check(self, context: Context) -> None:
        context.own_space(self)

    def asks(self, row: Row, context: Context) -> list[Question]:
        texts = [f"- {name}: {row.notes[name]}" for name in self.of if name in row.notes]
        words = "\n".join([self.ask or ASKED, "", *texts])
        return [Question(self.model, text_ask((), words, self.tokens))] if texts else []

    def take(self, row: Row, replies: Sequence[Reply], context: Context) -> list[Item]:
        if not replies:
            return [row.rejected("nothing_to_merge", ", ".join(row.gaps.get(name, "") for name in self.of))]
        row = filled(row, self.name, replies[0])
        if self.name not in row.notes:
            return [row.rejected("not_merged", row.gaps[self.name])]
        return [row.annotated(context.own_space(self).name, context.raters[self.model], row.notes[self.name])]


STEP = Merge

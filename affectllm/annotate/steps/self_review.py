"""Keep the descriptions that a model still finds right when it is shown the clip again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from affectllm.annotate.row import Item, Row
from affectllm.annotate.step import VERDICT, Context, Question, Read, Step, text_ask
from affectllm.errors import Malformed
from affectllm.instruct.content_parts import clip_parts
from affectllm.instruct.template import MODALITIES
from affectllm.labels.reading import Unreadable, read_judgement
from affectllm.respond.responder import Reply, Unanswered

ASKED = "Does this description fit what you are shown? Answer yes or no.\n\n"


@dataclass(frozen=True)
class SelfReview(Step):
    """Args:
    model: who judges: the one that described, or another.
    of: the step that described.
    see: what it is shown of the clip.
    tokens: longest answer.
    """

    model: str
    of: str
    see: tuple[str, ...]
    tokens: int = 16

    leaves: ClassVar[str] = VERDICT

    def asked_models(self) -> tuple[str, ...]:
        return (self.model,)

    def reads(self) -> tuple[Read, ...]:
        return (Read(self.of),)

    def check(self, context: Context) -> None:
        if not self.see or set(self.see) - set(MODALITIES):
            raise Malformed(
                f"{self.name} sees {', '.join(self.see) or 'nothing'}", where="see", do=f"of {', '.join(MODALITIES)}"
            )
        context.check_shown(self.model, self.see)

    def asks(self, row: Row, context: Context) -> list[Question]:
        parts = clip_parts(row.sample, self.see)
        words = f"What is said: “{row.sample.text}”\n\n" if "text" in self.see and row.sample.text else ""
        if self.of not in row.notes or not (parts or words):
            return []
        return [Question(self.model, text_ask(parts, f"{words}{ASKED}{row.notes[self.of]}", self.tokens))]

    def take(self, row: Row, replies: Sequence[Reply], context: Context) -> list[Item]:
        if not replies:
            return [row.rejected("nothing_to_review", row.gaps.get(self.of, ""))]
        reply = replies[0]
        if isinstance(reply, Unanswered):
            return [row.rejected("not_reviewed", reply.reason)]
        verdict = read_judgement(reply)
        if isinstance(verdict, Unreadable):
            return [row.rejected("review_unreadable", reply[:80])]
        return [row.noted(self.name, True) if verdict else row.rejected("fails_self_review", row.notes[self.of][:80])]

    def supposed(self, row: Row, context: Context) -> list[Row]:
        return [row]


STEP = SelfReview

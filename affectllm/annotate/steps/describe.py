"""Describe a moment by its sound, by its frames or by its words: one modality, or several, to one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from affectllm.annotate.row import Item, Row
from affectllm.annotate.step import WORDS, Context, Question, Step, filled, text_ask
from affectllm.errors import Malformed
from affectllm.instruct.content_parts import clip_parts, missing_modality
from affectllm.instruct.template import MODALITIES
from affectllm.respond.responder import Reply

ASKED = {
    "audio": "Listen to the voice. Describe in two sentences how it sounds: pitch, loudness, tempo, pauses, laughter, "
    "sighs, and the feeling that they convey. Leave out what is said.",
    "video": "Look at the person. Describe in two sentences what face, gaze, hands and posture do, and how that "
    "changes, and the feeling that they convey.",
    "image": "Describe in two sentences what the picture shows, and the feeling that it conveys.",
    "text": "Describe in two sentences which feelings the words convey, and what they are about.",
}
SEVERAL = "Describe in three sentences what is seen, heard and said, and the feeling that it conveys."


@dataclass(frozen=True)
class Describe(Step):
    """Args:
    model: who describes.
    see: what it is given, of ``video``, ``audio``, ``image`` and ``text``.
    ask: the question; empty for the usual one of what is given.
    tokens: longest description.
    """

    model: str
    see: tuple[str, ...]
    ask: str = ""
    tokens: int = 160

    leaves: ClassVar[str] = WORDS

    def asked_models(self) -> tuple[str, ...]:
        return (self.model,)

    def check(self, context: Context) -> None:
        if not self.see or set(self.see) - set(MODALITIES):
            raise Malformed(
                f"{self.name} sees {', '.join(self.see) or 'nothing'}", where="see", do=f"of {', '.join(MODALITIES)}"
            )
        context.check_shown(self.model, self.see)
        context.own_space(self, part=f"template: affect_reasoning, modalities: [{', '.join(self.see)}]")

    def asks(self, row: Row, context: Context) -> list[Question]:
        if missing_modality(row.sample, self.see):
            return []
        words = self.ask or (ASKED[self.see[0]] if len(self.see) == 1 else SEVERAL)
        said = f"\n\nWhat is said: “{row.sample.text}”" if "text" in self.see else ""
        parts = clip_parts(row.sample, self.see)
        return [Question(self.model, text_ask(parts, words + said, self.tokens))]

    def take(self, row: Row, replies: Sequence[Reply], context: Context) -> list[Item]:
        if not replies:
            return [row.lacking(self.name, missing_modality(row.sample, self.see) or "not_asked")]
        row = filled(row, self.name, replies[0])
        if self.name not in row.notes:
            return [row]
        return [row.annotated(context.own_space(self).name, context.raters[self.model], row.notes[self.name])]


STEP = Describe

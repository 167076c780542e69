"""Hold statements to the control of a text-only model, wherever they come from: a corpus of statements, or a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from affectllm.annotate.row import Item, Row
from affectllm.annotate.shortcuts import without_shortcuts
from affectllm.annotate.step import NOTHING, Context, Step
from affectllm.errors import Malformed


@dataclass(frozen=True)
class ShortcutControl(Step):
    """Args:
    space, rater: of the judgements: a space of two names, the first of which means true.
    clip: attribute that names the clip of a statement; statements of one clip are held out together.
    shortcuts: ``refuse`` or ``rebalance``.
    """

    space: str
    rater: str
    clip: str = "image"
    shortcuts: Literal["refuse", "rebalance"] = "refuse"

    whole: ClassVar[bool] = True
    leaves: ClassVar[str] = NOTHING

    def check(self, context: Context) -> None:
        if len(context.labels(self.space, ("category",)).names) != 2:
            raise Malformed(f"{self.space} is no space of two judgements", where="space")
        context.check_given(self.space, self.rater)

    def over(self, rows: Sequence[Row], context: Context) -> list[Item]:
        true = context.space(self.space, self.name).names[0]
        given = [row.sample.annotation(self.space, self.rater) for row in rows]
        judged = [(row, one.value == true) for row, one in zip(rows, given, strict=True) if one is not None]
        texts = [row.sample.text or "" for row, _ in judged]
        clips = [row.sample.attributes.get(self.clip, row.sample.id) for row, _ in judged]
        truths, rebalance = [truth for _, truth in judged], self.shortcuts == "rebalance"
        kept, before, after = without_shortcuts(texts, truths, clips, rebalance, self.name)
        context.facts[self.name] = {"text_only": after.to_json(), "text_only_before": before.to_json()}
        left = set(kept)
        items: list[Item] = [
            row if place in left else row.rejected("told_by_text_alone") for place, (row, _) in enumerate(judged)
        ]
        lacking = [row for row, one in zip(rows, given, strict=True) if one is None]
        return items + [row.rejected("no_judgement", f"{self.space} by {self.rater}") for row in lacking]

    def supposed(self, row: Row, context: Context) -> list[Row]:
        return [row]


STEP = ShortcutControl

"""Export items for people to rate: a table, and a page that works without network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from affectllm.annotate.rating.export import RATED, Form, export, text_of
from affectllm.annotate.row import Item, Row
from affectllm.annotate.step import LABELS, NOTHING, WORDS, Context, Read, Step
from affectllm.errors import Malformed


@dataclass(frozen=True)
class Rate(Step):
    """Args:
    of: step whose note is rated; empty for the text of the sample.
    question: about each item.
    scale: the answers, at most nine, in their order.
    items: how many are rated, drawn by a hash of their ids; None for all.
    """

    of: str = ""
    question: str = "Does the text fit what you see and hear?"
    scale: tuple[str, ...] = ("not at all", "partly", "mostly", "wholly")
    items: int | None = 100

    whole: ClassVar[bool] = True
    leaves: ClassVar[str] = NOTHING

    def reads(self) -> tuple[Read, ...]:
        return (Read(self.of, (WORDS, LABELS)),) if self.of else ()

    def check(self, context: Context) -> None:
        if not 2 <= len(set(self.scale)) == len(self.scale) <= 9:
            raise Malformed(f"{self.name}: a scale has two to nine different answers", where="scale")

    def over(self, rows: Sequence[Row], context: Context) -> list[Item]:
        there = [row for row in rows if text_of(row, self.of)]
        drawn = sorted(there, key=lambda row: hashlib.blake2b(row.sample.id.encode(), digest_size=8).digest())
        form = Form(f"{context.corpus}-{self.name}", self.question, self.scale)
        context.facts[self.name] = export(
            drawn[: self.items], self.of, form, context.roots, context.folder / RATED / self.name
        )
        return list(rows)

    def supposed(self, row: Row, context: Context) -> list[Row]:
        return [row]


STEP = Rate

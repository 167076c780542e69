"""Make preference pairs of descriptions: the better one agrees with the label or the vote, the worse one does not.

The pairs have the form of corpora of preferences: attributes ``a1`` and ``a2``, and an annotation that says which of
them is preferred, so that a part of a mixture with ``rejected: not_preferred`` trains on them by DPO.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from affectllm.annotate.row import Item, Row
from affectllm.annotate.step import LABELS, VERDICT, Context, Read, Step
from affectllm.annotate.steps.agrees import given_labels, labels_of, named_by, refuse_foreign
from affectllm.errors import Malformed
from affectllm.instruct.rejected import TWO
from affectllm.labels import LabelSpace
from affectllm.respond.responder import Reply


@dataclass(frozen=True)
class Pairs(Step):
    """Args:
    of: step that described → step that extracted labels from its description; at least two.
    space: label space in which they are compared.
    rater: whose label decides; empty where ``vote`` does.
    vote: step that voted, in place of ``rater``.
    """

    of: dict[str, str]
    space: str
    rater: str = ""
    vote: str = ""

    leaves: ClassVar[str] = VERDICT

    def reads(self) -> tuple[Read, ...]:
        both = [Read(name) for name in self.of] + [Read(name, (LABELS,)) for name in self.of.values()]
        return (*both, *([Read(self.vote, (LABELS,), "vote")] if self.vote else []))

    def follows(self, earlier: Mapping[str, Step]) -> None:
        for described, extracted in self.of.items():
            if (source := getattr(earlier[extracted], "of", described)) != described:
                message = f"{self.name} takes the labels of {described} from {extracted}, which reads {source}"
                raise Malformed(message, where="of", do="write description: the step that extracted labels from it")

    def check(self, context: Context) -> None:
        space = context.labels(self.space)
        for name in [*self.of.values(), *([self.vote] if self.vote else [])]:
            refuse_foreign("of", name, space, context)
        if bool(self.rater) == bool(self.vote):
            raise Malformed(f"{self.name}: either rater or vote decides")
        if self.rater:
            context.check_given(self.space, self.rater)
        if len(self.of) < 2:
            raise Malformed(f"{self.name}: a pair takes descriptions of two steps", where="of")
        part = "template: affect_reasoning, rejected: not_preferred"
        context.own_space(self, "category", (*TWO, "same"), part)
        judge = self.rater or self.vote
        context.new_raters[self.name] = f"of two descriptions the one whose labels agree with {judge}"

    def take(self, row: Row, replies: Sequence[Reply], context: Context) -> list[Item]:
        space = context.space(self.space, self.name)
        wanted = self._wanted(row, space)
        if not wanted:
            return [row.rejected("no_given_label", self.rater or self.vote)]
        agreeing, others = list[str](), list[str]()
        for described, extracted in self.of.items():
            text, names = row.notes.get(described), named_by(labels_of(row.notes.get(extracted)), space)
            if isinstance(text, str) and names:  # a description without a label neither agrees nor contradicts
                (agreeing if names & wanted else others).append(text)
        if not agreeing or not others:
            return [row.rejected("no_pair", "all agree" if agreeing else "none agrees")]
        return [self._pair(row, agreeing[0], others[0], context)]

    def _wanted(self, row: Row, space: LabelSpace) -> set[str]:
        if self.vote:
            return named_by(labels_of(row.notes.get(self.vote)), space)
        given = row.sample.annotation(self.space, self.rater)
        return given_labels(given) if given else set()

    def _pair(self, row: Row, chosen: str, rejected: str, context: Context) -> Row:
        first = hashlib.blake2b(row.sample.id.encode(), digest_size=1).digest()[0] % 2  # so that no place is the better
        texts = (chosen, rejected) if first == 0 else (rejected, chosen)
        sample = replace(row.sample, attributes={**row.sample.attributes, **dict(zip(TWO, texts, strict=True))})
        better = TWO[first]
        own = context.own_space(self).name
        return replace(row, sample=sample).noted(self.name, better).annotated(own, self.name, better)

    def supposed(self, row: Row, context: Context) -> list[Row]:
        return [row]


STEP = Pairs

"""Vote among the labels that several models extracted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from affectllm.annotate.row import Item, Row
from affectllm.annotate.step import LABELS, Context, Read, Step
from affectllm.errors import Malformed
from affectllm.respond.responder import Reply
from affectllm.run import digest


@dataclass(frozen=True)
class Vote(Step):
    """Args:
    of: the step that extracted labels.
    least: how many models must give a label.
    space: label space of one answer, as of the extraction: the label with the most votes; empty for open words, of
        which all with enough votes are kept.
    """

    of: str
    least: int = 2
    space: str = ""

    leaves: ClassVar[str] = LABELS

    def reads(self) -> tuple[Read, ...]:
        return (Read(self.of, (LABELS,)),)

    def follows(self, earlier: Mapping[str, Step]) -> None:
        given = getattr(earlier[self.of], "space", "")
        if self.space and self.space != given:
            message = f"{self.name} votes in {self.space}, and {self.of} extracts {given or 'open words'}"
            raise Malformed(message, where="space", do="give both the same space, or the vote none")

    def check(self, context: Context) -> None:
        voters = context.voters.get(self.of, [])
        if not 1 <= self.least <= len(voters):
            message = f"{self.name} needs {self.least} votes, and {self.of} asks {len(voters)} models"
            raise Malformed(
                message,
                where="least",
                do="name a step that extracts labels, and at most as many votes as it has models",
            )
        if self.space:
            context.new_spaces.setdefault(self.space, context.labels(self.space))
        else:
            context.own_space(self, part="template: emotion_open")
        self._rater(context)  # by whose name a later step may call it
        context.labelled[self.name] = context.labelled.get(self.of, "")

    def take(self, row: Row, replies: Sequence[Reply], context: Context) -> list[Item]:
        by_rater = row.notes.get(self.of, {})
        votes = Counter(label for labels in by_rater.values() for label in dict.fromkeys(labels))
        chosen = sorted((label for label in votes if votes[label] >= self.least), key=lambda one: (-votes[one], one))
        if not chosen:
            return [row.rejected("no_agreement", ", ".join(f"{label} {votes[label]}" for label in sorted(votes)))]
        if self.space and len(chosen) > 1 and votes[chosen[0]] == votes[chosen[1]]:
            return [row.rejected("tie", ", ".join(chosen))]
        kept = chosen[:1] if self.space else chosen
        space = self.space or context.own_space(self).name
        value = kept[0] if self.space else ", ".join(kept)
        return [row.noted(self.name, kept).annotated(space, self._rater(context), value)]

    def _rater(self, context: Context) -> str:
        raters = sorted(context.voters[self.of])
        name = f"vote-{digest([raters, self.least])[:8]}"
        context.new_raters[name] = f"a vote, of at least {self.least}, among {', '.join(raters)}"
        return name

    def supposed(self, row: Row, context: Context) -> list[Row]:
        return [row.noted(self.name, ["joy"])]


STEP = Vote

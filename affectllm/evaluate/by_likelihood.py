"""Scores from likelihoods: each label or dimension of an item is asked about, and the levels of its answer weigh.

``score_by: likelihood`` of a task page. The score of a label is what the levels are worth, weighted by how likely the
model finds each of them among them: of No (0) and Yes (1) the likelihood of Yes. The questions of one item differ in
their last sentence only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.evaluate.documents import Document
from affectllm.evaluate.media_error import media_error_reason
from affectllm.instruct import Template
from affectllm.instruct.conversation import parts_of
from affectllm.instruct.each import values_of
from affectllm.labels.reading import Unreadable

Messages = list[dict[str, Any]]
_LEAST = -690.0  # log-likelihood that stands for an impossible level: finite, and nothing beside any other


def with_question(messages: Sequence[Mapping[str, Any]], question: str) -> Messages:
    """Return messages with a question behind what the last of them shows."""
    *before, last = messages
    parts = list(parts_of([last]))
    shown = parts[-1]["text"] if parts and parts[-1]["type"] == "text" else ""
    kept = parts[:-1] if shown else parts
    text = f"{shown}\n\n{question}" if shown else question
    return [*map(dict, before), {**last, "content": [*kept, {"type": "text", "text": text}]}]


@dataclass(frozen=True)
class Levels:
    """The answers to the questions of a template, and what each is worth.

    Args:
        words: from the lowest to the highest.
        values: of each.
    """

    words: tuple[str, ...]
    values: tuple[float, ...]

    @classmethod
    def of(cls, template: Template) -> Levels:
        """Return the levels of a template that asks about each name."""
        return cls(template.levels, values_of(template.levels, *(template.space.bounds or (0.0, 1.0))))

    def expected(self, likelihoods: Sequence[float]) -> float:
        """Return the mean of the values, weighted by the levels' likelihoods; these are logarithms."""
        most = max(likelihoods)
        weights = [math.exp(one - most) for one in likelihoods]
        return math.fsum(w * v for w, v in zip(weights, self.values, strict=True)) / math.fsum(weights)

    def likelihoods(self, number: float) -> list[float]:
        """Return log-likelihoods of the levels whose expected value is ``number``: of the two on either side of it."""
        step = self.values[1] - self.values[0]
        weights = [max(0.0, 1.0 - abs(number - value) / step) for value in self.values]
        return [math.log(weight) if weight > 1e-12 else _LEAST for weight in weights]

    def read(
        self, document: Document, results: Sequence[tuple[Any, bool]]
    ) -> tuple[dict[str, float] | None, str | None]:
        """Return the score of each name that the document asks about, and why some or all are missing.

        Args:
            results: for each name, in order, (log-likelihood, whether greedy) of each level.
        """
        scores: dict[str, float] = {}
        reason = None
        for number, name in enumerate(document["each"]):
            own = [one for one, _ in results[number * len(self.words) : (number + 1) * len(self.words)]]
            if why := media_error_reason(own[0]):
                reason = reason or why
            elif not all(math.isfinite(one) for one in own):
                reason = reason or "no_likelihood"
            else:
                scores[name] = self.expected(own)
        return scores or None, reason


def reference_likelihoods(template: Template, answer: str, place: int, document: Document) -> float:
    """Return the log-likelihood that a reference model with this answer in words gives to one of a document's levels.

    Args:
        place: of the level among those of all names; NaN where the answer says nothing of its name.
    """
    levels, slot = Levels.of(template), template.slots[0]
    name = list(document["each"])[place // len(levels.words)]
    numbers = slot.how.read(answer, slot.space, template.language)
    if isinstance(numbers, Unreadable) or name not in numbers:
        return math.nan
    return levels.likelihoods(numbers[name])[place % len(levels.words)]

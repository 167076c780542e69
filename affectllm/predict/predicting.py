"""Ask a question about each item: the answer, the likelihoods of all labels, and an explanation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from affectllm.corpus import Rejection, Sample
from affectllm.instruct.conversation import Conversation, Messages, answered
from affectllm.instruct.template import Template
from affectllm.labels import Annotation
from affectllm.labels.annotation import plain
from affectllm.labels.form import Refused
from affectllm.predict.answering import Answering, Likelihoods
from affectllm.predict.items import Item
from affectllm.predict.question import Question
from affectllm.respond.responder import Ask, Reply, Unanswered

# Of a film shown whole: which half of it is asked about instead, as the place among ``Question.ways``.
_INSTEAD = {"no_audio_stream": 1, "silent": 1, "no_video_stream": 2}
_SENTENCE, _EXPLANATION = 16, 160  # tokens


@dataclass(frozen=True)
class Prediction:
    """What came out for one item.

    Args:
        item: its name.
        answer: slot → what was answered, as the template's reader understands it; None where that is unreadable.
        likelihoods: label → its probability among the labels; empty where the template has no labels to choose from.
        reply: what the model wrote; None where only likelihoods were computed.
        explanation: what the model gave as its reasons; None where it was not asked.
        shown: the modalities that the model was given.
        reason: why there is no answer; empty where there is one.
        detail: what exactly.
        scored_by: what the likelihoods are those of: ``whole_reply``, or ``first_token`` of each label, which is all
            that servers tell.
    """

    item: str
    answer: Mapping[str, Any] = field(default_factory=dict)
    likelihoods: Mapping[str, float] = field(default_factory=dict)
    reply: str | None = None
    explanation: str | None = None
    shown: tuple[str, ...] = ()
    reason: str = ""
    detail: str = ""
    scored_by: str = ""

    @property
    def used(self) -> bool:
        """Whether the model was asked."""
        return bool(self.shown)


def predict(
    items: Iterable[Item], question: Question, answering: Answering, *, explain: bool = False
) -> Iterator[Prediction]:
    """Yield the prediction for each item, in order; so many are asked about together as the model takes at once.

    Args:
        explain: whether the model is asked for its reasons, after its answer.
    """
    asker, items = Asker(question, answering, explain), iter(items)
    while window := list(islice(items, answering.window)):
        yield from asker.predictions(window)


@dataclass(frozen=True)
class Asked:
    """An item as it is put to the model."""

    sample: Sample
    template: Template
    messages: Messages


@dataclass(frozen=True)
class Asker:
    """Puts the question about items.

    Args:
        explain: whether the model is asked for its reasons, after its answer.
    """

    question: Question
    answering: Answering
    explain: bool = False

    def predictions(self, items: Sequence[Item]) -> list[Prediction]:
        """Ask about several items together, and return their predictions in order."""
        placed = [self.placed(item) for item in items]
        results = self._answered(placed)
        instead = [self._instead(item, result) for item, result in zip(items, results, strict=True)]
        second = iter(self._answered([one for one in instead if one is not None]))
        placed = [one or before for one, before in zip(instead, placed, strict=True)]
        results = [result if one is None else next(second) for one, result in zip(instead, results, strict=True)]
        return self._explained(placed, results) if self.explain else results

    def placed(self, item: Item, way: int = 0) -> Asked | Prediction:
        """Return what is asked about an item, shown in the best way or another one, or why nothing can be asked."""
        if isinstance(item, Rejection):
            return rejected(item)
        ways = self.question.ways(item, self.answering.takes)
        if isinstance(ways, Refused):
            return Prediction(item.id, reason=ways.reason)
        template = self.question.bound(ways[way])
        asked = Conversation.unlabelled(item, template, self.question.paraphrase)
        if isinstance(asked, Refused):
            return Prediction(item.id, reason=asked.reason)
        return Asked(item, template, list(asked.asked))

    def _instead(self, item: Item, result: Prediction) -> Asked | Prediction | None:
        """Return the half of a film that is asked about, where the whole cannot be shown."""
        way = _INSTEAD.get(result.reason)
        if way is None or isinstance(item, Rejection):
            return None
        ways = self.question.ways(item, self.answering.takes)
        return self.placed(item, way) if not isinstance(ways, Refused) and len(ways) > 1 else None

    def _answered(self, placed: Sequence[Asked | Prediction]) -> list[Prediction]:
        """Return the predictions of all items, explanations left out."""
        asked = [one for one in placed if isinstance(one, Asked)]
        results = self._chosen(asked) if asked and self.scores(asked[0].template) else self._written(asked)
        answers = iter(results)
        return [next(answers) if isinstance(one, Asked) else one for one in placed]

    def scores(self, template: Template) -> bool:
        """Return whether likelihoods of the labels are asked for, and not a reply."""
        return bool(self.answering.scored_by) and len(template.slots) == 1 and template.slots[0].how.choices

    def _chosen(self, asked: Sequence[Asked]) -> list[Prediction]:
        scores = self.answering.likelihoods([(one.messages, _choices(one)) for one in asked])
        # A first token may tell nothing about the labels, and a whole reply still does.
        unclear = [one for one, its in zip(asked, scores, strict=True) if _is_unclear(its)]
        replies = iter(self._written(unclear))
        return [
            next(replies) if _is_unclear(its) else self._likeliest(one, its)
            for one, its in zip(asked, scores, strict=True)
        ]

    def _likeliest(self, one: Asked, scores: Likelihoods) -> Prediction:
        if isinstance(scores, Unanswered):
            return _unanswered(one.sample, scores)
        shares = dict(zip(_names(one), _softmax(scores), strict=True))
        best = max(shares, key=lambda name: shares[name])
        by = self.answering.scored_by
        return Prediction(
            one.sample.id, {one.template.slots[0].name: best}, shares, shown=one.template.modalities, scored_by=by
        )

    def _written(self, asked: Sequence[Asked]) -> list[Prediction]:
        replies = self.answering.replies([self.ask(one) for one in asked])
        return [_read(one, reply) for one, reply in zip(asked, replies, strict=True)]

    @staticmethod
    def ask(one: Asked) -> Ask:
        """Return the question for a reply, as long as the template's answers are."""
        slots = one.template.slots
        return Ask(one.messages, sum(slot.how.tokens for slot in slots) + (_SENTENCE if len(slots) > 1 else 0))

    def to_be_sent(self, item: Item) -> list[Ask]:
        """Return the questions about an item that were not answered before, as an estimate of the costs takes them."""
        one = self.placed(item)
        if isinstance(one, Prediction):
            return []
        if self.scores(one.template):
            first, known = Ask(one.messages, 1), self.answering.knows(Ask(one.messages, 1), _choices(one))
        else:
            first = self.ask(one)
            known = self.answering.knows(first)
        reasons = self.explanation(one, "") if self.explain else None  # the reply is not known yet
        return [*([] if known else [first]), *([reasons] if reasons is not None else [])]

    def _explained(self, placed: Sequence[Asked | Prediction], results: Sequence[Prediction]) -> list[Prediction]:
        """Ask for the reasons of each reply, in the same conversation: the clips are not shown a second time."""
        asks = [
            self.explanation(one, _reply_of(one, result)) if isinstance(one, Asked) and result.used else None
            for one, result in zip(placed, results, strict=True)
        ]
        reasons = iter(self.answering.replies([ask for ask in asks if ask is not None]))
        return [
            result if ask is None else _with_reasons(result, next(reasons))
            for ask, result in zip(asks, results, strict=True)
        ]

    def explanation(self, one: Asked, reply: str) -> Ask | None:
        """Return the question for the reasons of a reply; None where they cannot be asked."""
        asked = Conversation.unlabelled(one.sample, self.question.explaining().bound(one.template.modalities))
        if isinstance(asked, Refused):
            return None
        text = [part for part in asked.asked[-1]["content"] if part["type"] == "text"]
        return Ask([*one.messages, answered(reply), {"role": "user", "content": text}], _EXPLANATION)


def rejected(item: Rejection) -> Prediction:
    """Return the prediction that stands for what is no item."""
    return Prediction(item.item, reason=item.reason, detail=item.detail)


def _names(one: Asked) -> tuple[str, ...]:
    return one.template.slots[0].space.names


def _choices(one: Asked) -> list[str]:
    return [one.template.worded({one.template.slots[0].name: name}) for name in _names(one)]


def _is_unclear(scores: Likelihoods) -> bool:
    return isinstance(scores, Unanswered) and scores.reason in ("ambiguous_choice", "no_choice_likely")


def _read(one: Asked, reply: Reply) -> Prediction:
    if isinstance(reply, Unanswered):
        return _unanswered(one.sample, reply)
    readings = one.template.reader.read_slots(reply)
    values = {slot: plain(its.value) if isinstance(its, Annotation) else None for slot, its in readings.items()}
    why = next((f"unreadable:{its.reason}" for its in readings.values() if not isinstance(its, Annotation)), "")
    return Prediction(one.sample.id, values, reply=reply, shown=one.template.modalities, reason=why)


def _reply_of(one: Asked, result: Prediction) -> str:
    """Return what the model wrote, or would write for the likeliest label."""
    return one.template.worded(dict(result.answer)) if result.reply is None else result.reply


def _with_reasons(result: Prediction, reasons: Reply) -> Prediction:
    if isinstance(reasons, str):
        return replace(result, explanation=reasons)
    return replace(result, detail=f"no explanation: {reasons.reason}")


def _unanswered(sample: Sample, error: Unanswered) -> Prediction:
    return Prediction(sample.id, reason=error.reason, detail=error.detail)


def _softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    weights = [math.exp(score - highest) for score in scores]
    return [weight / sum(weights) for weight in weights]

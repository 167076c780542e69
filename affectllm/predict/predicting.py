"""Ask a question about each item: the answer, the likelihoods of all labels, and an explanation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from affectllm.corpus import Rejection, Sample
from affectllm.instruct.conversation import Conversation, Messages, answered
from affectllm.instruct.template import Template
from affectllm.labels import Annotation
from affectllm.labels.annotation import plain
from affectllm.labels.form import Refused
from affectllm.model.clips.media import MediaError
from affectllm.predict.answering import Answering
from affectllm.predict.items import Item
from affectllm.predict.question import Question

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
    """

    item: str
    answer: Mapping[str, Any] = field(default_factory=dict)
    likelihoods: Mapping[str, float] = field(default_factory=dict)
    reply: str | None = None
    explanation: str | None = None
    shown: tuple[str, ...] = ()
    reason: str = ""
    detail: str = ""

    @property
    def used(self) -> bool:
        """Whether the model was asked."""
        return bool(self.shown)


def predict(
    items: Iterable[Item], question: Question, answering: Answering, *, explain: bool = False
) -> Iterator[Prediction]:
    """Yield the prediction for each item, in order.

    Args:
        explain: whether the model is asked for its reasons, after its answer.
    """
    asker = _Asker(question, answering, explain)
    for item in items:
        if isinstance(item, Rejection):
            yield Prediction(item.item, reason=item.reason, detail=item.detail)
        else:
            yield asker.predict(item)


@dataclass(frozen=True)
class _Asker:
    question: Question
    answering: Answering
    explain: bool

    def predict(self, sample: Sample) -> Prediction:
        ways = self.question.ways(sample, self.answering.model.family)
        if isinstance(ways, Refused):
            return Prediction(sample.id, reason=ways.reason)
        result = self._asked(sample, ways[0])
        if len(ways) > 1 and result.reason in _INSTEAD:
            result = self._asked(sample, ways[_INSTEAD[result.reason]])
        return result

    def _asked(self, sample: Sample, modalities: tuple[str, ...]) -> Prediction:
        template = self.question.bound(modalities)
        asked = Conversation.unlabelled(sample, template, self.question.paraphrase)
        if isinstance(asked, Refused):
            return Prediction(sample.id, reason=asked.reason)
        messages = list(asked.asked)
        if len(template.slots) == 1 and template.slots[0].how.choices:
            return self._chosen(sample, template, messages)
        return self._written(sample, template, messages)

    def _chosen(self, sample: Sample, template: Template, messages: Messages) -> Prediction:
        (slot,) = template.slots
        names = slot.space.names
        scores = self.answering.likelihoods(messages, [template.worded({slot.name: name}) for name in names])
        if isinstance(scores, MediaError):
            return _unanswered(sample, scores)
        shares = dict(zip(names, _softmax(scores), strict=True))
        best = max(shares, key=lambda name: shares[name])
        explanation = self._explained(sample, template, messages, template.worded({slot.name: best}))
        return Prediction(sample.id, {slot.name: best}, shares, None, explanation, template.modalities)

    def _written(self, sample: Sample, template: Template, messages: Messages) -> Prediction:
        tokens = sum(slot.how.tokens for slot in template.slots) + (_SENTENCE if len(template.slots) > 1 else 0)
        reply = self.answering.reply(messages, tokens)
        if isinstance(reply, MediaError):
            return _unanswered(sample, reply)
        readings = template.reader.read_slots(reply)
        values = {slot: plain(one.value) if isinstance(one, Annotation) else None for slot, one in readings.items()}
        why = next((f"unreadable:{one.reason}" for one in readings.values() if not isinstance(one, Annotation)), "")
        explanation = self._explained(sample, template, messages, reply)
        return Prediction(sample.id, values, {}, reply, explanation, template.modalities, why)

    def _explained(self, sample: Sample, template: Template, messages: Messages, reply: str) -> str | None:
        """Ask for the reasons of a reply, in the same conversation: the clips are not shown a second time."""
        if not self.explain:
            return None
        asked = Conversation.unlabelled(sample, self.question.explaining().bound(template.modalities))
        if isinstance(asked, Refused):
            return None
        text = [part for part in asked.asked[-1]["content"] if part["type"] == "text"]
        explanation = self.answering.reply(
            [*messages, answered(reply), {"role": "user", "content": text}], _EXPLANATION
        )
        return explanation if isinstance(explanation, str) else None


def _unanswered(sample: Sample, error: MediaError) -> Prediction:
    return Prediction(sample.id, reason=error.reason, detail=error.detail)


def _softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    weights = [math.exp(score - highest) for score in scores]
    return [weight / sum(weights) for weight in weights]

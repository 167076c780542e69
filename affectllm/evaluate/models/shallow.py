"""The shallow reference model: TF-IDF and clip statistics with a linear model, fitted on the corpus's training split.

``affectllm-shallow`` answers tasks of labels, sets and numbers as any other model does; what does not beat it has
learned little from the clips. Nothing of the scored split is used but its questions. With ``encoder=PATH`` the same
linear model is fitted on what a frozen encoder makes of sounds, pictures or words: a linear probe; ``layer=N`` takes
an encoder of sounds at one of its inner layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from lm_eval.api.instance import Instance
from lm_eval.api.registry import register_model

from affectllm.corpus import Sample
from affectllm.errors import AffectError
from affectllm.evaluate.asking import question_of
from affectllm.evaluate.models.features import Describer, Features, Shown, encoded
from affectllm.evaluate.models.linear import best_options, classified, likely, regressed
from affectllm.evaluate.models.reference import ReferenceLM
from affectllm.evaluate.question import Question
from affectllm.instruct import Template
from affectllm.instruct.content_parts import clip_parts
from affectllm.instruct.slots import Slot
from affectllm.model.pooled import PooledEncoder

_SHAPES = ("label", "set", "number", "vector", "scores")


@register_model("affectllm-shallow")
class ShallowLM(ReferenceLM):
    """Fits a linear model per task and slot, and answers with its predictions."""

    kind = "shallow"

    def __init__(self, seed: int = 0, encoder: str = "", layer: int | None = None, **_: Any) -> None:
        super().__init__(seed)
        if layer is not None and not encoder:
            raise AffectError("layer names a layer of an encoder, and there is none", do="pass encoder=PATH too")
        self._encoder, self._layer = encoder, layer

    def prepare(self, requests: list[Instance]) -> Callable[[Instance], str]:
        answers: dict[tuple[str, str], str] = {}
        describer = encoded(PooledEncoder(self._encoder, self._layer)) if self._encoder else Describer()
        for task in sorted({request.task_name for request in requests}):
            documents = {request.doc["id"]: request.doc for request in requests if request.task_name == task}
            replies = _answers(question_of(task), list(documents.values()), describer)
            answers |= {(task, name): reply for name, reply in zip(documents, replies, strict=True)}
        return lambda request: answers[request.task_name, request.doc["id"]]


def _answers(question: Question, documents: list[dict[str, Any]], describer: Describer) -> list[str]:
    """Fit on the samples that may be learned from, and word the predictions for ``documents``.

    Raises:
        AffectError: when the corpus has no training samples, or the answers are of a form that has no classes and no
            numbers.
    """
    template = question.template
    for slot in template.slots:
        ranked = slot.how.shape(slot.space) == "scores" and slot.space.kind != "set"
        if slot.how.free or ranked or slot.how.own_space is not None or slot.how.shape(slot.space) not in _SHAPES:
            message = f"affectllm-shallow predicts labels, sets and numbers, and {template.name} asks for others"
            raise AffectError(message, do="choose another task, or another reference model")
    train = list(question.training())
    if not train:
        message = f"{question.selection.corpus} has no training sample that {template.name} can ask"
        raise AffectError(message, do="a shallow model needs a training split: choose another task")
    features = Features([_shown(sample, template) for sample in train], question.folder, describer)
    if not features.train.shape[1]:
        message = f"{template.name} shows nothing of {question.selection.corpus} that a linear model could learn from"
        raise AffectError(message, do="change --modalities, or leave the reference model out")
    scored = {one.id: one for one in question.scored() if isinstance(one, Sample)}
    asked = [scored[document["id"]] for document in documents]
    inputs = features.of([_shown(sample, template) for sample in asked])
    prepared = [template.prepared(sample).gold for sample in train]
    values = {
        slot.name: _predictions(slot, [gold[slot.name] for gold in prepared], question.headline, features, inputs)
        for slot in template.slots
    }
    return [template.worded({name: column[row] for name, column in values.items()}) for row in range(len(documents))]


def _shown(sample: Sample, template: Template) -> Shown:
    """Return what a template shows of a sample."""
    if "text" not in template.modalities:
        return Shown("", "", clip_parts(sample, template.modalities))
    before = "\n".join(turn.text for turn in sample.context)
    return Shown(sample.text or "", before, clip_parts(sample, template.modalities))


def _predictions(slot: Slot, golds: Sequence[Any], headline: str, features: Features, inputs: Any) -> list[Any]:
    """Return the gold value that a linear model predicts for each row of ``inputs``."""
    truths = [slot.how.truth(gold, slot.space) for gold in golds]
    shape = slot.how.shape(slot.space)
    if shape == "label":
        chosen = best_options(features.train, truths, headline)
        return list(classified(features.train, truths, inputs, chosen))
    names = slot.space.names
    if shape == "set":
        columns = [classified(features.train, [name in truth for truth in truths], inputs) for name in names]
        return [[name for name, one in zip(names, row, strict=True) if one] for row in zip(*columns, strict=True)]
    if shape == "scores":
        chances = [likely(features.train, [name in truth for truth in truths], inputs) for name in names]
        return [dict(zip(names, map(float, row), strict=True)) for row in zip(*chances, strict=True)]
    numbers = [regressed(features.train, [_number(truth, name) for truth in truths], inputs) for name in names]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*numbers, strict=True)]
    low, high = slot.space.bounds or (-np.inf, np.inf)
    whole = all(float(value) == round(value) for truth in truths for value in _values(truth))
    return [
        {name: float(np.clip(round(value) if whole else value, low, high)) for name, value in row.items()}
        for row in rows
    ]


def _values(truth: Any) -> list[float]:
    return [value for value in truth.values() if value is not None] if isinstance(truth, dict) else [truth]


def _number(truth: Any, name: str) -> float:
    value = truth.get(name) if isinstance(truth, dict) else truth
    return np.nan if value is None else float(value)

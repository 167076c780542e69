"""The shallow reference model: TF-IDF and clip statistics with a linear model, fitted on the corpus's training split.

``affectllm-shallow`` answers tasks of labels, sets and numbers as any other model does; what does not beat it has
learned little from the clips. Nothing of the scored split is used but its questions. With ``encoder=PATH`` the same
linear model is fitted on what a frozen encoder makes of sounds, pictures or words: a linear probe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from lm_eval.api.instance import Instance
from lm_eval.api.registry import register_model

from affectllm.errors import AffectError
from affectllm.evaluate.asking import question_of
from affectllm.evaluate.models.features import Describer, Features, encoded
from affectllm.evaluate.models.reference import ReferenceLM
from affectllm.evaluate.question import Question
from affectllm.instruct.conversation import Conversation
from affectllm.instruct.slots import Slot
from affectllm.model.pooled import PooledEncoder

_SHAPES = ("label", "set", "number", "vector")


@register_model("affectllm-shallow")
class ShallowLM(ReferenceLM):
    """Fits a linear model per task and slot, and answers with its predictions."""

    kind = "shallow"

    def __init__(self, seed: int = 0, encoder: str = "", **_: Any) -> None:
        super().__init__(seed)
        self._encoder = encoder

    def prepare(self, requests: list[Instance]) -> Callable[[Instance], str]:
        answers: dict[tuple[str, str], str] = {}
        describer = encoded(PooledEncoder(self._encoder)) if self._encoder else Describer()
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
        if slot.how.free or slot.how.own_space is not None or slot.how.shape(slot.space) not in _SHAPES:
            message = f"affectllm-shallow predicts labels, sets and numbers, and {template.name} asks for others"
            raise AffectError(message, do="choose another task, or another reference model")
    train = [Conversation.of(sample, template) for sample in question.training()]
    if not train:
        message = f"{question.selection.corpus} has no training sample that {template.name} can ask"
        raise AffectError(message, do="a shallow model needs a training split: choose another task")
    features = Features([one.asked for one in train], question.folder, describer)
    inputs = features.of([document["messages"] for document in documents])
    values = {slot.name: _predictions(slot, train, len(template.slots), features, inputs) for slot in template.slots}
    return [template.worded({name: column[row] for name, column in values.items()}) for row in range(len(documents))]


def _predictions(slot: Slot, train: Sequence[Conversation], slots: int, features: Features, inputs: Any) -> list[Any]:
    """Return the gold value that a linear model predicts for each row of ``inputs``."""
    golds = [one.gold if slots == 1 else one.gold[slot.name] for one in train]
    truths = [slot.how.truth(gold, slot.space) for gold in golds]
    shape = slot.how.shape(slot.space)
    if shape == "label":
        return list(_classified(features.train, truths, inputs))
    names = slot.space.names
    if shape == "set":
        chosen = [_classified(features.train, [name in truth for truth in truths], inputs) for name in names]
        return [[name for name, one in zip(names, row, strict=True) if one] for row in zip(*chosen, strict=True)]
    numbers = [_regressed(features.train, [_number(truth, name) for truth in truths], inputs) for name in names]
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


def _classified(train: Any, labels: Sequence[Any], inputs: Any) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    if len(set(labels)) == 1:
        return np.full(inputs.shape[0], labels[0], dtype=object)
    model = LogisticRegression(max_iter=2_000, class_weight="balanced", C=0.1)
    predicted: np.ndarray = model.fit(train, labels).predict(inputs)
    return predicted


def _regressed(train: Any, numbers: Sequence[float], inputs: Any) -> np.ndarray:
    from sklearn.linear_model import RidgeCV

    known = np.isfinite(numbers)
    if not known.any():
        return np.zeros(inputs.shape[0])
    model = RidgeCV(alphas=(0.1, 1.0, 10.0, 100.0, 1_000.0))
    predicted: np.ndarray = model.fit(train[known], np.asarray(numbers)[known]).predict(inputs)
    return predicted

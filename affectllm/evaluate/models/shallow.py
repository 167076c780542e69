"""The shallow reference model: TF-IDF and clip statistics with a linear model, fitted on the corpus's training split.

``affectllm-shallow`` answers tasks of labels, sets and numbers as any other model does; what does not beat it has
learned little from the clips. Nothing of the scored split is used but its questions. With ``encoder=PATH`` the same
linear model is fitted on what a frozen encoder makes of sounds, pictures or words: a linear probe; ``layer=N`` takes
an encoder of sounds at one of its inner layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.registry import register_model

from affectllm.corpus import Sample
from affectllm.errors import AffectError
from affectllm.evaluate.asking import question_of
from affectllm.evaluate.models.features import Describer, Features, encoded, shown_of
from affectllm.evaluate.models.linear import USUAL, best_options, predicted, refuse_unfit
from affectllm.evaluate.models.reference import ReferenceLM
from affectllm.evaluate.question import Question
from affectllm.instruct.slots import Slot
from affectllm.model.pooled import PooledEncoder


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
        AffectError: when the corpus has no training samples; as ``refuse_unfit``.
    """
    template = question.template
    refuse_unfit(template)
    train = list(question.training())
    if not train:
        message = f"{question.selection.corpus} has no training sample that {template.name} can ask"
        raise AffectError(message, do="a shallow model needs a training split: choose another task")
    features = Features([shown_of(sample, template) for sample in train], question.folder, describer)
    if not features.train.shape[1]:
        message = f"{template.name} shows nothing of {question.selection.corpus} that a linear model could learn from"
        raise AffectError(message, do="change --modalities, or leave the reference model out")
    scored = {one.id: one for one in question.scored() if isinstance(one, Sample)}
    asked = [scored[document["id"]] for document in documents]
    inputs = features.of([shown_of(sample, template) for sample in asked])
    prepared = [template.prepared(sample).gold for sample in train]
    values = {
        slot.name: _predictions(slot, [gold[slot.name] for gold in prepared], question.headline, features, inputs)
        for slot in template.slots
    }
    return [template.worded({name: column[row] for name, column in values.items()}) for row in range(len(documents))]


def _predictions(slot: Slot, golds: Sequence[Any], headline: str, features: Features, inputs: Any) -> list[Any]:
    """Return the gold value that a linear model predicts for each row of ``inputs``."""
    truths = [slot.how.truth(gold, slot.space) for gold in golds]
    is_label = slot.how.shape(slot.space) == "label"
    chosen = best_options(features.train, truths, headline) if is_label else USUAL
    return predicted(slot, truths, features.train, inputs, chosen)

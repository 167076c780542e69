"""The shallow reference model: TF-IDF and clip statistics with a linear model, fitted on the corpus's training split.

``affectllm-shallow`` answers tasks of labels, sets and numbers as any other model does; what does not beat it has
learned little from the clips. Nothing of the scored split is used but its questions. With ``encoder=PATH`` the same
linear model is fitted on what a frozen encoder makes of sounds, pictures or words: a linear probe; ``layer=N`` takes
an encoder of sounds at one of its inner layers. ``protocol=NAME`` fits as a published page of ``recipes/linear/`` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.registry import register_model

from affectllm.corpus import Sample
from affectllm.errors import AffectError
from affectllm.evaluate.asking import question_of, template_of
from affectllm.evaluate.by_likelihood import Levels
from affectllm.evaluate.models.features import Describer, Features, encoded, shown_of
from affectllm.evaluate.models.linear import USUAL, best_options, predicted, refuse_unfit
from affectllm.evaluate.models.linear_page import LinearProtocol, load_protocol
from affectllm.evaluate.models.options import device_of
from affectllm.evaluate.models.parallel import Processes
from affectllm.evaluate.models.reference import ReferenceLM
from affectllm.evaluate.question import Question
from affectllm.instruct.slots import Slot
from affectllm.model.pooled import PooledEncoder

Rows = Callable[[Question, list[Sample], list[Sample]], tuple[Any, Any]]
"""(question, samples to learn from, samples that are asked) → rows of features of both."""


@register_model("affectllm-shallow")
class ShallowLM(ReferenceLM):
    """Fits a linear model per task and slot, and answers with its predictions.

    Args (lm-eval's ``--model_args``, as ``name=value``):
        encoder: a frozen encoder whose outputs are the features; TF-IDF and clip statistics without one.
        layer: of an encoder of sounds; the last without it.
        protocol: a page of ``recipes/linear/``, or the path of one: its features and options, nothing chosen.
    """

    kind = "shallow"

    def __init__(
        self,
        seed: int = 0,
        encoder: str = "",
        layer: int | None = None,
        protocol: str = "",
        device: str | None = None,
        **_: Any,
    ) -> None:
        super().__init__(seed)
        for name, given in (("layer", layer is not None), ("protocol", bool(protocol))):
            if given and not encoder:
                raise AffectError(f"{name} says how an encoder is used, and there is none", do="pass encoder=PATH too")
        self._encoder, self._layer, self._device = encoder, layer, device
        self._protocol = load_protocol(protocol) if protocol else None

    def prepare(self, requests: list[Instance]) -> Callable[[Instance], str]:
        values = self._values(requests)
        return lambda request: template_of(request.task_name).worded(values[request.task_name, request.doc["id"]])

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        """As of any reference model; where each label is asked about, probabilities are not rounded to words."""
        each = [place for place, request in enumerate(requests) if "each" in request.doc]
        asked = set(each)
        rest = [request for place, request in enumerate(requests) if place not in asked]
        others = iter(super().loglikelihood(rest) if rest else [])
        values = self._values([requests[place] for place in each])
        return [_level(request, values) if place in asked else next(others) for place, request in enumerate(requests)]

    def _values(self, requests: list[Instance]) -> dict[tuple[str, str], dict[str, Any]]:
        """Return (task, id of the document) → slot → the value that is predicted."""
        values: dict[tuple[str, str], dict[str, Any]] = {}
        rows = self._rows() if requests else None
        for task in sorted({str(request.task_name) for request in requests}):
            documents = {request.doc["id"]: request.doc for request in requests if request.task_name == task}
            assert rows is not None
            predictions = _predicted(question_of(task), list(documents), rows, self._protocol)
            values |= {(task, name): one for name, one in zip(documents, predictions, strict=True)}
        return values

    def _rows(self) -> Rows:
        if self._protocol is None:
            return _features(encoded(PooledEncoder(self._encoder, self._layer)) if self._encoder else Describer())
        from affectllm.evaluate.models.protocol_rows import embedding, protocol_rows

        device = str(device_of(self._device, Processes()))
        return protocol_rows(embedding(self._encoder, self._layer, self._protocol, device), self._protocol)


def _features(describer: Describer) -> Rows:
    def rows(question: Question, train: list[Sample], asked: list[Sample]) -> tuple[Any, Any]:
        template = question.template
        features = Features([shown_of(sample, template) for sample in train], question.folder, describer)
        return features.train, features.of([shown_of(sample, template) for sample in asked])

    return rows


def _level(request: Instance, values: dict[tuple[str, str], dict[str, Any]]) -> tuple[float, bool]:
    """Return the log-likelihood of a level of one label, by the number that is predicted for the label."""
    template = template_of(request.task_name)
    levels, (numbers,) = Levels.of(template), values[request.task_name, request.doc["id"]].values()
    label = list(request.doc["each"])[request.idx // len(levels.words)]
    return levels.likelihoods(numbers[label])[request.idx % len(levels.words)], False


def _predicted(
    question: Question, identities: Sequence[str], rows: Rows, protocol: LinearProtocol | None
) -> list[dict[str, Any]]:
    """Fit on the samples that may be learned from, and return slot → predicted value of each document.

    Raises:
        AffectError: when the corpus has no training samples, or the protocol says nothing of it; as ``refuse_unfit``.
    """
    template, corpus = question.template, question.selection.corpus
    refuse_unfit(template)
    fixed = None if protocol is None else protocol.options_of(corpus)
    train = list(question.training())
    if not train:
        message = f"{corpus} has no training sample that {template.name} can ask"
        raise AffectError(message, do="a shallow model needs a training split: choose another task")
    scored = {one.id: one for one in question.scored() if isinstance(one, Sample)}
    learned, inputs = rows(question, train, [scored[identity] for identity in identities])
    if not learned.shape[1]:
        message = f"{template.name} shows nothing of {corpus} that a linear model could learn from"
        raise AffectError(message, do="change --modalities, or leave the reference model out")
    prepared = [template.prepared(sample).gold for sample in train]
    columns = {}
    for slot in template.slots:
        truths = [slot.how.truth(gold[slot.name], slot.space) for gold in prepared]
        if protocol is None or fixed is None:
            chosen = _chosen(slot, truths, question.headline, learned)
            columns[slot.name] = predicted(slot, truths, learned, inputs, chosen)
        else:
            penalty = (protocol.ridge.alpha,)
            columns[slot.name] = predicted(slot, truths, learned, inputs, fixed, penalty, whole=False)
    return [{name: column[row] for name, column in columns.items()} for row in range(len(identities))]


def _chosen(slot: Slot, truths: Sequence[Any], headline: str, learned: Any) -> dict[str, Any]:
    is_label = slot.how.shape(slot.space) == "label"
    return best_options(learned, truths, headline) if is_label else USUAL

"""Reference models (oracle, majority, chance, mute, human) as lm-eval models that answer from the documents.

``affectllm-oracle`` gives the right answer to everything, so every metric is perfect, or the task is broken.
``affectllm-majority`` always gives the best answer that is the same for all: the commonest label, the mean of numbers.
It is found on the scored documents themselves, so no other constant answer has a higher accuracy.
``affectllm-chance`` draws an answer uniformly, seeded: one label, for several labels still one, numbers within their
bounds, for free words those of another document. Each form of answers says what both are for it.
``affectllm-mute`` says nothing, so everything is unreadable.
``affectllm-human`` gives the answer of one of the corpus's raters, whose gold value is that of the others.
"""

from __future__ import annotations

import math
import random
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import lm_eval.models  # noqa: F401  # must be registered before ours: lm-eval loads its own only into an empty registry
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.api.registry import register_model

from affectllm.errors import AffectError
from affectllm.evaluate.asking import template_of
from affectllm.evaluate.by_likelihood import reference_likelihoods
from affectllm.evaluate.shared import shared

Document = dict[str, Any]
KINDS = ("oracle", "majority", "chance", "mute", "human")


class ReferenceLM(LM):  # type: ignore[misc]
    """Answers from the documents alone. ``seed`` matters for chance only; lm-eval's own options are accepted."""

    MULTIMODAL = True
    kind: str

    def __init__(self, seed: int = 0, **_: Any) -> None:
        super().__init__()
        self.seed = seed

    @property
    def tokenizer_name(self) -> str:
        """The name under which lm-eval caches requests."""
        return f"affectllm-{self.kind}"

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """Join the turns as lines; the answer comes from the document alone."""
        return "\n".join(turn["content"] for turn in chat_history)

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """Return one answer for each request."""
        answer = self._answerer(requests)
        return [str(shared(answer(request))) for request in requests]

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        """Return 0 for the choice that this model would give, -1 for all others; NaN where it gives none.

        Where each label is asked about, the levels are as likely as makes its score that of the answer.
        """
        answer = self._answerer(requests)
        return [_likelihood(answer(request), request) for request in requests]

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        """Raise: reference models do not score running text."""
        raise AffectError(f"affectllm-{self.kind} cannot score running text", do="choose a task with answers")

    def _answerer(self, requests: list[Instance]) -> Callable[[Instance], str]:
        for task in {request.task_name for request in requests}:
            template_of(task)
        return self.prepare(requests)

    @abstractmethod
    def prepare(self, requests: list[Instance]) -> Callable[[Instance], str]:
        """Look at all requests and return the function that answers each."""


@register_model("affectllm-oracle")
class OracleLM(ReferenceLM):
    """Always gives the gold answer."""

    kind = "oracle"

    def prepare(self, requests: list[Instance]) -> Callable[[Instance], str]:
        return lambda request: str(request.doc["answer"])


@register_model("affectllm-mute")
class MuteLM(ReferenceLM):
    """Always gives the empty reply."""

    kind = "mute"

    def prepare(self, requests: list[Instance]) -> Callable[[Instance], str]:
        return lambda request: ""


@register_model("affectllm-majority")
class MajorityLM(ReferenceLM):
    """Always gives the commonest answer of the task; of several, the one that comes first in the documents."""

    kind = "majority"

    def prepare(self, requests: list[Instance]) -> Callable[[Instance], str]:
        common = {}
        for task, golds in _golds(requests).items():
            template = template_of(task)
            gold = {slot.name: slot.how.majority(golds[slot.name], slot.space) for slot in template.slots}
            common[task] = template.worded(gold)
        return lambda request: common[request.task_name]


@register_model("affectllm-chance")
class ChanceLM(ReferenceLM):
    """Answers uniformly at random; the same for one seed and document whatever the order or number of processes."""

    kind = "chance"

    def prepare(self, requests: list[Instance]) -> Callable[[Instance], str]:
        golds = _golds(requests)

        def answer(request: Instance) -> str:
            draw = random.Random(f"{self.seed}/{request.task_name}/{request.doc['id']}")
            template, own, values = template_of(request.task_name), golds[request.task_name], {}
            for slot in template.slots:
                gold = request.doc["gold"]
                space = slot.space_of(gold if len(template.slots) == 1 else gold[slot.name])
                values[slot.name] = slot.how.chance(own[slot.name], space, draw)
            return template.worded(values)

        return answer


@register_model("affectllm-human")
class HumanLM(ReferenceLM):
    """Gives the answer of the rater who is left out of the gold value of a document."""

    kind = "human"

    def prepare(self, requests: list[Instance]) -> Callable[[Instance], str]:
        if lacking := next((request.task_name for request in requests if "human" not in request.doc), ""):
            message = f"the documents of {lacking} hold no single ratings"
            raise AffectError(message, do="start it as `affectllm eval --model affectllm-human`")
        return lambda request: str(request.doc["human"])


def _golds(requests: list[Instance]) -> dict[str, dict[str, list[Any]]]:
    """Return task → slot → the gold values of its distinct documents, in the order of the requests."""
    golds: dict[str, dict[str, list[Any]]] = {}
    seen: dict[str, set[str]] = defaultdict(set)
    for request in requests:
        task, document = str(request.task_name), request.doc
        identity = f"{document['corpus']}/{document['id']}"
        if identity in seen[task]:
            continue
        seen[task].add(identity)
        slots = template_of(task).slots
        own = golds.setdefault(task, {slot.name: [] for slot in slots})
        values = {slots[0].name: document["gold"]} if len(slots) == 1 else document["gold"]
        for slot in slots:
            own[slot.name].append(shared(values[slot.name]))
    return golds


def _likelihood(answer: str, request: Instance) -> tuple[float, bool]:
    if not answer:
        return math.nan, False
    if "each" in request.doc:
        return reference_likelihoods(template_of(request.task_name), answer, request.idx, request.doc), False
    same = request.args[1].strip() == answer
    return (0.0 if same else -1.0), same

"""The lm-eval model ``affectllm-head``: a head answers the tasks that a language model answers.

It replies as the form of the task's answers writes them, and choices are scored by its probabilities. What it was not
trained to say, it is not asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lm_eval.api.instance import Instance
from lm_eval.api.registry import register_model

from affectllm.corpus import Sample
from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError
from affectllm.evaluate.asking import question_of
from affectllm.evaluate.by_likelihood import reference_likelihoods
from affectllm.evaluate.environment import protocol
from affectllm.evaluate.media_error import MediaLedger
from affectllm.evaluate.models.options import budget_of, device_of
from affectllm.evaluate.models.parallel import Processes
from affectllm.evaluate.models.reference import ReferenceLM
from affectllm.evaluate.question import Question
from affectllm.instruct.conversation import Messages, media_parts
from affectllm.instruct.slots import Slot
from affectllm.model.clips.media import MediaError
from affectllm.model.heads.folder import load_head
from affectllm.respond.heads import HeadResponder, among
from affectllm.respond.responder import Unanswered

if TYPE_CHECKING:
    from affectllm.instruct import Template


@register_model("affectllm-head")
class HeadLM(ReferenceLM):
    """A head as an lm-eval model.

    Args (lm-eval's ``--model_args``, as ``name=value``):
        pretrained: the folder of a head.
        workers: threads that open and encode clips while the head answers.
        fps, max_frames, max_pixels, min_pixels, max_seconds, long: the media budget; that of its training by default.

    Raises:
        NotFound, WrongCheckpoint: see ``model.heads.folder.load_head``.
        AffectError: for an unknown argument, or several processes.
    """

    kind = "head"

    def __init__(
        self,
        pretrained: str,
        device: str | None = None,
        batch_size: int | str = 8,
        max_batch_size: int | None = None,
        workers: int | None = None,
        **budget: Any,
    ) -> None:
        super().__init__()
        if Processes().world_size > 1:
            raise AffectError("a head answers in one process", do="start one: it takes a moment")
        budget_of(budget)  # which knows the names
        self.loaded = load_head(str(pretrained), str(device_of(device, Processes())))
        own = replace(self.loaded.head.budget, **budget)
        self._responder = HeadResponder(self.loaded, budget=own, batch_size=batch_size, workers=workers)
        self._ledger = MediaLedger()
        self._outputs: dict[tuple[str, str], Any] = {}

    def get_model_info(self) -> dict[str, Any]:
        """Return the facts about the head that lm-eval writes into its results."""
        head = self.loaded.head
        parameters = sum(parameter.numel() for parameter in self.loaded.network.parameters())
        facts = {"backbone": head.backbone, "base": head.base, "fingerprint": self.loaded.fingerprint}
        return {**facts, "answers": head.answers.to_json(), "model_num_parameters": parameters}

    def prepare(self, requests: list[Instance]) -> Callable[[Instance], str]:
        """Ask the head once for every document, and return what words its answers."""
        if protocol().shots:
            raise AffectError("a head reads no examples", do="leave --shots out")
        slots = {task: self._slot(task) for task in sorted({str(request.task_name) for request in requests})}
        self._ask(requests)
        answers = self.loaded.head.answers

        def answer(request: Instance) -> str:
            task, row = str(request.task_name), self._outputs[_key(request)]
            if isinstance(row, str):
                return row
            slot = slots[task]
            return question_of(task).template.worded({slot.name: answers.value(slot, row)})

        return answer

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[Any, bool]]:
        """Return the logarithm of each choice's probability; where each label is asked about, those of its levels."""
        answer = self._answerer(requests)
        return [self._likelihood(request, answer) for request in requests]

    def _likelihood(self, request: Instance, answer: Callable[[Instance], str]) -> tuple[Any, bool]:
        row = self._outputs[_key(request)]
        if isinstance(row, str):
            return row, False
        template, answers = question_of(str(request.task_name)).template, self.loaded.head.answers
        if "each" in request.doc:
            return reference_likelihoods(template, answer(request), request.idx, request.doc), False
        if answers.kind != "classes":
            message = f"{request.task_name} scores choices, and this head gives {answers.kind}"
            raise AffectError(message, do="choose its variant that reads replies")
        names = list(template.space.names)
        scores = among(answers.names, row, names)
        value = scores[request.idx]
        return value, math.isclose(value, max(scores))

    def _slot(self, task: str) -> Slot:
        """Return the question of a task, which this head can answer.

        Raises:
            Malformed: otherwise, with what it can.
        """
        return self.loaded.head.answers.check_answers(question_of(task).template.slots, task)

    def _ask(self, requests: list[Instance]) -> None:
        asked: dict[tuple[str, str], Messages] = {}
        at_once: dict[str, Mapping[str, Messages]] = {}
        for request in requests:
            key, task = _key(request), str(request.task_name)
            if key in self._outputs or key in asked:
                continue
            if "each" in request.doc:  # a head answers for all labels at once
                at_once[task] = at_once.get(task) or _asked_at_once(question_of(task))
                asked[key] = at_once[task][request.doc["id"]]
            else:
                asked[key] = request.doc["messages"]
        corpora = {part["corpus"] for messages in asked.values() for part in media_parts(messages)}
        roots: dict[str, Path] = {corpus: Roots.parse().find(corpus) for corpus in sorted(corpora)}
        keys = list(asked)
        for number, row in self._responder.outputs(list(asked.values()), roots):
            key = keys[number]
            self._outputs[key] = self._marked(row, key[1]) if isinstance(row, Unanswered) else row
        self._ledger.tell()

    def _marked(self, row: Unanswered, item: str) -> str:
        return self._ledger.add(MediaError(row.reason, row.path or item, row.detail))


def _key(request: Instance) -> tuple[str, str]:
    return str(request.task_name), f"{request.doc['id']}/{request.doc.get('wording', '')}"


def _asked_at_once(question: Question) -> dict[str, Messages]:
    """Return id of a sample → the question about all of its labels, for a task that asks about each by itself."""
    whole: Template = replace(question.template, by_each=False)
    samples = (one for one in question.scored() if isinstance(one, Sample) and whole.reject(one) is None)
    return {sample.id: whole.ask(sample) for sample in samples}

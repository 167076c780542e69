"""The lm-eval model ``affectllm-api``: a model behind an OpenAI-compatible endpoint, asked as one with weights is."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lm_eval.models  # noqa: F401  # must be registered before ours: lm-eval loads its own only into an empty registry
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.api.registry import register_model
from lm_eval.models.utils import normalize_gen_kwargs

from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError
from affectllm.evaluate.answers import Answers
from affectllm.evaluate.environment import protocol
from affectllm.evaluate.media_error import OF_THE_MODEL, MediaLedger
from affectllm.evaluate.models.endpoint_options import endpoint_of
from affectllm.evaluate.models.media_check import MediaCheck
from affectllm.evaluate.models.requests import Asker, Messages, Question, from_history, user_message, with_draws
from affectllm.evaluate.shelf import all_tasks
from affectllm.instruct.conversation import media_parts
from affectllm.model.clips.media import MediaError
from affectllm.respond.endpoint import Endpoint
from affectllm.respond.estimate import estimate
from affectllm.respond.responder import Ask, Reply, Unanswered
from affectllm.run import digest
from affectllm.voice import bar

_FIRST_TOKEN = "first_token"


@register_model("affectllm-api")
class EndpointLM(LM):  # type: ignore[misc]
    """A model behind an endpoint as an lm-eval model.

    Args (lm-eval's ``--model_args``, as ``name=value``):
        answers: folder in which answers are kept one by one; a run that ended early resumes from it.
        selftest: whether to stop when removing or swapping a clip changes nothing of what comes back.
        dry_run: whether only to estimate requests, tokens and cost; nothing is asked.
        options: see ``endpoint_options.endpoint_of``. lm-eval's own ``batch_size`` and ``device`` mean nothing here.

    Raises:
        AffectError: for an unknown or a secret argument, or a missing key.
    """

    MULTIMODAL = True

    def __init__(
        self,
        answers: str | None = None,
        selftest: bool = True,
        dry_run: bool = False,
        batch_size: object = None,
        max_batch_size: object = None,
        device: object = None,
        **options: Any,
    ) -> None:
        super().__init__()
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            do = "start one process, and raise concurrency for more requests at once"
            raise AffectError("several processes would each ask an endpoint everything", do=do)
        self.endpoint: Endpoint = endpoint_of(options)
        self._roots: dict[str, Path] = {}
        self._asker = Asker(self.endpoint.identity(), self._roots)
        self._answers = Answers(Path(answers) if answers else None)
        self._check = MediaCheck(self.endpoint, self._answers, self._roots, selftest)
        self._dry = dry_run
        self._ledger = MediaLedger()
        self._rendered: dict[str, Messages] = {}
        self._scored_choices = False

    @property
    def tokenizer_name(self) -> str:
        """The name under which lm-eval caches requests."""
        return f"affectllm-api__{digest(self.endpoint.identity())}"

    def chat_template(self, chat_template: bool | str = False) -> str:
        """Return a note: the template is applied by the server."""
        return "applied by the server"

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """Return the conversation as JSON, and remember its messages, which are sent instead of it.

        Raises:
            AffectError: when the answer is to be continued from a prefix.
        """
        if not add_generation_prompt:
            raise AffectError("a task with gen_prefix cannot be asked", do="choose a task without it")
        text = json.dumps(chat_history, ensure_ascii=False)
        self._rendered[text] = from_history(chat_history)
        return text

    def get_model_info(self) -> dict[str, Any]:
        """Return the facts about the endpoint that lm-eval writes into its results."""
        spending = self.endpoint.spending
        spent = {"requests": spending.requests, "prompt_tokens": spending.prompt, "reply_tokens": spending.reply}
        facts = {"endpoint": self.endpoint.identity(), "answered_as": dict(self.endpoint.answered_as), "spent": spent}
        return {**facts, "choices_scored_by": _FIRST_TOKEN} if self._scored_choices else facts

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """Ask for replies; refusals and unusable clips give ``media_error_reply``.

        Raises:
            EndpointFailed, BudgetSpent: when not all could be asked; what was answered is kept.
        """
        questions = with_draws([self._generation(request) for request in requests], protocol().seed)
        left = {q.key: q for q in questions if self._answers.get(q.key) is None}
        asks = [_ask(question) for question in left.values()]
        if self._dry:
            return [self._estimated(requests, asks)] * len(requests)
        if left:
            self._test_media(requests)
        fresh: dict[str, str] = {}
        keys = list(left)
        arriving = self.endpoint.replies(asks, self._roots)
        for number, reply in bar(arriving, desc="ask", total=len(asks), unit=" questions", unwanted=disable_tqdm):
            fresh[keys[number]] = self._kept(keys[number], reply)
        self._end()
        return [str(fresh[q.key] if q.key in fresh else self._answers.get(q.key)) for q in questions]

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[Any, bool]]:
        """Score choices by the log-probability of their first token, one request for all choices of a question.

        Raises:
            AffectError: when the server gives no log-probabilities; names the task's variant that generates.
        """
        if not self.endpoint.traits.logprobs:
            raise self._no_likelihoods(requests)
        groups: dict[str, list[int]] = {}
        for index, request in enumerate(requests):
            groups.setdefault(digest(request.args[2:] or request.args[0]), []).append(index)
        questions = [self._choices([requests[index] for index in members]) for members in groups.values()]
        left = {q.key: q for q in questions if self._answers.get(q.key) is None}
        if self._dry:
            asks = [Ask(question.messages, 1) for question in left.values()]
            return [(self._estimated(requests, asks), False)] * len(requests)
        if left:
            self._test_media(requests)
        fresh = self._scored(left, disable_tqdm)
        results: list[tuple[Any, bool]] = [(0.0, False)] * len(requests)
        for question, members in zip(questions, groups.values(), strict=True):
            scores: Any = fresh[question.key] if question.key in fresh else self._answers.get(question.key)
            for place, index in enumerate(members):
                scored = not isinstance(scores, str)  # else the reason why there is no score
                results[index] = (scores[place], scores[place] == max(scores)) if scored else (scores, False)
        self._end()
        return results

    def _scored(self, left: Mapping[str, Question], disable_tqdm: bool) -> dict[str, Any]:
        self._scored_choices = True
        keys, fresh = list(left), {}
        asks = [(question.messages, list(question.settings["choices"])) for question in left.values()]
        arriving = self.endpoint.likelihoods(asks, self._roots)
        for number, values in bar(arriving, desc="score", total=len(asks), unit=" questions", unwanted=disable_tqdm):
            fresh[keys[number]] = self._kept(keys[number], values)
        return fresh

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        """Raise: servers do not score text that they did not write."""
        raise AffectError("an endpoint cannot score running text", where=self.endpoint.where, do="choose other tasks")

    def _kept(self, key: str, answer: Reply | list[float]) -> Any:
        """Store an answer at once, and return it as lm-eval takes it."""
        if not isinstance(answer, Unanswered):
            self._answers.add({key: answer})
            return answer
        marked = self._ledger.add(MediaError(answer.reason, answer.path or key, answer.detail))
        if answer.reason in OF_THE_MODEL:  # a clip may be mended; what a server says was paid for
            self._answers.add({key: marked})
        return marked

    def _generation(self, request: Instance) -> Question:
        return self._question(request, normalize_gen_kwargs(request.args[1], 256))

    def _choices(self, requests: Sequence[Instance]) -> Question:
        choices = [request.args[1].strip() for request in requests]
        return self._question(requests[0], {"choices": choices, "scored_by": _FIRST_TOKEN})

    def _question(self, request: Instance, settings: Mapping[str, Any]) -> Question:
        messages, template = self._messages(request)
        for corpus in {part["corpus"] for part in media_parts(messages)} - set(self._roots):
            self._roots[corpus] = Roots.parse().find(corpus)
        return self._asker.question(messages, template, settings, lambda: self._messages(request)[0])

    def _messages(self, request: Instance) -> tuple[Messages, str]:
        if len(request.args) > 2:
            return request.args[2]["messages"], request.args[2].get("template", "")
        return self._rendered.get(request.args[0]) or user_message(request.args[0]), ""

    def _test_media(self, requests: Sequence[Instance]) -> None:
        self._check.run(self._messages(request)[0] for request in requests)

    def _estimated(self, requests: Sequence[Instance], asks: Sequence[Ask]) -> str:
        """Print the estimate, and return the reply that stands for all that were not asked."""
        print(f"{self.endpoint.where}: {estimate(self.endpoint, asks, self._roots)}", file=sys.stderr)
        tested = self._check.requests_needed(self._messages(request)[0] for request in requests)
        if tested and asks:
            print(f"and up to {tested} requests of the media self-test", file=sys.stderr)
        return MediaLedger().add(MediaError("dry_run", ""))

    def _end(self) -> None:
        self._ledger.trimmed, self.endpoint.trimmed = self.endpoint.trimmed, 0
        self._ledger.tell()
        print(f"{self.endpoint.where}: {self.endpoint.spending.summary()}", file=sys.stderr)

    def _no_likelihoods(self, requests: Sequence[Instance]) -> AffectError:
        tasks = sorted({str(request.task_name) for request in requests})
        others = sorted({other for task in tasks for other in _generating(task)})
        profile = self.endpoint.traits.name
        what = f"{', '.join(tasks)} compares log-likelihoods, which the profile {profile} does not give"
        do = f"ask the task that generates instead: {', '.join(others)}" if others else "choose tasks that generate"
        return AffectError(what, where=self.endpoint.where, do=do)


def _ask(question: Question) -> Ask:
    settings = dict(question.settings)
    until, most = tuple(settings.pop("until")), settings.pop("max_gen_toks")
    return Ask(question.messages, most, until, settings, question.seed)


def _generating(task: str) -> list[str]:
    """Return the tasks that ask the same as ``task`` and generate the answer."""
    pages = {name: entry.config for name, entry in all_tasks().items()}
    asked = ("corpus", "split", "space", "rater", "modalities", "language")
    page = pages.get(task, {})
    return [
        name
        for name, other in pages.items()
        if other.get("output_type", "generate_until") == "generate_until"
        and not other.get("score_by")
        and "corpus" in page
        if all(other.get(key) == page.get(key) for key in asked)
    ]

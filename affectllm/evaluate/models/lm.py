"""The lm-eval model ``affectllm``: answers about video, audio, images and text with ``affectllm.model``.

Text tasks of lm-eval and media tasks of ours take the same path: a request with a third argument
``{"messages": …}`` is asked as it is, any other one as a user's message.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import lm_eval.models  # noqa: F401  # must be registered before ours: lm-eval loads its own only into an empty registry
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.api.registry import register_model
from lm_eval.models.utils import normalize_gen_kwargs

from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError, NotFinite
from affectllm.evaluate.answers import Answers
from affectllm.evaluate.environment import protocol
from affectllm.evaluate.media_error import MediaLedger
from affectllm.evaluate.models.options import budget_of, device_of
from affectllm.evaluate.models.parallel import Processes
from affectllm.evaluate.models.requests import (
    Asker,
    Messages,
    Question,
    by_settings,
    families_of,
    from_history,
    in_families,
    user_message,
    with_draws,
)
from affectllm.evaluate.models.rolling import rolling_loglikelihood
from affectllm.instruct.conversation import media_parts
from affectllm.model.ablation import check_modalities_heard
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.generate import generate, score_choices
from affectllm.model.length import BoundedEncoder
from affectllm.model.length import budget_of as budget_of_tokens
from affectllm.model.load import Model, load_model
from affectllm.model.quantised import described
from affectllm.model.shared_prefix import score_alike
from affectllm.respond.batch_size import BatchSize
from affectllm.respond.batches import Batches, score_in_parts
from affectllm.run import digest, versions
from affectllm.voice import bar, tell

_TESTED = 4  # conversations of the media self-test, per combination of modalities
_LOST = 8  # questions without one output that was a number, after which the model is taken for broken


@register_model("affectllm")
class AffectLM(LM):  # type: ignore[misc]
    """A checkpoint of one of our families as an lm-eval model.

    Args (lm-eval's ``--model_args``, as ``name=value``):
        pretrained: Hub id, folder, adapter folder, or ``tiny:<family>``.
        adapter: folder or Hub id of a PEFT adapter.
        processor: model whose processor and tokenizer are used, where the checkpoint has none of its own.
        backbone: the family that the checkpoint must belong to.
        dtype: torch dtype, ``auto`` for the checkpoint's own.
        load_in_4bit, load_in_8bit: quantise the language model with bitsandbytes while loading.
        fps, max_frames, max_pixels, min_pixels, max_seconds, long: the media budget, see ``model.media.Budget``.
        answers: folder in which answers are kept as they come; a run that was killed resumes from it.
        media_cache: folder of prepared clips; ``none`` decodes every time.
        workers: threads that open and encode clips while the model answers; 0 for none, default by the cores.
        selftest: whether to stop when removing or swapping a clip does not change the loss.

    lm-eval's ``--batch_size`` is a number or ``auto``; batches that do not fit into memory are asked in halves.

    Raises:
        NotFound, WrongCheckpoint: see ``model.load.load_model``.
        AffectError: for an unknown argument, or a batch size that is neither a number nor ``auto``.
    """

    MULTIMODAL = True

    def __init__(
        self,
        pretrained: str,
        adapter: str | None = None,
        processor: str | None = None,
        backbone: str | None = None,
        dtype: str = "auto",
        device: str | None = None,
        batch_size: int | str = 1,
        max_batch_size: int | None = None,
        load_in_4bit: bool = False,
        load_in_8bit: bool = False,
        answers: str | None = None,
        media_cache: str | None = None,
        workers: int | None = None,
        selftest: bool = True,
        **budget: Any,
    ) -> None:
        super().__init__()
        self.budget = budget_of(budget)
        self._processes = Processes()
        self._rank, self._world_size = self._processes.rank, self._processes.world_size
        self._device = device_of(device, self._processes)
        size = BatchSize(batch_size, on_cpu=self._device.type == "cpu", most=max_batch_size)
        quantization = {"load_in_4bit": load_in_4bit, "load_in_8bit": load_in_8bit}
        self.loaded: Model = load_model(
            str(pretrained),
            adapter=adapter,
            processor=processor,
            family=backbone,
            dtype=dtype,
            device=str(self._device),
            quantization=quantization if any(quantization.values()) else None,
        )
        self.loaded.model.eval()
        if self.loaded.quantised and self.rank == 0:
            tell(described(self.loaded.quantised))
        self._encoder = self._make_encoder(media_cache)
        self._bounded = BoundedEncoder(self._encoder, budget_of_tokens(self.loaded))
        self._batches = Batches(self._bounded, size, workers)
        self._asker = Asker(self._identity(quantization), self._encoder.roots)
        self._answers = Answers(Path(answers) if answers else None)
        self._selftest = selftest
        self._heard: set[tuple[str, ...]] = set()
        self._ledger = MediaLedger()
        self._defined = self._lost = 0
        self._rendered: dict[str, Messages] = {}

    def _make_encoder(self, media_cache: str | None) -> Encoder:
        cache = None if media_cache == "none" else MediaCache(Path(media_cache) if media_cache else None)
        model = self.loaded
        return Encoder(model.processor, model.family, model.model.config, self.budget, {}, cache)

    def _identity(self, quantization: Mapping[str, bool]) -> dict[str, Any]:
        installed, towers = versions(), sorted(name for name, its in self.loaded.quantised.items() if its.quantised)
        return {
            "fingerprint": self.loaded.fingerprint,
            "dtype": str(next(self.loaded.model.parameters()).dtype),
            "quantization": {**quantization, **({"towers": towers} if towers else {})},
            "budget": self.budget.to_json(),
            "versions": {name: installed[name] for name in ("affectllm", "torch", "transformers")},
        }

    @property
    def tokenizer(self) -> Any:
        """The tokenizer, which lm-eval describes in its results."""
        return self.loaded.tokenizer

    @property
    def tokenizer_name(self) -> str:
        """The name under which lm-eval caches requests."""
        return self.loaded.path.replace("/", "__")

    def chat_template(self, chat_template: bool | str = False) -> str:
        """Return the Jinja text of the chat template, which lm-eval stores with its results."""
        return self.loaded.family.chat_template()

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """Render a conversation as the model reads it; remember its messages, which are asked instead of the string.

        Raises:
            AffectError: when the answer is to be continued from a prefix.
        """
        if not add_generation_prompt:
            raise AffectError("a task with gen_prefix cannot be asked", do="choose a task without it")
        messages = from_history(chat_history)
        text: str = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        self._rendered[text] = messages
        return text

    def get_model_info(self) -> dict[str, Any]:
        """Return the facts about the model that lm-eval writes into its results."""
        facts: dict[str, Any] = {"backbone": self.loaded.family.name, "fingerprint": self.loaded.fingerprint}
        parameters = sum(parameter.numel() for parameter in self.loaded.model.parameters())
        if self.loaded.quantised:
            facts |= {"quantised": {tower: asdict(its) for tower, its in self.loaded.quantised.items()}}
        facts |= {"media_budget": self.budget.to_json(), "batches": self._batches.to_json()}
        return {**facts, "model_num_parameters": parameters}

    def all_gather(self, tensor: Any) -> Any:
        return self._processes.all_gather(tensor)

    def gather_object(self, obj: Any, dst: int = 0) -> list[Any] | None:
        return self._processes.gather_object(obj, dst)

    def barrier(self) -> None:
        self._processes.barrier()

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """Generate replies in batches of like length; an unusable clip or text gives ``media_error_reply``."""
        questions = [self._question(request, normalize_gen_kwargs(request.args[1], 256)) for request in requests]
        questions = with_draws(questions, protocol().seed)
        left = {q.key: q for q in questions if self._answers.get(q.key) is None}
        if left:
            self._test_media(requests)
        unkept: dict[str, str] = {}
        with bar(total=len(left), desc="generate", unit=" replies", unwanted=self._unwanted(disable_tqdm)) as shown:
            for question, reply in self._generated(list(left.values())):
                if self._answers.get(question.key) is None:
                    unkept[question.key] = reply
                shown.update()
        self._end()
        return [str(unkept[q.key] if q.key in unkept else self._answers.get(q.key)) for q in questions]

    def _generated(self, questions: Sequence[Question]) -> Iterator[tuple[Question, str]]:
        for batch, answers in self._answered(questions):
            if isinstance(answers, MediaError):
                replies = [self._ledger.add(answers)]
            else:
                pairs = list(zip(batch, answers, strict=True))
                answered = [(q, text) for q, text in pairs if text is not None]
                self._answers.add({q.key: text for q, text in answered})
                replies = [self._undefined(q, "an output") if text is None else text for q, text in pairs]
                self._defined += len(answered)
            yield from zip(batch, replies, strict=True)

    def _answered(
        self, questions: Sequence[Question]
    ) -> Iterator[tuple[list[Question], list[str | None] | MediaError]]:
        for alike in by_settings(questions):
            yield from self._batches.answered(alike, _messages_of, self._generate)

    def _undefined(self, question: Question, what: str) -> str:
        """Return the reply for outputs that are not finite; raise when none of the first ``_LOST`` was finite."""
        self._lost += 1
        if not self._defined and self._lost >= _LOST:
            raise self._no_numbers()
        return self._ledger.add(MediaError("not_finite", question.key, f"{what} is not a number"))

    def _end(self) -> None:
        if self._lost and not self._defined:
            raise self._no_numbers()
        self._ledger.tell()
        if self._batches.size.used and not self.rank:
            tell(str(self._batches))

    def _no_numbers(self) -> NotFinite:
        message = f"the model's outputs are not finite (NaN) for any of {self._lost} questions"
        do = "try dtype=float32; if that does not help, name an earlier checkpoint: this one is broken"
        return NotFinite(message, where=self.loaded.path, do=do)

    def _generate(self, questions: Sequence[Question], prompts: list[Encoded]) -> list[str | None]:
        settings = dict(questions[0].settings)
        until, tokens = settings.pop("until"), settings.pop("max_gen_toks")
        if not settings["do_sample"]:
            settings.pop("temperature")
        if until:
            settings |= {"stop_strings": until, "tokenizer": self.tokenizer}
        seeds = [question.seed for question in questions if question.seed is not None]
        replies = generate(self.loaded, self._encoder, prompts, tokens, seeds=seeds or None, **settings)
        self._ledger.trimmed += sum(prompt.trimmed for prompt in prompts)
        return [None if reply is None else _cut(reply, until) for reply in replies]

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[Any, bool]]:
        """Compute the log-likelihood of each continuation; requests that share a prompt encode it once.

        A clip or a text that cannot be used gives ``(media_error_reply, False)``.
        """
        groups: dict[str, list[int]] = {}
        for index, request in enumerate(requests):
            groups.setdefault(digest(request.args[2:] or request.args[0]), []).append(index)
        self._test_media(requests)
        choices = [[_continuation(requests[index].args[1]) for index in members] for members in groups.values()]
        questions = [
            self._question(requests[members[0]], {"choices": texts})
            for members, texts in zip(groups.values(), choices, strict=True)
        ]
        families = families_of(zip(questions, (requests[members[0]] for members in groups.values()), strict=True))
        scores: dict[str, list[tuple[Any, bool]]] = {}
        left = {q.key: q for q in questions if self._answers.get(q.key) is None}
        shown = bar(
            total=len(groups),
            initial=len(groups) - len(left),
            desc="score",
            unit=" questions",
            unwanted=self._unwanted(disable_tqdm),
        )
        with shown:
            encoded = self._batches.encoded(list(left.values()), _messages_of)
            for alike in in_families(encoded, lambda question: families.get(question.key)):
                with self._batches.working():
                    scores |= self._scored(alike)
                shown.update(len(alike))
        self._end()
        results: list[tuple[Any, bool]] = [(0.0, False)] * len(requests)
        for members, question in zip(groups.values(), questions, strict=True):
            kept = scores.get(question.key) or self._answers.get(question.key)
            for index, (value, greedy) in zip(members, kept or (), strict=True):
                results[index] = value, bool(greedy)
        return results

    def _scored(self, alike: Sequence[tuple[Question, Encoded | MediaError]]) -> dict[str, list[tuple[Any, bool]]]:
        """Return key → scores of one question, or of several that begin alike and have the same choices."""
        scores: dict[str, list[tuple[Any, bool]]] = {}
        prompts: dict[str, tuple[Question, Encoded]] = {}
        for question, prompt in alike:
            if isinstance(prompt, MediaError):
                scores[question.key] = [(self._ledger.add(prompt), False)] * len(question.settings["choices"])
            else:
                prompts[question.key] = question, prompt
        values = self._of_prompts([prompt for _, prompt in prompts.values()], alike[0][0].settings["choices"])
        for (key, (question, prompt)), own in zip(prompts.items(), values, strict=True):
            scores[key] = self._checked(question, own)
            self._ledger.trimmed += prompt.trimmed
        return scores

    def _of_prompts(self, prompts: Sequence[Encoded], choices: Sequence[str]) -> list[list[tuple[float, bool]]]:
        if len(prompts) > 1:
            score = partial(score_alike, self.loaded, self._encoder, choices=choices)
            return score_in_parts(score, prompts, max(prompt.length for prompt in prompts))
        return [
            score_in_parts(partial(score_choices, self.loaded, self._encoder, prompt), choices, prompt.length)
            for prompt in prompts
        ]

    def _checked(self, question: Question, scores: list[tuple[float, bool]]) -> list[tuple[Any, bool]]:
        if any(math.isnan(value) for value, _ in scores):
            return [(self._undefined(question, "a likelihood"), False)] * len(scores)
        self._defined += 1
        self._answers.add({question.key: scores})
        return [(float(value), bool(greedy)) for value, greedy in scores]

    def _unwanted(self, disable_tqdm: bool) -> bool:
        return disable_tqdm or self.rank != 0

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        """Compute the log-likelihood of whole texts, in windows of the model's length."""
        shown = bar(requests, desc="rolling", unit=" texts", unwanted=self._unwanted(disable_tqdm))
        return [rolling_loglikelihood(self.loaded, request.args[0]) for request in shown]

    def _question(self, request: Instance, settings: Mapping[str, Any]) -> Question:
        messages, template = self._messages(request)
        self._locate(messages)
        return self._asker.question(messages, template, settings, lambda: self._messages(request)[0])

    def _locate(self, messages: Messages) -> None:
        for corpus in {part["corpus"] for part in media_parts(messages)} - set(self._encoder.roots):
            self._encoder.roots[corpus] = Roots.parse().find(corpus)

    def _messages(self, request: Instance) -> tuple[Messages, str]:
        if len(request.args) > 2:
            return request.args[2]["messages"], request.args[2].get("template", "")
        context = request.args[0]
        return self._rendered.get(context) or user_message(context), ""

    def _test_media(self, requests: Sequence[Instance]) -> None:
        """Run the media-ablation self-test once per combination of modalities; raise when one has no effect."""
        if not self._selftest:
            return
        trials: dict[tuple[str, ...], list[Messages]] = {}
        for request in requests:
            messages, _ = self._messages(request)
            kind = _kind(messages)
            if kind and kind not in self._heard and len(trials.setdefault(kind, [])) < _TESTED:
                answer = [{"type": "text", "text": str(request.doc.get("answer", "yes"))}]
                trials[kind].append([*messages, {"role": "assistant", "content": answer}])
        for kind, conversations in trials.items():
            for messages in conversations:
                self._locate(messages)
            usable = [c for c in conversations if not isinstance(self._bounded.encode(c), MediaError)]
            if usable:
                check_modalities_heard(self.loaded, self._encoder, usable)
                self._heard.add(kind)


def _kind(messages: Messages) -> tuple[str, ...]:
    """Return the kinds of media parts of a conversation; only conversations of one kind can swap clips."""
    return tuple(sorted(f"{part['type']}{'+sound' if part.get('sound') else ''}" for part in media_parts(messages)))


def _messages_of(question: Question) -> Messages:
    return question.messages


def _continuation(text: str) -> str:
    # lm-eval puts a blank between question and answer; after a chat template's turn begins none is wanted.
    return text.lstrip() or text


def _cut(reply: str, until: Sequence[str]) -> str:
    ends = [reply.find(stop) for stop in until if stop and stop in reply]
    return reply[: min(ends)].strip() if ends else reply

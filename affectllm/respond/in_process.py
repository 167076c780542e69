"""Answer conversations with a model in this process."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from affectllm.instruct.conversation import Messages
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import Budget, MediaError
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.generate import generate, score_batch
from affectllm.model.length import DEFAULT_TEXT, BoundedEncoder, budget_of
from affectllm.model.load import Model
from affectllm.respond.batch_size import BatchSize
from affectllm.respond.batches import Batches, score_in_parts
from affectllm.respond.responder import Ask, Reply, Unanswered, cut
from affectllm.run import versions

_TOKENS = 65_536  # of prompts, copied for every choice, that are scored at once: their keys and values fill memory
UNDEFINED = "not_finite"  # why there is no answer where the model's outputs are no numbers


class InProcess:
    """A loaded model as a ``Responder``.

    Args:
        budget: how much of each clip is used.
        batch_size: conversations that are answered at once, or ``auto`` for as many as fit into memory; what does not
            fit is asked in halves.
        end_of_turn: whether the likelihood of a choice is that of the whole reply, with its end.
        workers: threads that open and encode clips while the model answers; None takes what the cores allow.
    """

    def __init__(
        self,
        model: Model,
        *,
        budget: Budget | None = None,
        batch_size: int | str = 8,
        end_of_turn: bool = False,
        workers: int | None = None,
    ) -> None:
        self.model, self.budget, self.end_of_turn = model, budget or Budget(), end_of_turn
        self.size, self._workers = BatchSize(batch_size, on_cpu=model.model.device.type == "cpu"), workers
        self._encoding: tuple[Mapping[str, Path], Encoder, Batches] | None = None

    def identity(self) -> dict[str, Any]:
        """Return the digest of the weights, the budget and the versions."""
        installed = versions()
        towers = sorted(name for name, its in self.model.quantised.items() if its.quantised)
        small = {"quantization": [str(self.model.model.config.quantization_config), towers]} if towers else {}
        return {
            **small,
            "fingerprint": self.model.fingerprint,
            "dtype": str(next(self.model.model.parameters()).dtype),
            "budget": self.budget.to_json(),
            "versions": {name: installed[name] for name in ("affectllm", "torch", "transformers")},
        }

    def replies(self, asks: Sequence[Ask], roots: Mapping[str, Path]) -> Iterator[tuple[int, Reply]]:
        """Generate in batches of like length and equal settings; see ``Responder``."""
        encoder, batches = self._encoders(roots)

        def ask(pairs: Sequence[tuple[int, Ask]], prompts: list[Encoded]) -> list[str | None]:
            first = pairs[0][1]
            settings = dict(first.generation)
            if first.until:
                settings |= {"stop_strings": list(first.until), "tokenizer": self.model.tokenizer}
            seeds = [ask.seed for _, ask in pairs if ask.seed is not None] or None
            return generate(self.model, encoder, prompts, first.max_new_tokens, seeds=seeds, **settings)

        for alike in _by_settings(asks):
            for batch, answers in batches.answered(alike, lambda pair: pair[1].messages, ask):
                if isinstance(answers, MediaError):
                    yield batch[0][0], _unanswered(answers)
                else:
                    for (number, asked), text in zip(batch, answers, strict=True):
                        yield number, Unanswered(UNDEFINED) if text is None else cut(text, asked.until)

    def likelihoods(
        self, asks: Sequence[tuple[Messages, Sequence[str]]], roots: Mapping[str, Path]
    ) -> Iterator[tuple[int, list[float] | Unanswered]]:
        """Sum the log-probabilities of all tokens of each choice, in batches of like length; see ``Responder``."""
        encoder, batches = self._encoders(roots)

        def alone(prompt: Encoded, choices: Sequence[str]) -> list[tuple[float, bool]]:
            return score_batch(self.model, encoder, [prompt], [choices], end_of_turn=self.end_of_turn)[0]

        def score(
            pairs: Sequence[tuple[int, tuple[Messages, Sequence[str]]]], prompts: list[Encoded]
        ) -> list[list[float]]:
            if len(pairs) == 1:  # the last resort where memory is short: its choices come in halves
                one, (prompt,) = pairs[0][1][1], prompts
                return [[value for value, _ in score_in_parts(partial(alone, prompt), one, prompt.length)]]
            scored: list[list[float]] = []
            for part in _parts([len(choices) for _, (_, choices) in pairs], [prompt.length for prompt in prompts]):
                choices = [choices for _, (_, choices) in pairs[part]]
                for scores in score_batch(self.model, encoder, prompts[part], choices, end_of_turn=self.end_of_turn):
                    scored.append([value for value, _ in scores])
            return scored

        for batch, answers in batches.answered(list(enumerate(asks)), lambda pair: pair[1][0], score):
            if isinstance(answers, MediaError):
                yield batch[0][0], _unanswered(answers)
                continue
            for (number, _), values in zip(batch, answers, strict=True):
                yield number, Unanswered(UNDEFINED) if any(map(math.isnan, values)) else values

    def _encoders(self, roots: Mapping[str, Path]) -> tuple[Encoder, Batches]:
        if self._encoding is None or self._encoding[0] is not roots:
            model = self.model
            encoder = Encoder(model.processor, model.family, model.model.config, self.budget, roots, MediaCache())
            bounded = BoundedEncoder(encoder, budget_of(model, DEFAULT_TEXT))
            self._encoding = roots, encoder, Batches(bounded, self.size, self._workers)
        return self._encoding[1:]


def _parts(choices: Sequence[int], lengths: Sequence[int]) -> Iterator[slice]:
    """Cut a batch where the copies of its prompts, one for each choice, would be too many tokens."""
    start = 0
    while start < len(choices):
        end = start + 1
        while end < len(choices) and sum(choices[start : end + 1]) * max(lengths[start : end + 1]) <= _TOKENS:
            end += 1
        yield slice(start, end)
        start = end


def _unanswered(error: MediaError) -> Unanswered:
    return Unanswered(error.reason, error.detail or error.path, error.path)


def _by_settings(asks: Sequence[Ask]) -> list[list[tuple[int, Ask]]]:
    groups: dict[str, list[tuple[int, Ask]]] = {}
    for number, ask in enumerate(asks):
        settings = json.dumps(_settings(ask), sort_keys=True, default=str)
        groups.setdefault(settings, []).append((number, ask))
    return list(groups.values())


def _settings(ask: Ask) -> list[Any]:
    """Return what conversations of one batch share; either all of them have a seed, or none."""
    return [ask.max_new_tokens, ask.until, dict(ask.generation), ask.seed is None]

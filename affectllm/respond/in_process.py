"""Answer conversations with a model in this process."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.instruct.conversation import Messages
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import Budget, MediaError
from affectllm.model.encode import Encoder
from affectllm.model.generate import generate, score_choices
from affectllm.model.length import DEFAULT_TEXT, BoundedEncoder, budget_of
from affectllm.model.load import Model
from affectllm.respond.batches import batches
from affectllm.respond.responder import Ask, Reply, Unanswered, cut
from affectllm.run import versions

UNDEFINED = "not_finite"  # why there is no answer where the model's outputs are no numbers


class InProcess:
    """A loaded model as a ``Responder``.

    Args:
        budget: how much of each clip is used.
        batch_size: conversations that are answered at once.
    """

    def __init__(self, model: Model, *, budget: Budget | None = None, batch_size: int = 8) -> None:
        self.model, self.budget, self.batch_size = model, budget or Budget(), batch_size

    def identity(self) -> dict[str, Any]:
        """Return the digest of the weights, the budget and the versions."""
        installed = versions()
        return {
            "fingerprint": self.model.fingerprint,
            "dtype": str(next(self.model.model.parameters()).dtype),
            "budget": self.budget.to_json(),
            "versions": {name: installed[name] for name in ("affectllm", "torch", "transformers")},
        }

    def replies(self, asks: Sequence[Ask], roots: Mapping[str, Path]) -> Iterator[tuple[int, Reply]]:
        """Generate in batches of like length and equal settings; see ``Responder``."""
        encoder, bounded = self._encoders(roots)
        for alike in _by_settings(asks):
            first = alike[0][1]
            for batch, prompts in batches(bounded, alike, self.batch_size, lambda pair: pair[1].messages):
                if isinstance(prompts, MediaError):
                    yield batch[0][0], _unanswered(prompts)
                else:
                    settings = dict(first.generation)
                    if first.until:
                        settings |= {"stop_strings": list(first.until), "tokenizer": self.model.tokenizer}
                    texts = generate(self.model, encoder, prompts, first.max_new_tokens, **settings)
                    for (number, _), text in zip(batch, texts, strict=True):
                        yield number, Unanswered(UNDEFINED) if text is None else cut(text, first.until)

    def likelihoods(
        self, asks: Sequence[tuple[Messages, Sequence[str]]], roots: Mapping[str, Path]
    ) -> Iterator[tuple[int, list[float] | Unanswered]]:
        """Sum the log-probabilities of all tokens of each choice; see ``Responder``."""
        encoder, bounded = self._encoders(roots)
        for number, (messages, choices) in enumerate(asks):
            encoded = bounded.encode(messages, generation_prompt=True)
            if isinstance(encoded, MediaError):
                yield number, _unanswered(encoded)
                continue
            values = [value for value, _ in score_choices(self.model, encoder, encoded, choices)]
            yield number, Unanswered(UNDEFINED) if any(map(math.isnan, values)) else values

    def _encoders(self, roots: Mapping[str, Path]) -> tuple[Encoder, BoundedEncoder]:
        model = self.model
        encoder = Encoder(model.processor, model.family, model.model.config, self.budget, roots, MediaCache())
        return encoder, BoundedEncoder(encoder, budget_of(model, DEFAULT_TEXT))


def _unanswered(error: MediaError) -> Unanswered:
    return Unanswered(error.reason, error.detail or error.path, error.path)


def _by_settings(asks: Sequence[Ask]) -> list[list[tuple[int, Ask]]]:
    groups: dict[str, list[tuple[int, Ask]]] = {}
    for number, ask in enumerate(asks):
        settings = json.dumps([ask.max_new_tokens, ask.until, dict(ask.generation)], sort_keys=True, default=str)
        groups.setdefault(settings, []).append((number, ask))
    return list(groups.values())

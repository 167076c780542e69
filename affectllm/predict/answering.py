"""Ask one model about conversations, one by one, and keep its answers, so that nothing is asked twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from affectllm.evaluate.answers import Answers
from affectllm.evaluate.models.requests import content_digest
from affectllm.instruct.conversation import Messages, media_parts
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import Budget, MediaError
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.generate import generate, score_choices
from affectllm.model.length import DEFAULT_TEXT, BoundedEncoder, budget_of
from affectllm.model.load import Model
from affectllm.run import digest, versions

T = TypeVar("T")
_VERSION = 1  # of what is kept
_NOT_FINITE = MediaError("not_finite", "", "an output of the model is not a number")


class Answering:
    """A model that answers conversations, with a memory.

    Args:
        model: loaded, in evaluation mode.
        roots: corpus → folder of the clips.
        budget: how much of each clip is used.
        folder: where answers are kept; None keeps nothing.

    Attributes:
        asked: how many answers the model gave; the others were known.
    """

    def __init__(
        self, model: Model, roots: Mapping[str, Path], budget: Budget | None = None, folder: Path | None = None
    ) -> None:
        self.model, self.asked = model, 0
        budget = budget or Budget()
        self._encoder = Encoder(model.processor, model.family, model.model.config, budget, roots, MediaCache())
        self._bounded = BoundedEncoder(self._encoder, budget_of(model, DEFAULT_TEXT))
        self._answers = Answers(folder)
        self._identity = {
            "version": _VERSION,
            "fingerprint": model.fingerprint,
            "dtype": str(next(model.model.parameters()).dtype),
            "quantization": str(getattr(model.model.config, "quantization_config", "")),
            "budget": budget.to_json(),
            "versions": {name: version for name, version in versions().items() if name in _DECIDING},
        }

    def likelihoods(self, messages: Messages, choices: Sequence[str]) -> list[float] | MediaError:
        """Return the log-probability of each whole reply, its end included."""

        def score(prompt: Encoded) -> list[float] | None:
            scores = score_choices(self.model, self._encoder, prompt, choices, end_of_turn=True)
            values = [value for value, _ in scores]
            return None if any(map(math.isnan, values)) else values

        return self._known(messages, {"choices": list(choices)}, score)

    def reply(self, messages: Messages, max_new_tokens: int, **generation: Any) -> str | MediaError:
        """Return the reply of greedy search, or of what ``generation`` (fields of ``GenerationConfig``) says."""

        def write(prompt: Encoded) -> str | None:
            return generate(self.model, self._encoder, [prompt], max_new_tokens, **generation)[0]

        return self._known(messages, {"max_new_tokens": max_new_tokens, **generation}, write)

    def _known(
        self, messages: Messages, settings: Mapping[str, Any], ask: Callable[[Encoded], T | None]
    ) -> T | MediaError:
        drawn = bool(settings.get("do_sample"))  # at random, so that another time it is another answer
        key = "" if drawn else self._key(messages, settings)
        if (answer := self._answers.get(key)) is not None:
            return answer  # type: ignore[no-any-return]
        encoded = self._bounded.encode(messages, generation_prompt=True)
        if isinstance(encoded, MediaError):
            return encoded
        answer = ask(encoded)
        self.asked += 1
        if answer is None:
            return _NOT_FINITE
        self._answers.add({} if drawn else {key: answer})
        return answer

    def _key(self, messages: Messages, settings: Mapping[str, Any]) -> str:
        """Return the digest of everything that decides an answer: of clips their bytes, wherever they lie."""
        paths = [self._encoder.roots[part["corpus"]] / part["path"] for part in media_parts(messages)]
        clips = [content_digest(path) for path in paths]
        return digest({"model": self._identity, "messages": _placeless(messages), "media": clips, "settings": settings})


_DECIDING = ("affectllm", "torch", "transformers")


def _placeless(messages: Messages) -> list[Any]:
    """Return the messages without the places of their clips."""

    def bare(content: Any) -> Any:
        if isinstance(content, str):
            return content
        return [{key: value for key, value in part.items() if key not in ("corpus", "path")} for part in content]

    return [{**message, "content": bare(message["content"])} for message in messages]

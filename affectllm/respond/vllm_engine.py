"""Answer conversations with vLLM in this process. vLLM is imported only when an engine is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.errors import AffectError
from affectllm.instruct.conversation import Messages
from affectllm.model.clips.media import Budget, MediaError
from affectllm.respond.contents import contents_of
from affectllm.respond.first_token import choice_likelihoods
from affectllm.respond.profiles import PROFILES
from affectllm.respond.responder import Ask, Reply, Unanswered, cut

_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "seed", "repetition_penalty")


class VllmEngine:
    """A vLLM engine as a ``Responder``; clips are decoded here and handed over as to vLLM's server.

    Args:
        model: Hub id or folder.
        budget: how much of each clip is used.
        chunk: conversations that are handed to vLLM at once; replies arrive, and can be stored, chunk by chunk.
        engine: further arguments of ``vllm.LLM``, such as ``limit_mm_per_prompt`` and ``max_model_len``.

    Raises:
        AffectError: when vLLM is not installed.
    """

    def __init__(self, model: str, *, budget: Budget | None = None, chunk: int = 64, **engine: Any) -> None:
        try:
            import vllm
        except ImportError as error:
            raise AffectError("vLLM is not installed", do="pip install vllm, which needs a GPU") from error
        self.model, self.budget, self.chunk, self._arguments = model, budget or Budget(), chunk, engine
        self._profile, self._parameters, self._version = PROFILES["vllm"], vllm.SamplingParams, vllm.__version__
        self._engine = vllm.LLM(model=model, **engine)

    def identity(self) -> dict[str, Any]:
        """Return model, arguments, budget and version. Weights in a folder are known by its name only."""
        facts = {"model": self.model, "engine": {name: str(value) for name, value in self._arguments.items()}}
        return {**facts, "budget": self.budget.to_json(), "versions": {"vllm": self._version}}

    def replies(self, asks: Sequence[Ask], roots: Mapping[str, Path]) -> Iterator[tuple[int, Reply]]:
        """Answer chunk by chunk; see ``Responder``."""
        for number, output in self._chunks([(ask.messages, self._sampling(ask)) for ask in asks], roots):
            if isinstance(output, Unanswered):
                yield number, output
            else:
                text = str(output.text)
                whole = text.strip() or output.finish_reason != "length"
                yield number, cut(text.strip(), asks[number].until) if whole else Unanswered("only_reasoning")

    def likelihoods(
        self, asks: Sequence[tuple[Messages, Sequence[str]]], roots: Mapping[str, Path]
    ) -> Iterator[tuple[int, list[float] | Unanswered]]:
        """Take the log-probability of each choice's first token; see ``Responder``."""
        parameters = self._parameters(temperature=0.0, max_tokens=1, logprobs=self._profile.logprobs)
        for number, output in self._chunks([(messages, parameters) for messages, _ in asks], roots):
            if isinstance(output, Unanswered):
                yield number, output
            else:
                first = {one.decoded_token: float(one.logprob) for one in output.logprobs[0].values()}
                yield number, choice_likelihoods(first, asks[number][1])

    def _sampling(self, ask: Ask) -> Any:
        given = {name: value for name, value in ask.generation.items() if value is not None}
        sampled = given.pop("do_sample", given.get("temperature", 0) > 0)
        if strange := sorted(set(given) - set(_SAMPLING)):
            raise AffectError(f"vLLM takes no {strange[0]}", do=f"choose of {', '.join(_SAMPLING)}")
        settings = given if sampled else {**given, "temperature": 0.0}
        settings |= {"seed": ask.seed} if sampled and ask.seed is not None else {}
        return self._parameters(max_tokens=ask.max_new_tokens, stop=list(ask.until), **settings)

    def _chunks(self, asked: Sequence[tuple[Messages, Any]], roots: Mapping[str, Path]) -> Iterator[tuple[int, Any]]:
        """Yield the index and the first output of each question, or why its clip cannot be used."""
        for start in range(0, len(asked), self.chunk):
            sent = []
            for number, (messages, parameters) in enumerate(asked[start : start + self.chunk], start):
                contents = contents_of(messages, self._profile, self.budget, roots)
                if isinstance(contents, MediaError):
                    yield number, Unanswered(contents.reason, contents.detail, contents.path)
                else:
                    sent.append((number, contents.messages, parameters))
            if sent:
                numbers, conversations, sampling = (list(column) for column in zip(*sent, strict=True))
                outputs = self._engine.chat(conversations, sampling_params=sampling, use_tqdm=False)
                for number, output in zip(numbers, outputs, strict=True):
                    yield number, output.outputs[0]

"""The vLLM responder against a stand-in with the signatures of vLLM's ``LLM.chat`` and ``SamplingParams``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import AffectError
from affectllm.respond.responder import Ask, Responder, Unanswered
from affectllm.respond.vllm_engine import VllmEngine


class SamplingParams:
    """Takes what vLLM's does, by name."""

    def __init__(
        self,
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        top_k: int = 0,
        min_p: float = 0.0,
        seed: int | None = None,
        repetition_penalty: float = 1.0,
        max_tokens: int | None = 16,
        stop: list[str] | None = None,
        logprobs: int | None = None,
    ) -> None:
        self.temperature, self.max_tokens, self.stop, self.logprobs = temperature, max_tokens, stop, logprobs


class LLM:
    """Answers with the number of its chunk and the last text."""

    def __init__(self, model: str, **engine: Any) -> None:
        self.calls: list[tuple[Any, Any]] = []

    def chat(
        self,
        messages: Any,
        sampling_params: Any = None,
        use_tqdm: bool = True,
        lora_request: Any = None,
        chat_template: str | None = None,
        chat_template_content_format: str = "auto",
        add_generation_prompt: bool = True,
        continue_final_message: bool = False,
        tools: Any = None,
        chat_template_kwargs: Any = None,
        mm_processor_kwargs: Any = None,
    ) -> list[Any]:
        assert len(messages) == len(sampling_params)
        self.calls.append((messages, sampling_params))
        tokens = {1: SimpleNamespace(decoded_token="joy", logprob=-0.1, rank=1)}
        text = f"{len(self.calls)}: {messages[-1][-1]['content']}"[:9]
        return [
            SimpleNamespace(outputs=[SimpleNamespace(text=text, finish_reason="stop", logprobs=[tokens])])
            for _ in messages
        ]


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = ModuleType("vllm")
    module.__dict__.update(LLM=LLM, SamplingParams=SamplingParams, __version__="0.31.0")
    monkeypatch.setitem(sys.modules, "vllm", module)
    yield


def test_without_vllm_it_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(AffectError, match="vLLM is not installed"):
        VllmEngine("Qwen/Qwen2.5-Omni-7B")


def test_questions_go_to_the_engine_in_chunks_with_their_own_settings(vllm: None, tmp_path: Path) -> None:
    roots = {"x": materialise({"a.wav": Tone(0.3), "broken.wav": b"RIFF"}, tmp_path)}

    def asked(clip: str) -> list[dict[str, Any]]:
        return [{"role": "user", "content": [{"type": "audio", "corpus": "x", "path": clip}]}]

    responder = VllmEngine("model", chunk=2, limit_mm_per_prompt={"audio": 1})
    assert isinstance(responder, Responder)
    asks = [Ask(asked("a.wav"), 5, ("!",)), Ask(asked("broken.wav"), 5), Ask(asked("a.wav"), 7)]
    replies = dict(responder.replies(asks, roots))
    assert isinstance(replies[1], Unanswered) and replies[1].path == "x:broken.wav"
    assert str(replies[0]).startswith("1:") and str(replies[2]).startswith("2:")
    (_, first), (_, second) = responder._engine.calls
    assert [(one.max_tokens, one.temperature, one.stop) for one in (*first, *second)] == [(5, 0.0, ["!"]), (7, 0.0, [])]
    assert responder._engine.calls[0][0][0][0]["content"][0]["type"] == "input_audio"
    assert dict(responder.likelihoods([(asked("a.wav"), ["joy", "fear"])], roots))[0][0] == pytest.approx(-0.1)
    with pytest.raises(AffectError, match="takes no num_beams"):
        list(responder.replies([Ask(asked("a.wav"), 5, (), {"num_beams": 2})], roots))

"""Qwen2 and Qwen2.5: text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny

FAMILY = Family(
    model_types=("qwen2",),
    model_class="Qwen2ForCausalLM",
    modalities=frozenset({"text"}),
    towers={"language": "model"},
    targets={"language": ATTENTION + MLP},
    system="You are a helpful assistant.",
    packs=True,
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    from transformers import Qwen2Config

    tokenizer = make_tokenizer()
    return Qwen2Config(**parts.text(tokenizer, tie_word_embeddings=True)), tokenizer

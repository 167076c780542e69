"""Qwen3: text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny

FAMILY = Family(
    model_types=("qwen3",),
    model_class="Qwen3ForCausalLM",
    modalities=frozenset({"text"}),
    towers={"language": "model"},
    targets={"language": ATTENTION + MLP},
    packs=True,
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    from transformers import Qwen3Config

    tokenizer = make_tokenizer()
    return Qwen3Config(**parts.text(tokenizer, head_dim=32)), tokenizer

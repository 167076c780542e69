"""Qwen3 with experts: text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, EXPERTS, Family, Tiny

FAMILY = Family(
    model_types=("qwen3_moe",),
    model_class="Qwen3MoeForCausalLM",
    modalities=frozenset({"text"}),
    towers={"language": "model"},
    targets={"language": ATTENTION},
    parameters={"language": EXPERTS},
    packs=True,
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    from transformers import Qwen3MoeConfig

    tokenizer = make_tokenizer()
    return Qwen3MoeConfig(**parts.text(tokenizer, head_dim=32, **parts.EXPERTS)), tokenizer

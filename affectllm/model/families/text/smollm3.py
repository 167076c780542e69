"""SmolLM3: text, every fourth layer without positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny

FAMILY = Family(
    model_types=("smollm3",),
    model_class="SmolLM3ForCausalLM",
    modalities=frozenset({"text"}),
    towers={"language": "model"},
    targets={"language": ATTENTION + MLP},
    packs=True,
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    from transformers import SmolLM3Config

    tokenizer = make_tokenizer()
    return SmolLM3Config(**parts.text(tokenizer, no_rope_layer_interval=3)), tokenizer

"""Gemma 3: text. Its system message stands before the first question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny

FAMILY = Family(
    model_types=("gemma3_text",),
    model_class="Gemma3ForCausalLM",
    modalities=frozenset({"text"}),
    towers={"language": "model"},
    targets={"language": ATTENTION + MLP},
    template="gemma3",
    end_of_turn="<end_of_turn>",
    packs=True,
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    from transformers import Gemma3TextConfig

    tokenizer = make_tokenizer("<start_of_turn>", "<end_of_turn>", bos="<bos>", eos="<eos>", pad="<pad>")
    return Gemma3TextConfig(
        **parts.text(tokenizer, head_dim=32, query_pre_attn_scalar=32, sliding_window=64)
    ), tokenizer

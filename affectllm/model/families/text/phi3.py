"""Phi-3, Phi-3.5 and Phi-4-mini: text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import Family, Tiny

FAMILY = Family(
    model_types=("phi3",),
    model_class="Phi3ForCausalLM",
    modalities=frozenset({"text"}),
    towers={"language": "model"},
    # Its layers hold query, key and value in one, and gate and up in one.
    targets={"language": ("qkv_proj", "o_proj", "gate_up_proj", "down_proj")},
    template="phi3",
    end_of_turn="<|end|>",
    packs=True,
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    from transformers import Phi3Config

    roles = ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
    tokenizer = make_tokenizer(*roles, bos="<s>", eos="<|endoftext|>", pad="<|endoftext|>")
    return Phi3Config(**parts.text(tokenizer, sliding_window=None)), tokenizer

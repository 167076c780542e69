"""Llama 3: text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny

FAMILY = Family(
    model_types=("llama",),
    model_class="LlamaForCausalLM",
    modalities=frozenset({"text"}),
    towers={"language": "model"},
    targets={"language": ATTENTION + MLP},
    template="llama3",
    end_of_turn="<|eot_id|>",
    packs=True,
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    from transformers import LlamaConfig

    ends = {"bos": "<|begin_of_text|>", "eos": "<|eot_id|>", "pad": None}
    tokenizer = make_tokenizer("<|start_header_id|>", "<|end_header_id|>", **ends)
    return LlamaConfig(**parts.text(tokenizer)), tokenizer

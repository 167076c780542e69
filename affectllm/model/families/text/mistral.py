"""Mistral: text. Its system message stands before the first question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny

FAMILY = Family(
    model_types=("mistral",),
    model_class="MistralForCausalLM",
    modalities=frozenset({"text"}),
    towers={"language": "model"},
    targets={"language": ATTENTION + MLP},
    template="mistral",
    end_of_turn="</s>",
    packs=True,
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    from transformers import MistralConfig

    tokenizer = make_tokenizer("[INST]", "[/INST]", bos="<s>", eos="</s>", pad=None)
    return MistralConfig(**parts.text(tokenizer, sliding_window=None)), tokenizer

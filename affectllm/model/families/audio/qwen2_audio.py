"""Qwen2-Audio: hears the first 30 seconds of a sound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny

FAMILY = Family(
    model_types=("qwen2_audio",),
    model_class="Qwen2AudioForConditionalGeneration",
    processor_class="Qwen2AudioProcessor",
    modalities=frozenset({"text", "audio"}),
    towers={
        "language": "model.language_model",
        "audio": "model.audio_tower",
        "projector": "model.multi_modal_projector",
    },
    targets={
        "language": ATTENTION + MLP,
        "audio": ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"),
        "projector": ("linear",),
    },
    marks={"audio": "<|audio_bos|><|AUDIO|><|audio_eos|>\n"},
    placeholders={"audio": "<|AUDIO|>"},
    system="You are a helpful assistant.",
    longest_sound=30.0,
    packs=True,
    older={
        "model.language_model": "language_model.model",
        "model.audio_tower": "audio_tower",
        "model.multi_modal_projector": "multi_modal_projector",
        "lm_head": "language_model.lm_head",
    },
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers

    tokenizer = make_tokenizer("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")
    config = transformers.Qwen2AudioConfig(
        text_config={"model_type": "qwen2", **parts.text(tokenizer)},
        audio_config={"model_type": "qwen2_audio_encoder", **parts.whisper_encoder()},
        **parts.ids(tokenizer, audio_token_index="<|AUDIO|>"),
    )
    # The encoder wants exactly its 30 s window.
    return config, transformers.Qwen2AudioProcessor(tokenizer=tokenizer, feature_extractor=parts.spectrograms(30))

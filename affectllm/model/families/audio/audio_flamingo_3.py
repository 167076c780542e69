"""Audio Flamingo 3: hears up to ten minutes, in windows of half a minute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny

FAMILY = Family(
    model_types=("audioflamingo3",),
    model_class="AudioFlamingo3ForConditionalGeneration",
    processor_class="AudioFlamingo3Processor",
    modalities=frozenset({"text", "audio"}),
    towers={
        "language": "model.language_model",
        "audio": "model.audio_tower",
        "projector": "model.multi_modal_projector",
    },
    targets={
        "language": ATTENTION + MLP,
        "audio": ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"),
        "projector": ("linear_1", "linear_2"),
    },
    marks={"audio": "<sound>"},
    placeholders={"audio": "<sound>"},
    system="You are a helpful assistant.",
    longest_sound=600.0,
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

    tokenizer = make_tokenizer("<sound>")
    config = transformers.AudioFlamingo3Config(
        text_config={"model_type": "qwen2", **parts.text(tokenizer)},
        audio_config={
            "model_type": "audioflamingo3_encoder",
            **{"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128},
        },
        **parts.ids(tokenizer, audio_token_id="<sound>"),
    )
    return config, transformers.AudioFlamingo3Processor(tokenizer=tokenizer, feature_extractor=parts.spectrograms(30))

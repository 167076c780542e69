"""Qwen3-Omni: hears and sees with experts, the sound of a video in turn with its frames. Only the thinker is loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, EXPERTS, Family, Tiny
from affectllm.model.processor_arguments import image_of_its_size, video_at_a_rate

FAMILY = Family(
    # Hub checkpoints are the full model with its talker.
    model_types=("qwen3_omni_moe", "qwen3_omni_moe_thinker"),
    model_class="Qwen3OmniMoeThinkerForConditionalGeneration",
    processor_class="Qwen3OmniMoeProcessor",
    modalities=frozenset({"text", "audio", "video", "image"}),
    towers={
        "language": "model.language_model",
        "vision": "model.visual",
        "audio": "model.audio_tower",
        "vision_projector": "model.visual.merger",
        "audio_projector": "model.audio_tower.proj1",
    },
    apart={"model.visual.merger_list": "vision_projector", "model.audio_tower.proj2": "audio_projector"},
    targets={
        "language": ATTENTION,
        "vision": ("qkv", "proj", "linear_fc1", "linear_fc2"),
        "audio": ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"),
        "vision_projector": ("mlp.0", "mlp.2"),
        "audio_projector": ("proj1", "proj2"),
    },
    parameters={"language": EXPERTS},
    marks={
        "video": "<|vision_start|><|video_pad|><|vision_end|>",
        "audio": "<|audio_start|><|audio_pad|><|audio_end|>",
        "image": "<|vision_start|><|image_pad|><|vision_end|>",
    },
    placeholders={"video": "<|video_pad|>", "audio": "<|audio_pad|>", "image": "<|image_pad|>"},
    rope="omni",
    padded={"input_features": -1, "feature_attention_mask": -1},
    sound="interleaved",
    video_options=video_at_a_rate(cap_pixels_per_frame=False),
    image_options=image_of_its_size,
    frame_factor=32,
    shortest_sound=1.0,  # the tower takes sounds in pieces of a second, and pads them to the longest piece of the batch
    packs=True,
    older={"model.language_model": "model", "model.visual": "visual", "model.audio_tower": "audio_tower"},
    whole="thinker",
    besides=("talker", "code2wav"),
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers
    from transformers.models.qwen3_omni_moe.configuration_qwen3_omni_moe import Qwen3OmniMoeThinkerConfig

    tokenizer = make_tokenizer(
        *("<|audio_pad|>", "<|audio_start|>", "<|audio_end|>", "<|image_pad|>", "<|video_pad|>"),
        *("<|vision_start|>", "<|vision_end|>"),
        named={
            "image_token": "<|image_pad|>",
            "audio_token": "<|audio_pad|>",
            "video_token": "<|video_pad|>",
            "vision_bos_token": "<|vision_start|>",
            "vision_eos_token": "<|vision_end|>",
            "audio_bos_token": "<|audio_start|>",
            "audio_eos_token": "<|audio_end|>",
        },
    )
    rope = {**parts.MROPE, "mrope_interleaved": True}
    config = Qwen3OmniMoeThinkerConfig(
        text_config=parts.text(tokenizer, head_dim=32, rope_parameters=rope, **parts.EXPERTS),
        audio_config=parts.whisper_encoder(output_dim=parts.HIDDEN, downsample_hidden_size=16),
        vision_config=parts.deepstack_vision(),
        position_id_per_seconds=13,  # as the processor counts; the class's own 25 would tear sound and frames apart
        **parts.ids(
            tokenizer,
            audio_token_id="<|audio_pad|>",
            image_token_id="<|image_pad|>",
            video_token_id="<|video_pad|>",
            audio_start_token_id="<|audio_start|>",
            audio_end_token_id="<|audio_end|>",
            vision_start_token_id="<|vision_start|>",
            vision_end_token_id="<|vision_end|>",
        ),
    )
    processor = transformers.Qwen3OmniMoeProcessor(
        tokenizer=tokenizer,
        feature_extractor=parts.spectrograms(30),
        image_processor=transformers.Qwen2VLImageProcessor(patch_size=16),
        video_processor=transformers.Qwen2VLVideoProcessor(patch_size=16),
    )
    return config, processor

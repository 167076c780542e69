"""Qwen2-VL: sees videos and images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny
from affectllm.model.processor_arguments import image_of_its_size, video_of_its_size

FAMILY = Family(
    model_types=("qwen2_vl",),
    model_class="Qwen2VLForConditionalGeneration",
    processor_class="Qwen2VLProcessor",
    modalities=frozenset({"text", "video", "image"}),
    towers={"language": "model.language_model", "vision": "model.visual", "projector": "model.visual.merger"},
    targets={
        "language": ATTENTION + MLP,
        "vision": ("qkv", "proj", "fc1", "fc2"),
        "projector": ("mlp.0", "mlp.2"),
    },
    marks={
        "video": "<|vision_start|><|video_pad|><|vision_end|>",
        "image": "<|vision_start|><|image_pad|><|vision_end|>",
    },
    placeholders={"video": "<|video_pad|>", "image": "<|image_pad|>"},
    system="You are a helpful assistant.",
    rope="vl",
    video_options=video_of_its_size(cap_pixels_per_frame=False),
    image_options=image_of_its_size,
    packs=True,
    older={"model.language_model": "model", "model.visual": "visual"},
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers

    tokenizer = make_tokenizer("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    config = transformers.Qwen2VLConfig(
        text_config=parts.text(tokenizer, rope_parameters=dict(parts.MROPE)),
        # Its hidden_size is that of the language model.
        vision_config={"depth": 2, "embed_dim": 64, "mlp_ratio": 2, "num_heads": 4, "hidden_size": parts.HIDDEN},
        **parts.ids(
            tokenizer,
            image_token_id="<|image_pad|>",
            video_token_id="<|video_pad|>",
            vision_start_token_id="<|vision_start|>",
            vision_end_token_id="<|vision_end|>",
        ),
    )
    processor = transformers.Qwen2VLProcessor(
        tokenizer=tokenizer,
        image_processor=transformers.Qwen2VLImageProcessor(),
        video_processor=transformers.Qwen2VLVideoProcessor(),
    )
    return config, processor

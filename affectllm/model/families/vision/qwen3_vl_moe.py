"""Qwen3-VL with experts: sees videos and images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, EXPERTS, Family, Tiny
from affectllm.model.processor_arguments import image_of_its_size, video_of_its_size

FAMILY = Family(
    model_types=("qwen3_vl_moe",),
    model_class="Qwen3VLMoeForConditionalGeneration",
    processor_class="Qwen3VLProcessor",
    modalities=frozenset({"text", "video", "image"}),
    towers={"language": "model.language_model", "vision": "model.visual", "projector": "model.visual.merger"},
    apart={"model.visual.deepstack_merger_list": "projector"},
    targets={
        "language": ATTENTION,
        "vision": ("qkv", "proj", "linear_fc1", "linear_fc2"),
        "projector": ("linear_fc1", "linear_fc2"),
    },
    parameters={"language": EXPERTS},
    # The processor writes marks around the frames of every moment.
    marks={"video": "<|video_pad|>", "image": "<|vision_start|><|image_pad|><|vision_end|>"},
    placeholders={"video": "<|video_pad|>", "image": "<|image_pad|>"},
    rope="vl",
    video_options=video_of_its_size(cap_pixels_per_frame=False),
    image_options=image_of_its_size,
    frame_factor=32,
    packs=True,
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers

    tokenizer = make_tokenizer("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    text = parts.text(tokenizer, head_dim=32, rope_parameters={**parts.MROPE, "mrope_interleaved": True})
    config = transformers.Qwen3VLMoeConfig(
        text_config={**text, **parts.EXPERTS, "tie_word_embeddings": False},
        vision_config=parts.deepstack_vision(),
        **parts.ids(
            tokenizer,
            image_token_id="<|image_pad|>",
            video_token_id="<|video_pad|>",
            vision_start_token_id="<|vision_start|>",
            vision_end_token_id="<|vision_end|>",
        ),
    )
    processor = transformers.Qwen3VLProcessor(
        tokenizer=tokenizer,
        image_processor=transformers.Qwen2VLImageProcessor(patch_size=16),
        video_processor=transformers.Qwen3VLVideoProcessor(),
    )
    return config, processor

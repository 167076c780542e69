"""Qwen3-VL: sees videos and images. Every two frames of a video stand in the prompt under their moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny
from affectllm.model.processor_arguments import image_of_its_size, video_of_its_size

FAMILY = Family(
    model_types=("qwen3_vl",),
    model_class="Qwen3VLForConditionalGeneration",
    processor_class="Qwen3VLProcessor",
    modalities=frozenset({"text", "video", "image"}),
    towers={"language": "model.language_model", "vision": "model.visual", "projector": "model.visual.merger"},
    apart={"model.visual.deepstack_merger_list": "projector"},
    targets={
        "language": ATTENTION + MLP,
        "vision": ("qkv", "proj", "linear_fc1", "linear_fc2"),
        "projector": ("linear_fc1", "linear_fc2"),
    },
    # The processor writes marks around the frames of every moment. The checkpoint's own template writes a pair around
    # the whole video as well, which transformers 5 leaves there and versions 4 and vLLM take away, as in training.
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
    config = transformers.Qwen3VLConfig(
        text_config=parts.text(tokenizer, head_dim=32, rope_parameters={**parts.MROPE, "mrope_interleaved": True}),
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

"""Qwen3.5: sees videos and images. Three of four layers attend linearly, with a state that runs along the row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny
from affectllm.model.processor_arguments import image_of_its_size, video_of_its_size

FAMILY = Family(
    model_types=("qwen3_5",),
    model_class="Qwen3_5ForConditionalGeneration",
    processor_class="Qwen3VLProcessor",
    modalities=frozenset({"text", "video", "image"}),
    towers={"language": "model.language_model", "vision": "model.visual", "projector": "model.visual.merger"},
    targets={
        "language": (*ATTENTION, "in_proj_qkv", "in_proj_z", "out_proj", *MLP),
        "vision": ("qkv", "proj", "linear_fc1", "linear_fc2"),
        "projector": ("linear_fc1", "linear_fc2"),
    },
    # The processor writes marks around the frames of every moment.
    marks={"video": "<|video_pad|>", "image": "<|vision_start|><|image_pad|><|vision_end|>"},
    placeholders={"video": "<|video_pad|>", "image": "<|image_pad|>"},
    rope="vl",
    video_options=video_of_its_size(cap_pixels_per_frame=False),
    image_options=image_of_its_size,
    frame_factor=32,
    packs=False,  # the state of linear attention would run on into the next conversation
    # Decays are summed over pieces of 64 positions in float32, whatever the weights are in: to about 1e-4 of a logit.
    rounding=1e-3,
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers

    tokenizer = make_tokenizer("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    text = parts.text(
        tokenizer,
        **{"head_dim": 32, "layer_types": ["linear_attention", "full_attention", "linear_attention"]},
        **{"linear_key_head_dim": 16, "linear_value_head_dim": 16},
        **{"linear_num_key_heads": 2, "linear_num_value_heads": 4},
        rope_parameters={**parts.MROPE, "mrope_interleaved": True, "partial_rotary_factor": 1.0},
    )
    vision = parts.deepstack_vision()
    del vision["deepstack_visual_indexes"]  # its layers reach the language model at the end alone
    config = transformers.Qwen3_5Config(
        text_config=text,
        vision_config=vision,
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

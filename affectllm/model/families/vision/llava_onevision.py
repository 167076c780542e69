"""LLaVA-OneVision: sees videos, and pictures in tiles beside the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny

FAMILY = Family(
    model_types=("llava_onevision",),
    model_class="LlavaOnevisionForConditionalGeneration",
    processor_class="LlavaOnevisionProcessor",
    modalities=frozenset({"text", "video", "image"}),
    towers={
        "language": "model.language_model",
        "vision": "model.vision_tower",
        "projector": "model.multi_modal_projector",
    },
    targets={
        "language": ATTENTION + MLP,
        "vision": ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"),
        "projector": ("linear_1", "linear_2"),
    },
    apart={"model.image_newline": "projector"},
    marks={"video": "<video>\n", "image": "<image>\n"},
    placeholders={"video": "<video>", "image": "<image>"},
    padded={"pixel_values": 1},
    same_frames=True,
    packs=True,
    older=dict(parts.LLAVA_OLDER),
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers

    tokenizer = make_tokenizer("<image>", "<video>")
    side, tokens = 56, 16  # patches of 14 pixels, each a token; of a video's frame four are pooled to one
    grid = [[side, side], [side, 2 * side], [2 * side, side]]
    config = transformers.LlavaOnevisionConfig(
        text_config={"model_type": "qwen2", **parts.text(tokenizer)},
        vision_config=parts.siglip(side),
        image_grid_pinpoints=grid,
        **parts.ids(tokenizer, image_token_index="<image>", video_token_index="<video>"),
    )
    size = {"height": side, "width": side}
    processor = transformers.LlavaOnevisionProcessor(
        tokenizer=tokenizer,
        image_processor=transformers.LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=grid),
        video_processor=transformers.LlavaOnevisionVideoProcessor(size=size),
        num_image_tokens=tokens,
        vision_feature_select_strategy="full",
    )
    return config, processor

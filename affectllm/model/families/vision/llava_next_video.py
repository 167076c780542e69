"""LLaVA-NeXT-Video: sees videos, and pictures in tiles beside the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny

FAMILY = Family(
    model_types=("llava_next_video",),
    model_class="LlavaNextVideoForConditionalGeneration",
    processor_class="LlavaNextVideoProcessor",
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
    template="vicuna",
    lead=" ",
    end_of_turn="</s>",
    padded={"pixel_values": 1},
    by_frame=frozenset({"pixel_values_videos"}),
    packs=True,
    older=dict(parts.LLAVA_OLDER),
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers

    tokenizer = make_tokenizer("<image>", "<video>", bos="<s>", eos="</s>", pad="<pad>")
    side, patch = 56, 14
    grid = [[side, side], [side, 2 * side], [2 * side, side]]
    config = transformers.LlavaNextVideoConfig(
        text_config={"model_type": "llama", **parts.text(tokenizer)},
        vision_config={"model_type": "clip_vision_model", "projection_dim": 64, **parts.squares(side, patch)},
        image_grid_pinpoints=grid,
        **parts.ids(tokenizer, image_token_index="<image>", video_token_index="<video>"),
    )
    size, crop = {"shortest_edge": side}, {"height": side, "width": side}
    processor = transformers.LlavaNextVideoProcessor(
        tokenizer=tokenizer,
        image_processor=transformers.LlavaNextImageProcessor(size=size, crop_size=crop, image_grid_pinpoints=grid),
        video_processor=transformers.LlavaNextVideoVideoProcessor(size=size, crop_size=crop),
        patch_size=patch,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,  # that which stands for the whole picture
    )
    return config, processor

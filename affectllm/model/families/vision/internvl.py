"""InternVL 3 and 3.5: sees square pictures, and videos as one such picture a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, TENSORS, Family, Tiny

if TYPE_CHECKING:
    import numpy as np


def _one_tile(picture: np.ndarray) -> dict[str, Any]:
    # Otherwise a picture becomes up to 13 of them, whatever the budget says.
    return {"crop_to_patches": False}


FAMILY = Family(
    model_types=("internvl",),
    model_class="InternVLForConditionalGeneration",
    processor_class="InternVLProcessor",
    modalities=frozenset({"text", "video", "image"}),
    towers={
        "language": "model.language_model",
        "vision": "model.vision_tower",
        "projector": "model.multi_modal_projector",
    },
    targets={
        "language": ATTENTION + MLP,
        "vision": ("q_proj", "k_proj", "v_proj", "projection_layer", "fc1", "fc2"),
        "projector": ("linear_1", "linear_2"),
    },
    marks={"video": "<video>\n", "image": "<IMG_CONTEXT>\n"},
    placeholders={"video": "<video>", "image": "<IMG_CONTEXT>"},
    tensors={**TENSORS, "video": "pixel_values"},
    image_options=_one_tile,
    packs=True,
    older=dict(parts.LLAVA_OLDER),
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers

    named = {
        **{"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>"},
        "video_token": "<video>",
    }
    tokenizer = make_tokenizer(*named.values(), named=named)
    side, tokens = 56, 4  # sixteen patches of 14 pixels, four of them a token
    config = transformers.InternVLConfig(
        text_config={"model_type": "qwen2", **parts.text(tokenizer)},
        vision_config={
            **{"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128},
            **{"image_size": side, "patch_size": 14},
        },
        image_seq_length=tokens,
        tie_word_embeddings=False,
        **parts.ids(tokenizer, image_token_id="<IMG_CONTEXT>"),
    )
    size = {"height": side, "width": side}
    processor = transformers.InternVLProcessor(
        tokenizer=tokenizer,
        image_processor=transformers.GotOcr2ImageProcessor(size=size),
        video_processor=transformers.InternVLVideoProcessor(size=size),
        image_seq_length=tokens,
    )
    return config, processor

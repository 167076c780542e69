"""VideoLLaMA 3: sees videos and images; of a frame it keeps what has changed since the one before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny
from affectllm.model.processor_arguments import image_of_its_size, video_of_its_size

FAMILY = Family(
    model_types=("video_llama_3",),
    model_class="VideoLlama3ForConditionalGeneration",
    processor_class="VideoLlama3Processor",
    modalities=frozenset({"text", "video", "image"}),
    towers={"language": "model.language_model", "vision": "model.vision_model", "projector": "model.projector"},
    targets={
        "language": ATTENTION + MLP,
        "vision": ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"),
        "projector": ("0", "2"),
    },
    marks={"video": "<|video_pad|>\n", "image": "<|image_pad|>\n"},
    placeholders={"video": "<|video_pad|>", "image": "<|image_pad|>"},
    system="You are a helpful assistant.",
    video_options=video_of_its_size(),
    image_options=image_of_its_size,
    packs=True,
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers

    tokenizer = make_tokenizer("<|image_pad|>", "<|video_pad|>")
    config = transformers.VideoLlama3Config(
        text_config={"model_type": "qwen2", **parts.text(tokenizer)},
        vision_config={
            **{"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128},
            "patch_size": 14,
        },
        **parts.ids(tokenizer, image_token_id="<|image_pad|>", video_token_id="<|video_pad|>"),
    )
    processor = transformers.VideoLlama3Processor(
        tokenizer=tokenizer,
        image_processor=transformers.VideoLlama3ImageProcessor(),
        video_processor=transformers.VideoLlama3VideoProcessor(),
    )
    return config, processor

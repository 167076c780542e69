"""Gemma 3 from 4B: sees square pictures. Its system message stands before the first question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny

FAMILY = Family(
    model_types=("gemma3",),
    model_class="Gemma3ForConditionalGeneration",
    processor_class="Gemma3Processor",
    modalities=frozenset({"text", "image"}),
    towers={
        "language": "model.language_model",
        "vision": "model.vision_tower",
        "projector": "model.multi_modal_projector",
    },
    targets={
        "language": ATTENTION + MLP,
        "vision": ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"),
        "projector": (),
    },
    parameters={"projector": ("mm_input_projection_weight",)},
    # The processor writes the line breaks too, and with those of the text around them they make other tokens.
    marks={"image": "\n\n<start_of_image>\n\n"},
    placeholders={"image": "<start_of_image>"},
    bounds={"image": ("<start_of_image>", "<end_of_image>")},
    template="gemma3",
    end_of_turn="<end_of_turn>",
    kinds="token_type_ids",
    # Tokens of one picture see each other in both directions, as the kinds of the tokens of a row tell.
    packs=False,
    older=dict(parts.LLAVA_OLDER),
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers

    named = {"image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"}
    turns = ("<start_of_turn>", "<end_of_turn>")
    tokenizer = make_tokenizer(*turns, *named.values(), named=named, bos="<bos>", eos="<eos>", pad="<pad>")
    side, tokens = 56, 4  # sixteen patches of 14 pixels, four of them a token
    config = transformers.Gemma3Config(
        text_config=parts.text(tokenizer, head_dim=32, query_pre_attn_scalar=32, sliding_window=64),
        vision_config=parts.siglip(side),
        mm_tokens_per_image=tokens,
        **parts.ids(
            tokenizer,
            image_token_index="<image_soft_token>",
            boi_token_index="<start_of_image>",
            eoi_token_index="<end_of_image>",
        ),
    )
    processor = transformers.Gemma3Processor(
        tokenizer=tokenizer,
        image_processor=transformers.Gemma3ImageProcessor(size={"height": side, "width": side}),
        image_seq_length=tokens,
    )
    return config, processor

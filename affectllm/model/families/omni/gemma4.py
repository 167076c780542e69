"""Gemma 4: hears and sees; the sound of a video stands after its frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, Family, Tiny
from affectllm.model.processor_arguments import plain_video

if TYPE_CHECKING:
    import numpy as np

    from affectllm.model.clips.media import Clip

_FACTOR = 48  # pixels: patches of 16, three by three of them a token
_ROOMS = (70, 140, 280, 560, 1120)  # tokens that the processor makes room for


def _room(height: int, width: int) -> dict[str, Any]:
    """Return the smallest token budget that holds a picture unscaled; the largest, with resizing, where none does."""
    tokens = (height // _FACTOR) * (width // _FACTOR)
    room = next((room for room in _ROOMS if tokens <= room), None)
    return {"do_resize": room is None, "max_soft_tokens": room or _ROOMS[-1]}


def _video(clip: Clip) -> dict[str, Any]:
    assert clip.frames is not None
    return {**plain_video(clip), **_room(*clip.frames.shape[1:3])}


def _image(picture: np.ndarray) -> dict[str, Any]:
    return _room(*picture.shape[:2])


FAMILY = Family(
    model_types=("gemma4",),
    model_class="Gemma4ForConditionalGeneration",
    processor_class="Gemma4Processor",
    modalities=frozenset({"text", "audio", "video", "image"}),
    towers={
        "language": "model.language_model",
        "vision": "model.vision_tower",
        "audio": "model.audio_tower",
        "vision_projector": "model.embed_vision",
        "audio_projector": "model.embed_audio",
    },
    targets={
        "language": ATTENTION + MLP,
        # The towers wrap their layers, and PEFT adapts what is inside.
        "vision": ("linear",),
        "audio": ("linear",),
        "vision_projector": ("embedding_projection",),
        "audio_projector": ("embedding_projection",),
    },
    # The processor writes the marks around clips.
    marks={"video": "<|video|>", "audio": "<|audio|>", "image": "<|image|>"},
    placeholders={"video": "<|video|>", "audio": "<|audio|>", "image": "<|image|>"},
    template="gemma4",
    end_of_turn="<turn|>",
    kinds="mm_token_type_ids",
    padded={
        **{"input_features": 1, "input_features_mask": 1},
        **{"pixel_values": 1, "image_position_ids": 1, "pixel_values_videos": 1, "video_position_ids": 1},
    },
    filling={"image_position_ids": -1, "video_position_ids": -1},
    sound="after",
    video_options=_video,
    image_options=_image,
    frame_factor=_FACTOR,
    longest_sound=30.0,
    eager=("audio_config",),
    unbounded=frozenset({"input_min", "input_max", "output_min", "output_max"}),
    # Tokens of one picture see each other in both directions, across the borders of a pack.
    packs=False,
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers

    named = {
        **{"image_token": "<|image|>", "boi_token": "<|image>", "eoi_token": "<image|>"},
        **{"audio_token": "<|audio|>", "boa_token": "<|audio>", "eoa_token": "<audio|>"},
    }
    special = ("<|turn>", "<turn|>", "<|video|>", *named.values())
    tokenizer = make_tokenizer(*special, named=named, bos="<bos>", eos="<eos>", pad="<pad>")
    text = parts.text(
        tokenizer,
        **{"num_hidden_layers": 2, "layer_types": ["sliding_attention", "full_attention"]},
        **{"head_dim": 32, "global_head_dim": 32, "hidden_size_per_layer_input": 16},
        use_bidirectional_attention="vision",
    )
    text["vocab_size_per_layer_input"] = text["vocab_size"]
    tower = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = transformers.Gemma4Config(
        text_config=text,
        vision_config={
            **tower,
            **{"intermediate_size": 128, "num_key_value_heads": 4, "head_dim": 16, "position_embedding_size": 1024},
        },
        audio_config={**tower, "output_proj_dims": 64},
        **parts.ids(
            tokenizer,
            image_token_id="<|image|>",
            video_token_id="<|video|>",
            audio_token_id="<|audio|>",
            boi_token_id="<|image>",
            eoi_token_id="<image|>",
            boa_token_id="<|audio>",
            eoa_token_index="<audio|>",
        ),
    )
    processor = transformers.Gemma4Processor(
        tokenizer=tokenizer,
        feature_extractor=transformers.Gemma4AudioFeatureExtractor(),
        image_processor=transformers.Gemma4ImageProcessor(),
        video_processor=transformers.Gemma4VideoProcessor(),
    )
    return config, processor

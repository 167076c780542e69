"""What the families of composite models share: marks, towers, default layers, and tiny twins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, MLP, TENSORS, Family, Tiny

_PACKAGE = "affectllm.model.composite"
_ENCODER = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
_LAYERS = {"language": ATTENTION + MLP, "projector": ("linear_1", "linear_2")}
_TOKENS = {"video": "<|video|>", "image": "<|image|>", "audio": "<|audio|>"}


def composite(kind: str, modalities: set[str]) -> Family:
    """Return the family of one kind of composite.

    Args:
        kind: ``Composite``, ``Speech`` or ``Vision``, as in the names of its classes.
        modalities: what it takes beside text.
    """
    sees, hears = "video" in modalities, "audio" in modalities
    towers = {"language": "model.language_model", "projector": "model.fusion"}
    towers |= {"vision": "model.vision_tower"} if sees else {}
    towers |= {"audio": "model.audio_tower"} if hears else {}
    placeholders = {part: token for part, token in _TOKENS.items() if part in modalities}
    return Family(
        model_types=(f"affect_{kind.lower()}",),
        model_class=f"{_PACKAGE}.network:Affect{kind}ForConditionalGeneration",
        processor_class=f"{_PACKAGE}.processor:Affect{kind}Processor",
        modalities=frozenset({"text", *modalities}),
        towers=towers,
        targets={tower: _LAYERS.get(tower, _ENCODER) for tower in towers},
        marks=placeholders,
        placeholders=placeholders,
        tensors=TENSORS,
        sound="after" if sees and hears else "",
    )


def tiny_composite(make_tokenizer: Callable[..., Any], family: Family, fusion: str = "projector") -> Tiny:
    """Return configuration and processor of a tiny twin."""
    import transformers

    tokens = {name: f"<|{name}|>" for name in ("video", "image", "audio", "multi")}
    tokenizer = make_tokenizer(*tokens.values())
    ids = parts.ids(tokenizer, **{f"{name}_token_id": token for name, token in tokens.items()})
    fields: dict[str, Any] = {"text_config": {"model_type": "qwen2", **parts.text(tokenizer)}}
    pieces: list[Any] = []
    if "vision" in family.towers:
        sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
        fields["vision_config"] = {"model_type": "clip_vision_model", **sizes, "image_size": 56, "patch_size": 14}
        size = {"height": 56, "width": 56}
        pieces.append(transformers.CLIPImageProcessor(size=size, crop_size=size, do_center_crop=False))
    if "audio" in family.towers:
        fields["audio_config"] = {"model_type": "whisper", **parts.whisper_encoder(decoder_layers=0)}
        pieces.append(parts.spectrograms(30))
    config_class = family.network_class().config_class
    config = config_class(**fields, **ids, fusion=fusion, tie_word_embeddings=False)
    return config, family.processor_type()(*pieces, tokenizer, fusion=fusion)

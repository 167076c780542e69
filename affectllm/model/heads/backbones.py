"""What a head may stand on: every model family, and plain encoders of text, sound, pictures and films.

Plain encoders write nothing, so they are no families; but each kind is described by the same ``Family``, so that
recipes freeze and adapt them, and check their modalities, as they do with any model.
"""

from __future__ import annotations

from typing import Any

from affectllm.model.family import Family, find_family

ENCODER = "encoder"
"""The one tower of a plain encoder, and its name in the model."""
LAYERS = "score"
"""The layers on the pooled representation, in every model with a head."""
TEXT, SPEECH, IMAGE, VIDEO = "text_encoder", "speech_encoder", "image_encoder", "video_encoder"
_LINEAR = (
    *("q_proj", "k_proj", "v_proj", "out_proj", "query", "key", "value", "dense", "fc1", "fc2"),
    *("q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2", "intermediate_dense", "output_dense"),
)


def _encoder(name: str, modalities: set[str], tensors: dict[str, str], **options: Any) -> Family:
    return Family(
        model_types=(),
        model_class="AutoModel",
        modalities=frozenset(modalities),
        towers={ENCODER: ENCODER},
        targets={ENCODER: _LINEAR},
        tensors=tensors,
        end_of_turn="",
        frame_factor=1,
        name=name,
        **options,
    )


_PICTURES = {"video": "pixel_values", "image": "pixel_values"}
ENCODERS: dict[str, Family] = {
    TEXT: _encoder(TEXT, {"text"}, {}),
    SPEECH: _encoder(SPEECH, {"audio"}, {"audio": "input_values"}),
    IMAGE: _encoder(IMAGE, {"image", "video"}, _PICTURES),
    VIDEO: _encoder(VIDEO, {"video"}, _PICTURES, same_frames=True),
}
"""Name of a backbone → its description."""


def backbone_called(name: str) -> Family:
    """Return the family, or the kind of encoder, called ``name``.

    Raises:
        NotFound: when there is none.
    """
    return ENCODERS[name] if name in ENCODERS else find_family(name)

"""The media-ablation self-test: when a clip is removed or swapped, the loss must change.

With a wrong flag that drops the sound of every video, training still runs and the loss falls. This test computes the
loss of a few conversations three times per modality: as they are, without the modality, and with another sample's
content under the same tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from affectllm.errors import ModalityUnheard
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.load import Model
from affectllm.model.media_dtypes import converted, media_dtypes

Messages = Sequence[Mapping[str, Any]]
# Below float32 rounding of a mean over a few tokens; a modality that arrives moves the loss by orders more.
SMALLEST_CHANGE = 1e-5


def check_modalities_heard(
    model: Model, encoder: Encoder, conversations: Sequence[Messages]
) -> dict[str, dict[str, float]]:
    """Measure, per modality, the largest change of the loss when it is removed or swapped with another sample's.

    Args:
        conversations: two to eight conversations with their answers.

    Returns:
        ``{modality: {"removed": change, "swapped": change}}`` for the modalities that occur.

    Raises:
        ModalityUnheard: names the modalities whose removal or swap changes nothing.
    """
    usable = [c for c in conversations if isinstance(encoder.encode(c), Encoded)]
    model.model.eval()
    whole = [_loss(model, encoder, _encoded(encoder, c)) for c in usable]
    changes: dict[str, dict[str, float]] = {}
    for modality in ("video", "audio", "image"):
        if any(has_modality(c, modality) for c in usable):
            changes[modality] = _changes(model, encoder, usable, whole, modality)
    if dead := [m for m, change in changes.items() if min(change.values()) < SMALLEST_CHANGE]:
        raise ModalityUnheard(
            f"{' and '.join(dead)} does not reach the model: removing or swapping it leaves the loss as it was",
            where=model.path,
            do="check the processor's options and that the checkpoint is of the family it is loaded as",
        )
    return changes


def _changes(
    model: Model, encoder: Encoder, conversations: Sequence[Messages], whole: Sequence[float], modality: str
) -> dict[str, float]:
    removed = [_loss(model, encoder, _encoded(encoder, without(c, modality))) for c in conversations]
    carriers = [(_encoded(encoder, c), loss) for c, loss in zip(conversations, whole, strict=True)]
    tensor = model.family.tensors[modality]
    carriers = [(item, loss) for item, loss in carriers if tensor in item.media]
    donors = [item for item, _ in (*carriers[1:], carriers[0])]
    swapped = [
        abs(_loss(model, encoder, _swapped(item, donor, tensor)) - loss)
        for (item, loss), donor in zip(carriers, donors, strict=True)
    ]
    return {"removed": max(abs(a - b) for a, b in zip(removed, whole, strict=True)), "swapped": max(swapped)}


def _encoded(encoder: Encoder, messages: Messages) -> Encoded:
    encoded = encoder.encode(messages)
    assert isinstance(encoded, Encoded)  # only usable conversations come here
    return encoded


def _loss(model: Model, encoder: Encoder, encoded: Encoded) -> float:
    import torch

    batch = {name: tensor.to(model.model.device) for name, tensor in encoder.collate([encoded]).items()}
    batch = converted(batch, media_dtypes(model.model, model.family))
    with torch.no_grad():
        return float(model.model(**batch).loss)


def _swapped(encoded: Encoded, donor: Encoded, name: str) -> Encoded:
    """Return ``encoded`` with another sample's content under the same tokens, so that only the content differs."""
    import torch

    own, other = encoded.media[name], donor.media[name].flatten().flip(0)  # flipped: two samples may share a clip
    content = torch.cat([other] * (own.numel() // other.numel() + 1))[: own.numel()].reshape(own.shape)
    return replace(encoded, media={**encoded.media, name: content})


def _parts(messages: Messages) -> Iterator[Mapping[str, Any]]:
    for message in messages:
        if not isinstance(message["content"], str):
            yield from message["content"]


def _carries(part: Mapping[str, Any], modality: str) -> bool:
    return part["type"] == modality or (modality == "audio" and bool(part.get("sound")))


def has_modality(messages: Messages, modality: str) -> bool:
    """Return whether messages carry a modality, alone or as the sound of a video."""
    return any(_carries(part, modality) for part in _parts(messages))


def without(messages: Messages, modality: str) -> list[dict[str, Any]]:
    """Return the messages without a modality; the sound of a video stays when its pictures go."""

    def strip(part: Mapping[str, Any]) -> list[dict[str, Any]]:
        if part["type"] == modality:
            # The sound of a clip stays when its pictures go, so that each modality is tested alone.
            return [{**part, "type": "audio"}] if modality == "video" and part.get("sound") else []
        return [{k: v for k, v in part.items() if not (modality == "audio" and k == "sound")}]

    return [
        {**m, "content": [inner for part in m["content"] for inner in strip(part)]}
        if not isinstance(m["content"], str)
        else dict(m)
        for m in messages
    ]

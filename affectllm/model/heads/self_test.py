"""The self-test of plain encoders: another clip must give another representation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from affectllm.errors import ModalityUnheard
from affectllm.model.ablation import SMALLEST_CHANGE
from affectllm.model.heads.answers import Answers
from affectllm.model.heads.inputs import Messages, Pieces, PlainEncoder
from affectllm.model.heads.network import HeadNetwork
from affectllm.model.load import Model

if TYPE_CHECKING:
    from torch import Tensor


def check_encoder_hears(
    model: Model, encoder: PlainEncoder, conversations: Sequence[Messages]
) -> dict[str, dict[str, float]]:
    """Measure how far what an encoder makes of two clips lies apart.

    Returns:
        ``{modality: {"swapped": largest difference}}``; empty for words, and where fewer than two clips differ.

    Raises:
        ModalityUnheard: when unlike clips give the same.
    """
    import torch

    modality = next((one for one in ("audio", "video", "image") if one in model.family.modalities), None)
    encoded = [item for one in conversations if isinstance(item := encoder.encode(one), Pieces)]
    if modality is None or len(encoded) < 2:
        return {}
    network = HeadNetwork(model.model, torch.nn.Sequential(), Answers("reward"), "mean").eval()
    with torch.no_grad():
        pooled = [network.represent(**_on(model, encoder.collate([item]))) for item in encoded]
    largest = max(float((one - pooled[0]).abs().max()) for one in pooled[1:])
    if largest < SMALLEST_CHANGE and not _alike(encoded):
        raise ModalityUnheard(
            f"{modality} does not reach the encoder: unlike clips give the same representation",
            where=model.path,
            do="check that the checkpoint is of the kind that it is loaded as",
        )
    return {modality: {"swapped": largest}}


def _on(model: Model, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.to(model.model.device) for name, tensor in batch.items()}


def _alike(items: Sequence[Pieces]) -> bool:
    """Return whether all clips are the same numbers."""
    import torch

    first, *others = ([*item.media.values()] for item in items)
    return all(
        len(first) == len(own) and all(torch.equal(a, b) for a, b in zip(first, own, strict=True)) for own in others
    )

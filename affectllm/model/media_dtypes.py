"""Clips in the number format of the tower that takes them: most towers convert nothing by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from affectllm.model.family import Family
from affectllm.model.weights.spelling import bare

if TYPE_CHECKING:
    import torch


def media_dtypes(network: Any, family: Family) -> dict[str, torch.dtype]:
    """Return for each media tensor of a family the format of the first weight, that is a number, of its tower."""
    own: dict[str | None, torch.dtype] = {}
    for name, weight in network.named_parameters():
        if weight.is_floating_point():
            own.setdefault(family.tower_of(bare(name)), weight.dtype)
    first = next(iter(own.values()), None)
    formats: dict[str, torch.dtype] = {}
    for tower in family.towers:
        for tensor in family.carriers(tower):
            if (dtype := own.get(tower, first)) is not None:
                formats.setdefault(tensor, dtype)
    return formats


def converted(batch: Mapping[str, Any], formats: Mapping[str, torch.dtype]) -> dict[str, Any]:
    """Return a batch whose media tensors have these formats; what is absent (None) or no clip is as it was.

    Raises:
        TypeError: for pixels that are levels still, which a tower would take for numbers.
    """
    import torch

    if name := next((name for name in formats if getattr(batch.get(name), "dtype", None) == torch.uint8), None):
        raise TypeError(f"{name} holds levels: call Encoder.numbers first")
    there = {name: value for name, value in batch.items() if name in formats and value is not None}
    return {**batch, **{name: value.to(formats[name]) for name, value in there.items()}}

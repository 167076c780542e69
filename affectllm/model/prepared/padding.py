"""Join tensors of unlike lengths; each number is copied once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def padded(rows: Sequence[Tensor], value: int, side: str) -> Tensor:
    """Return rows ``[…, length]`` as ``[rows, …, longest]``, padded on the ``right`` or the ``left``."""
    longest = max(row.shape[-1] for row in rows)
    out = rows[0].new_full((len(rows), *rows[0].shape[:-1], longest), value)
    for place, row in zip(out, rows, strict=True):
        length = row.shape[-1]
        place.narrow(-1, 0 if side == "right" else longest - length, length).copy_(row)
    return out


def joined(tensors: Sequence[Tensor], dimension: int, value: int) -> Tensor:
    """Return tensors one after the other along dimension 0, padded at the end of another dimension to the longest."""
    import torch

    longest = max(tensor.shape[dimension] for tensor in tensors)
    if all(tensor.shape[dimension] == longest for tensor in tensors):
        return torch.cat(list(tensors))
    shape = list(tensors[0].shape)
    shape[0], shape[dimension] = sum(len(tensor) for tensor in tensors), longest
    out = tensors[0].new_full(shape, value)
    begin = 0
    for tensor in tensors:
        out[begin : begin + len(tensor)].narrow(dimension, 0, tensor.shape[dimension]).copy_(tensor)
        begin += len(tensor)
    return out

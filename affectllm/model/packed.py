"""Put several conversations into one row that they share without seeing each other: no padding, no attention mask.

Where no mask is given, transformers finds the conversations by their positions, which begin again at 0, and attends
within each. Families say whether that is exact for them (``Family.packs``): in layers of linear attention the state
would run on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from affectllm.model.encode import IGNORED, Encoded, Encoder

if TYPE_CHECKING:
    import torch


def packed(encoder: Encoder, items: Sequence[Encoded], *, levels: bool = False) -> dict[str, torch.Tensor]:
    """Return a batch of one row: ``input_ids`` and ``labels`` ``[1, length]``, positions, and the media tensors.

    ``position_ids`` are ``[1, length]``, of families with rotary positions of their own ``[4, 1, length]``: those by
    which conversations are told apart before the other three. Pixels may stay levels where ``levels`` is set.
    """
    import torch

    texts = torch.cat([torch.arange(item.length) for item in items])
    out = {
        "input_ids": torch.cat([item.input_ids for item in items])[None],
        "labels": torch.cat([_without_first(item.labels) for item in items])[None],
        **encoder.joined(items, levels=levels),
    }
    rotary = [item.positions for item in items if item.positions is not None]
    out["position_ids"] = torch.stack([texts, *torch.cat(rotary, dim=1)])[:, None] if rotary else texts[None]
    if encoder.family.kinds:
        out[encoder.family.kinds] = torch.tensor(encoder.processor.create_mm_token_type_ids(out["input_ids"].tolist()))
    return out


def _without_first(labels: torch.Tensor) -> torch.Tensor:
    """Return the labels of a conversation, whose first token must not be asked of the conversation before it."""
    labels = labels.clone()
    labels[0] = IGNORED
    return labels


def bins(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Return which conversations share a row: the longest first, each into the fullest row that has room for it.

    Args:
        lengths: tokens of each conversation.
        most: tokens of a row; a longer conversation has one of its own.
    """
    from bisect import bisect_left, insort

    order = sorted(range(len(lengths)), key=lambda number: (-lengths[number], number))
    rows: list[list[int]] = []
    room: list[tuple[int, int]] = []  # what is left in a row, and its number; sorted
    for number in order:
        at = bisect_left(room, (lengths[number], -1))
        left, row = room.pop(at) if at < len(room) else (most, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(number)
        insort(room, (left - lengths[number], row))
    return rows

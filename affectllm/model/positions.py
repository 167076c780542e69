"""Compute the multimodal rotary positions of one conversation by transformers' own functions, without weights.

The models compute positions per batch from one flag for all clips. Computed here per conversation, clips with and
without sound can share a batch, and the work is done by the loader instead of the training step.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from affectllm.model.family import Family

if TYPE_CHECKING:
    import torch


def position_ids(
    family: Family,
    config: Any,
    input_ids: torch.Tensor,
    clips: Sequence[Mapping[str, torch.Tensor]],
    starts: Sequence[int],
) -> torch.Tensor | None:
    """Return the positions ``[3, length]``, or None for a family with plain positions.

    Args:
        clips: media tensors of each clip, in order.
        starts: where the tokens of each clip begin.
    """
    if not family.rope:
        return None
    import torch

    model_class = family.network_class()
    if family.rope == "vl":
        return _vl(model_class, config, input_ids, clips)
    # One clip at a time, with the mark before it: with a flag for all of them there is no place for a silent video
    # beside one that sounds. What follows a clip begins after its highest position.
    cuts = [0, *(start - 1 for start in starts), len(input_ids)]
    rows = [_plain(input_ids[: cuts[1]])]
    for clip, begin, end in zip(clips, cuts[1:-1], cuts[2:], strict=True):
        before = rows[-1].max() + 1 if rows[-1].numel() else 0
        rows.append(_omni(model_class, config, input_ids[begin:end], clip) + before)
    return torch.cat(rows, dim=1)


def _plain(input_ids: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.arange(len(input_ids)).expand(3, -1).clone()


def _omni(model_class: Any, config: Any, input_ids: torch.Tensor, clip: Mapping[str, torch.Tensor]) -> torch.Tensor:
    import torch

    if "pixel_values" not in clip and "pixel_values_videos" not in clip:
        return _plain(input_ids)
    owner = next(parent for parent in model_class.__mro__ if "get_rope_index" in vars(parent))
    holder = _holder(
        owner,
        ("get_llm_pos_ids_for_vision", "get_rope_index"),
        config=config,
        spatial_merge_size=config.vision_config.spatial_merge_size,
    )
    holder.get_chunked_index = functools.partial(_chunked_index, owner)
    heard = clip.get("feature_attention_mask")
    positions, _ = holder.get_rope_index(
        input_ids[None],
        clip.get("image_grid_thw"),
        clip.get("video_grid_thw"),
        torch.ones_like(input_ids)[None],
        heard is not None,
        None if heard is None else heard.sum(-1),
        clip.get("video_second_per_grid"),
    )
    return positions[:, 0]


def _chunked_index(owner: Any, tokens: torch.Tensor, per_chunk: int, removed: Any) -> list[tuple[int, int]]:
    # The library's function on plain numbers: it looks at one token after the other, which is slow in a tensor.
    return owner.get_chunked_index(None, tokens.tolist(), per_chunk, int(removed))


def _vl(
    model_class: Any, config: Any, input_ids: torch.Tensor, clips: Sequence[Mapping[str, torch.Tensor]]
) -> torch.Tensor:
    import torch

    kinds = torch.zeros_like(input_ids)
    kinds[input_ids == config.image_token_id] = 1
    kinds[input_ids == config.video_token_id] = 2
    owner = getattr(
        sys.modules[model_class.__module__], model_class.__name__.replace("ForConditionalGeneration", "Model")
    )
    holder = _holder(owner, ("get_vision_position_ids", "get_rope_index"), config=config)
    grids: dict[str, torch.Tensor] = {}
    for name in ("image_grid_thw", "video_grid_thw", "second_per_grid_ts"):
        if parts := [clip[name] for clip in clips if name in clip]:
            grids[name] = torch.cat(parts)
    positions, _ = holder.get_rope_index(input_ids[None], kinds[None], **grids)
    return positions[:, 0]


def _holder(model_class: Any, methods: tuple[str, ...], **attributes: Any) -> Any:
    # The functions read nothing of the model but these attributes, so no weights are needed.
    holder = SimpleNamespace(**attributes)
    for name in methods:
        setattr(holder, name, functools.partial(getattr(model_class, name), holder))
    return holder

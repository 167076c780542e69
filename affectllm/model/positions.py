"""Multimodal rotary positions of one conversation, by the library's own functions, without weights.

The models compute positions per batch from one flag for all clips. Computed here per conversation, clips with and
without sound can share a batch, and the work is done by the loader instead of the training step.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from affectllm.model.backbones import Backbone

if TYPE_CHECKING:
    import torch


def position_ids(
    backbone: Backbone, config: Any, input_ids: torch.Tensor, media: Mapping[str, torch.Tensor]
) -> torch.Tensor | None:
    """``[3, length]`` positions, or None for a family with plain positions."""
    rule = _RULES.get(backbone.name)
    return None if rule is None else rule(config, input_ids, media)


def _plain(input_ids: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.arange(len(input_ids)).expand(3, -1).clone()


def _omni(config: Any, input_ids: torch.Tensor, media: Mapping[str, torch.Tensor]) -> torch.Tensor:
    import torch
    from transformers.models.qwen2_5_omni import modeling_qwen2_5_omni as omni

    if "pixel_values" not in media and "pixel_values_videos" not in media:
        return _plain(input_ids)
    lengths = media["feature_attention_mask"].sum(-1) if "feature_attention_mask" in media else None
    starts = input_ids[:-1] == config.vision_start_token_id
    interleaved = bool((starts & (input_ids[1:] == config.audio_start_token_id)).any())
    holder = _holder(
        omni.Qwen2_5OmniPreTrainedModelForConditionalGeneration,
        ("get_llm_pos_ids_for_vision", "get_rope_index"),
        config=config,
        spatial_merge_size=config.vision_config.spatial_merge_size,
    )
    holder.get_chunked_index = _chunked_index
    positions, _ = holder.get_rope_index(
        input_ids[None],
        media.get("image_grid_thw"),
        media.get("video_grid_thw"),
        torch.ones_like(input_ids)[None],
        interleaved,
        lengths,
        media.get("video_second_per_grid"),
    )
    return positions[:, 0]


def _chunked_index(tokens: torch.Tensor, per_chunk: int, removed: Any) -> list[tuple[int, int]]:
    # The library's function on plain numbers: it looks at one token after the other, which is slow in a tensor.
    from transformers.models.qwen2_5_omni import modeling_qwen2_5_omni as omni

    rule: Any = omni.Qwen2_5OmniPreTrainedModelForConditionalGeneration.get_chunked_index
    return rule(None, tokens.tolist(), per_chunk, int(removed))


def _vl(config: Any, input_ids: torch.Tensor, media: Mapping[str, torch.Tensor]) -> torch.Tensor:
    import torch
    from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel

    kinds = torch.zeros_like(input_ids)
    kinds[input_ids == config.image_token_id] = 1
    kinds[input_ids == config.video_token_id] = 2
    holder = _holder(Qwen2_5_VLModel, ("get_vision_position_ids", "get_rope_index"), config=config)
    positions, _ = holder.get_rope_index(
        input_ids[None],
        kinds[None],
        media.get("image_grid_thw"),
        media.get("video_grid_thw"),
        media.get("second_per_grid_ts"),
    )
    return positions[:, 0]


def _holder(model_class: Any, methods: tuple[str, ...], **attributes: Any) -> Any:
    # The functions read nothing of the model but these attributes, so no weights are needed.
    holder = SimpleNamespace(**attributes)
    for name in methods:
        setattr(holder, name, functools.partial(getattr(model_class, name), holder))
    return holder


_RULES = {"qwen2_5_omni": _omni, "qwen2_5_vl": _vl}

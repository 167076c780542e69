"""Last hidden states of any family's network, and the vectors that are pooled from them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from torch import Tensor

Pooled = Literal["mean", "lasttoken"]
POOLED: tuple[Pooled, ...] = get_args(Pooled)


def _body(network: Any) -> Any:
    """Return the part of a network that ends before the language model's head."""
    whole = getattr(network, "module", network)
    return getattr(whole, "get_base_model", lambda: whole)().model


def hidden_states(network: Any, inputs: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Run a network, wrapped for training or not, on a collated batch.

    Args:
        inputs: as ``Encoder.collate`` gives them; ``labels`` are not looked at.

    Returns:
        Last hidden states ``[batch, length, width]`` and logits of the last position. The network runs as a whole,
        since wrappers of distributed training must see its forward pass, and the states are taken on their way.
    """
    states: list[Tensor] = []
    body = _body(network)
    handle = body.register_forward_hook(lambda _module, _inputs, output: states.append(output[0]))
    known = inspect.signature(_bare(network).forward).parameters
    once = {"logits_to_keep": 1} if "logits_to_keep" in known else {}
    try:
        output = network(**{key: value for key, value in inputs.items() if key != "labels"}, use_cache=False, **once)
    finally:
        handle.remove()
    return states[-1], output.logits


def _bare(network: Any) -> Any:
    whole = getattr(network, "module", network)
    return getattr(whole, "get_base_model", lambda: whole)()


def pooled(states: Tensor, mask: Tensor, mode: Pooled) -> Tensor:
    """Return normalised vectors ``[batch, width]`` in float32 of states ``[batch, length, width]``."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Pooling

    pooling = Pooling(states.shape[-1], pooling_mode=mode)
    features = pooling({"token_embeddings": states.float(), "attention_mask": mask})
    return torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)

"""Hidden states of a causal model by layer: one vector a conversation, and some at later tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from affectllm.model.encode import IGNORED, Encoded, Encoder
from affectllm.model.generate import last_logits_only, model_inputs
from affectllm.model.load import Model
from affectllm.model.pooled import stacked

if TYPE_CHECKING:
    import torch

CONTINUATION = "Let me first describe how this page is laid out. It has a title, a margin on either side, and lines. "
"""Text that says nothing about what was asked; it is repeated as often as later tokens are looked at."""


def layer_states(
    model: Model, encoder: Encoder, prompts: Sequence[Encoded], pool: str, after: Sequence[int] = ()
) -> torch.Tensor:
    """Put prompts through the model and return their states, float32 ``[prompts, 1 + after, layers, width]``.

    Layer 0 is what goes into the first layer, the last one what the model's last normalisation gives.

    Args:
        prompts: conversations encoded with ``generation_prompt=True``.
        pool: ``last`` for the state of the last token, from which an answer would be begun; ``mean`` over all tokens.
        after: numbers of tokens beyond the last one at which the state is taken too; those tokens are those of
            ``CONTINUATION``, the same for all prompts, written where the answer would be.

    Raises:
        WrongCheckpoint: when the model gives no outputs of layers.
    """
    import torch

    more = _continuation(model, max(after, default=0))
    inputs = model_inputs(model, encoder, [_continued(prompt, more) for prompt in prompts], side="right")
    with torch.inference_mode():
        result = model.model(**inputs, output_hidden_states=True, use_cache=False, **last_logits_only(model))
        states = stacked(result, model.path)  # [layers, prompts, tokens, width]
        rows = []
        for number, prompt in enumerate(prompts):
            own, last = states[:, number], prompt.length - 1
            first = own[:, last] if pool == "last" else own[:, : prompt.length].float().mean(1)
            rows.append(torch.stack([first.float(), *(own[:, last + tokens].float() for tokens in after)]))
    return torch.stack(rows).cpu()


def _continuation(model: Model, tokens: int) -> list[int]:
    ids: list[int] = []
    while len(ids) < tokens:
        ids += model.tokenizer(CONTINUATION, add_special_tokens=False)["input_ids"]
    return ids[:tokens]


def _continued(prompt: Encoded, ids: Sequence[int]) -> Encoded:
    """Return a prompt with more tokens of text at its end."""
    import torch

    if not ids:
        return prompt
    more = torch.tensor(ids, dtype=prompt.input_ids.dtype)
    positions = prompt.positions
    if positions is not None:
        steps = positions.max() + 1 + torch.arange(len(ids), dtype=positions.dtype)
        positions = torch.cat([positions, steps.expand(len(positions), -1)], dim=1)
    labels = torch.full_like(more, IGNORED)
    return replace(
        prompt,
        input_ids=torch.cat([prompt.input_ids, more]),
        labels=torch.cat([prompt.labels, labels]),
        positions=positions,
    )

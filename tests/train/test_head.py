"""The head on answered positions alone: the same loss and gradients as TRL's own way of scoring every position."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from trl.trainer.utils import add_fused_lm_head

from affectllm.model.load import load_model
from affectllm.train.head import answered_positions_only


def scored(network: Any, ids: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    network.zero_grad()
    out = network(input_ids=ids, labels=labels, fused_lm_head=True)
    out.loss.backward()
    return out.loss.detach(), [p.grad.clone() for p in network.parameters() if p.grad is not None]


@pytest.mark.parametrize("answered", [0, 1, 5])
def test_loss_and_gradients_are_those_of_all_positions(answered: int) -> None:
    network = load_model("tiny:qwen2", dtype="float32").model.train()
    add_fused_lm_head(network, outputs=("log_probs", "entropy", "is_top1"))
    ids = torch.randint(0, 500, (2, 20), generator=torch.Generator().manual_seed(0))
    labels = torch.where(torch.arange(20) >= 20 - answered, ids, -100)
    loss, gradients = scored(network, ids, labels)
    with answered_positions_only():
        compact_loss, compact_gradients = scored(network, ids, labels)
    assert torch.allclose(loss, compact_loss, atol=1e-6)
    assert (loss > 0) == bool(answered)
    assert len(gradients) == len(compact_gradients) > 0
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(gradients, compact_gradients, strict=True))


def test_only_answered_positions_reach_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    from trl.kernels import chunked_logprob

    rows: list[int] = []
    fold = chunked_logprob._forward_tile

    def counted(tile: torch.Tensor, *args: Any, **kwargs: Any) -> None:
        rows.append(len(tile))
        fold(tile, *args, **kwargs)

    monkeypatch.setattr(chunked_logprob, "_forward_tile", counted)
    network = load_model("tiny:qwen2", dtype="float32").model
    add_fused_lm_head(network)
    ids = torch.zeros((2, 20), dtype=torch.long)
    labels = torch.where(torch.arange(20) >= 17, ids, -100)
    with answered_positions_only():
        network(input_ids=ids, labels=labels, fused_lm_head=True)
    network(input_ids=ids, labels=labels, fused_lm_head=True)
    assert set(rows) == {6, 38}

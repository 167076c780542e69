"""Drawing with a seed for each row: from the model's own distribution, whatever the batch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from affectllm.errors import AffectError
from affectllm.model.drawing import seeded

LOGITS = (2.0, 1.0, 0.0, -1.0)


def drawn(seeds: list[int], **options: Any) -> list[int]:
    """Which token of four is drawn with each seed."""
    import torch

    defaults = SimpleNamespace(temperature=1.0, top_k=None, top_p=None, min_p=None)
    settings, processors = seeded(defaults, {"do_sample": True, **options}, seeds)
    assert settings == {"do_sample": False, "temperature": None}
    logits = torch.tensor([LOGITS] * len(seeds))
    for processor in processors:
        logits = processor(torch.zeros((len(seeds), 1), dtype=torch.long), logits)
    chosen: list[int] = logits.argmax(-1).tolist()
    return chosen


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_tokens_are_drawn_as_often_as_the_softmax_says(temperature: float) -> None:
    import torch

    chances = torch.softmax(torch.tensor(LOGITS) / temperature, -1).tolist()
    tokens = drawn(list(range(4000)), temperature=temperature)
    assert [tokens.count(token) / 4000 for token in range(4)] == pytest.approx(chances, abs=0.03)


def test_a_draw_belongs_to_its_seed_and_not_to_its_batch() -> None:
    together = drawn(list(range(50)))
    assert [drawn([seed])[0] for seed in range(50)] == together and len(set(together)) > 2
    assert set(drawn(list(range(300)), top_k=2)) == {0, 1}


def test_several_rows_a_reply_are_refused() -> None:
    with pytest.raises(AffectError, match="take no num_beams"):
        drawn([1], num_beams=2)

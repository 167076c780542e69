"""Packed conversations: rows are filled, no conversation is lost, and training is what it is with padding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuning import losses, page_of

from affectllm.errors import BadRecipe
from affectllm.model.packed import bins
from affectllm.train.recipe import load_recipe
from affectllm.train.stage import train


@given(st.lists(st.integers(1, 60), max_size=80), st.integers(1, 50))
def test_every_conversation_is_in_one_row_that_has_room_for_it(lengths: list[int], most: int) -> None:
    rows = bins(lengths, most)
    assert sorted(number for row in rows for number in row) == list(range(len(lengths)))
    filled = [sum(lengths[number] for number in row) for row in rows]
    assert all(tokens <= most or len(row) == 1 for row, tokens in zip(rows, filled, strict=True))
    # Best fit leaves no two rows that would fit into one.
    small = sorted(tokens for tokens in filled if tokens <= most)
    assert len(small) < 2 or small[0] + small[1] > most
    assert bins(lengths, most) == rows


@pytest.mark.slow
def test_the_losses_are_those_of_padded_batches(small_demo: Path, tmp_path: Path, capsys: Any) -> None:
    """All rows in every batch, clips and words of unlike length among them."""
    part = {"corpus": "demo_affect", "template": "emotion_choice", "space": "demo_affect_5", "cap": 12}
    clips = {**part, "rater": "intended", "modalities": ["video", "audio", "text"]}
    words = {**part, "rater": "words", "modalities": ["text"]}
    data, steps = {"mixture": [clips, words]}, {"max_steps": 3, "save_strategy": "no"}
    padded = page_of("sft", tmp_path, data=data, trainer={**steps, "per_device_train_batch_size": 64})
    train(str(padded), [], [f"demo_affect={small_demo}"], tmp_path / "padded")
    packed = page_of(
        "sft", tmp_path, data=data, pack_tokens=20_000, trainer={**steps, "per_device_train_batch_size": 1}
    )
    train(str(packed), [], [f"demo_affect={small_demo}"], tmp_path / "packed")
    assert losses(tmp_path / "packed") == pytest.approx(losses(tmp_path / "padded"), rel=1e-4)
    assert len(set(losses(tmp_path / "packed"))) == 3
    assert "packed: 24 conversations into 1 rows" in capsys.readouterr().err
    logs = [json.loads((tmp_path / run / "train" / "trainer_state.json").read_text()) for run in ("packed", "padded")]
    tokens, with_padding = (log["log_history"][0]["num_tokens"] for log in logs)
    assert tokens == with_padding


@pytest.mark.parametrize(
    ("method", "changes", "reason"),
    [
        ("sft", {"pack_tokens": 0}, "must be 1 or more"),
        ("sft", {"model": {"path": "tiny:gemma4", "backbone": "gemma4"}}, "gemma4 would let conversations"),
        ("dpo", {}, "dpo weighs conversations row by row"),
        ("sft", {"trainer": {"per_device_train_batch_size": 2}}, "a row is a batch"),
    ],
)
def test_where_it_would_not_be_exact_it_is_refused(
    method: str, changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    one = {"trainer": {"per_device_train_batch_size": 1}, "pack_tokens": 512, **changes}
    page = page_of(method, tmp_path, **one)
    with pytest.raises(BadRecipe, match=reason) as caught:
        load_recipe(str(page))
    line = page.read_text().splitlines()[int(caught.value.where.rpartition(":")[2]) - 1]
    assert line.startswith("pack_tokens:")

"""Batches by tokens: within the budget, every row once, the same gradient as one large batch, and resumed in order."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuning import PAGE, logged, losses, page_of, succeed

from affectllm.errors import BadRecipe
from affectllm.train.recipe import load_recipe
from affectllm.train.sampling import TokenBatches
from affectllm.train.stage import train

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=80)
WORDS = {**PAGE["data"]["mixture"][0], "rater": "words", "modalities": ["text"]}
TEXT: dict[str, Any] = {
    "data": {"mixture": [WORDS]},
    "model": {"path": "tiny:qwen2", "backbone": "qwen2", "dtype": "float32"},
}


def by_rank(lengths: list[int], most: int, processes: int, epoch: int = 0) -> list[list[list[int]]]:
    samplers = [TokenBatches(lengths, most, 3, processes, rank) for rank in range(processes)]
    for sampler in samplers:
        sampler.set_epoch(epoch)
    batches = [list(sampler) for sampler in samplers]
    assert [len(sampler) for sampler in samplers] == [len(own) for own in batches]
    return batches


@given(LENGTHS, st.integers(60, 300), st.integers(1, 4), st.integers(0, 3))
def test_every_row_is_in_one_batch_that_has_room_for_it(
    lengths: list[int], most: int, processes: int, epoch: int
) -> None:
    ranks = by_rank(lengths, most, processes, epoch)
    assert len({len(own) for own in ranks}) == 1
    assert len(ranks[0]) == len(by_rank(lengths, most, processes)[0])  # in every epoch
    batches = [batch for own in ranks for batch in own]
    assert all(batch and len(batch) * max(lengths[row] for row in batch) <= most for batch in batches)
    counted = Counter(row for batch in batches for row in batch)
    assert set(counted) == set(range(len(lengths)))
    again = sum(counted.values()) - len(lengths)
    assert again < processes and (not again or all(len(batch) == 1 for batch in batches))


@given(LENGTHS, st.integers(60, 300))
def test_the_order_follows_seed_and_epoch_alone(lengths: list[int], most: int) -> None:
    assert by_rank(lengths, most, 2, epoch=1) == by_rank(lengths, most, 2, epoch=1)


def test_epochs_differ_and_the_longest_come_first() -> None:
    lengths = [10, 12, 11, 50, 10, 13] * 20
    epochs = [by_rank(lengths, 120, 1, epoch)[0] for epoch in range(3)]
    assert len({str(batches) for batches in epochs}) == 3
    assert all(max(lengths[row] for row in batches[0]) == 50 for batches in epochs)
    assert all(len({lengths[row] for row in batch}) <= 2 for batches in epochs for batch in batches)


@pytest.mark.slow
def test_a_step_is_that_of_one_large_batch(small_demo: Path, tmp_path: Path, capsys: Any) -> None:
    steps = {"max_steps": 2, "save_strategy": "no"}
    root = [f"demo_affect={small_demo}"]
    plain = page_of("sft", tmp_path, **TEXT, trainer={**steps, "per_device_train_batch_size": 64})
    train(str(plain), [], root, tmp_path / "plain")
    trainer = {**steps, "gradient_accumulation_steps": 64}
    trainer["per_device_train_batch_size"] = None
    page = page_of("sft", tmp_path, **TEXT, batch_tokens=400, trainer=trainer)
    train(str(page), [], root, tmp_path / "tokens")
    for key in ("loss", "grad_norm"):
        assert logged(tmp_path / "tokens", key) == pytest.approx(logged(tmp_path / "plain", key), rel=1e-4)
    assert "batches of at most 400 tokens, filled to" in capsys.readouterr().err


def _resumed(out: Path, again: Callable[[], Any]) -> tuple[list[float], list[float]]:
    """Losses of a run, and of the same run gone on with from the middle of its second epoch."""
    again()
    whole = losses(out)
    checkpoints = sorted((out / "train").glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    for path in [*checkpoints[len(checkpoints) * 3 // 4 :], out / "train" / "final"]:
        shutil.rmtree(path)
    again()
    return whole, losses(out)


def _two_epochs(folder: Path, **changes: Any) -> Path:
    trainer = {"max_steps": -1, "num_train_epochs": 2, "save_steps": 1, "save_total_limit": 99}
    return page_of(
        "sft", folder, **TEXT, batch_tokens=300, trainer={**trainer, "per_device_train_batch_size": None}, **changes
    )


@pytest.mark.slow
def test_a_run_that_was_cut_off_in_its_second_epoch_goes_on_in_the_same_order(small_demo: Path, tmp_path: Path) -> None:
    page, out = _two_epochs(tmp_path), tmp_path / "run"
    whole, resumed = _resumed(out, lambda: train(str(page), [], [f"demo_affect={small_demo}"], out))
    assert len(whole) > 3 and resumed == pytest.approx(whole, rel=1e-5)


@pytest.mark.thorough
@pytest.mark.slow
def test_two_processes_go_on_in_the_same_order(small_demo: Path, tmp_path: Path) -> None:
    page, out = _two_epochs(tmp_path, launch="ddp"), tmp_path / "run"
    words = ("train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(out), "--num-processes", "2")
    whole, resumed = _resumed(out, lambda: succeed(*words))
    assert len(whole) > 3 and resumed == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize(
    ("method", "changes", "reason"),
    [
        ("sft", {"batch_tokens": 0}, "must be 1 or more"),
        ("sft", {"pack_tokens": 512}, "both say what a batch is"),
        ("dpo", {}, "dpo weighs conversations row by row"),
        ("sft", {"data": {"order": "short_first"}}, "the order short_first would be lost"),
        ("sft", {"trainer": {"per_device_train_batch_size": 2}}, "as many rows as there is room for"),
    ],
)
def test_where_tokens_cannot_decide_it_is_refused(
    method: str, changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    one = {"trainer": {"per_device_train_batch_size": None}, "batch_tokens": 512, **changes}
    page = page_of(method, tmp_path, **one)
    with pytest.raises(BadRecipe, match=reason) as caught:
        load_recipe(str(page))
    line = page.read_text().splitlines()[int(caught.value.where.rpartition(":")[2]) - 1]
    assert "batch_tokens:" in line or "per_device_train_batch_size" in line

"""Processes with unlike batches: what a batch lacks is filled up, losses stay, and no process waits for another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from family_clips import encoder_of, talk, tiny_model
from tuning import PAGE, SAYS, affectllm, losses, page_of, succeed

from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import BadRecipe
from affectllm.train.collator import Collator
from affectllm.train.data import load_rows
from affectllm.train.method import find_method
from affectllm.train.ranks.filling import FILLED, Filling, check_alike
from affectllm.train.stage import train


def test_the_collator_says_what_nobody_asked_about(tmp_path: Path) -> None:
    model = tiny_model("qwen2_5_omni")
    encoder = encoder_of(model, materialise({"a.wav": Tone()}, tmp_path))
    collate = Collator(encoder, filling=Filling(encoder, {"audio"}))
    rows = [{"id": "a", "messages": talk(question="Why?")}]
    batch = collate(rows)
    assert batch[FILLED] == ["feature_attention_mask", "input_features"] and len(batch["input_ids"]) == 2
    sound = {"type": "audio", "corpus": "made", "path": "a.wav"}
    batch = collate([{"id": "a", "messages": talk(sound)}])
    assert FILLED not in batch and len(batch["input_ids"]) == 1


def test_rows_of_unlike_kinds_are_told_where_batches_are_not_filled_up() -> None:
    clips = [{"type": kind, "corpus": "made", "path": "a"} for kind in ("video", "audio")]
    alike = [{"id": f"a{n}", "messages": talk(*order)} for n, order in enumerate((clips, clips[::-1]))]
    check_alike(alike, "dpo")
    with pytest.raises(BadRecipe, match=r"a0 has audio and video and b has no clip: .* dpo cannot be filled"):
        check_alike([*alike, {"id": "b", "messages": talk(question="Why?")}], "dpo")


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("method", "launch", "adapted", "refused"),
    [("dpo", "zero2", False, True), ("grpo", "zero2", False, True), ("dpo", "zero2", True, False),
     ("dpo", "zero3_offload", True, True)],
)  # fmt: skip
def test_unlike_rows_are_refused_where_a_tower_would_be_waited_for(
    method: str, launch: str, adapted: bool, refused: bool, small_demo: Path, tmp_path: Path
) -> None:
    """With ZeRO-2 and an adapter of the language model alone nothing of a tower is shared."""
    part = {**PAGE["data"]["mixture"][0], **SAYS[find_method(method).needs]}
    data = {"mixture": [part, {**part, "modalities": ["text"], "rater": "words"}], "order": "shuffled"}
    page = page_of(method, tmp_path, launch=launch, data=data, **({"peft": {"r": 4}} if adapted else {}))
    words = ("--root", f"demo_affect={small_demo}", "--out", str(tmp_path / "two"), "--num-processes", "2")
    done = affectllm("train", str(page), *words)
    if refused:
        assert done.returncode == 2 and "set launch: ddp" in done.stderr and "Traceback" not in done.stderr
    else:
        assert done.returncode == 0, done.stderr[-3000:]
        assert len(losses(tmp_path / "two")) == 4


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("launch", ["zero2", "zero3_offload", "fsdp2"])
@pytest.mark.parametrize("adapted", [False, True])
def test_two_processes_one_without_clips_train_as_one_does(
    launch: str, adapted: bool, small_demo: Path, tmp_path: Path
) -> None:
    part = PAGE["data"]["mixture"][0]
    words = {**part, "modalities": ["text"], "rater": "words"}
    changes: dict[str, Any] = {
        "data": {"mixture": [part, words], "order": "shuffled"},
        **({"peft": {"r": 4}} if adapted else {}),
    }
    steps = {"max_steps": 4, "save_strategy": "no", "train_sampling_strategy": "sequential"}
    alone = page_of("sft", tmp_path, trainer={**steps, "per_device_train_batch_size": 2}, **changes)
    train(str(alone), [], [f"demo_affect={small_demo}"], tmp_path / "alone")
    names = load_rows(tmp_path / "alone" / "build", "train")["id"][:8]
    kinds = ["/text/" in name for name in names]
    assert any(first != second for first, second in zip(kinds[::2], kinds[1::2], strict=True)), "no step is unlike"
    page = page_of("sft", tmp_path, trainer={**steps, "per_device_train_batch_size": 1}, launch=launch, **changes)
    root = f"demo_affect={small_demo}"
    succeed("train", str(page), "--root", root, "--out", str(tmp_path / "two"), "--num-processes", "2")
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "alone"), rel=2e-3)

"""A run that was killed behind its last checkpoint, before the result was written, takes no further step."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tuning import PAGE, write_page

from affectllm.train.stage import train

TEXT: dict[str, Any] = {
    "model": {"path": "tiny:qwen2", "backbone": "qwen2"},
    "data": {
        "mixture": [{**PAGE["data"]["mixture"][0], "modalities": ["text"], "rater": "words"}],
        "validation_rows": 4,
    },
}
STEPS = {"max_steps": 4, "save_steps": 2, "lr_scheduler_type": "constant", "per_device_train_batch_size": 2}
STOPPED = {**STEPS, "max_steps": 30, "learning_rate": 0.1, "eval_strategy": "steps", "eval_steps": 2}
BY_EPOCH = {**STEPS, "eval_strategy": "epoch"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trainer", "best"),
    [
        pytest.param(STEPS, None, id="last step"),
        pytest.param(BY_EPOCH, None, id="evaluated once more at the end"),
        pytest.param(STOPPED, {"metric": "loss", "patience": 1}, id="stopped early"),
    ],
)
def test_it_ends_as_it_would_have(trainer: dict[str, Any], best: Any, small_demo: Path, tmp_path: Path) -> None:
    page, out = write_page(tmp_path, **TEXT, trainer=trainer, **({"best": best} if best else {})), tmp_path / "run"
    states, weights = [], []
    for _ in range(2):
        train(str(page), [], [f"demo_affect={small_demo}"], out)
        states.append(json.loads((out / "train" / "trainer_state.json").read_text()))
        weights.append(load_file(out / "train" / "final" / "model.safetensors"))
        shutil.rmtree(out / "train" / "final")
    assert states[0]["global_step"] == states[1]["global_step"] and (not best or states[0]["global_step"] < 30)
    evaluated = [[entry["step"] for entry in state["log_history"] if "eval_loss" in entry] for state in states]
    assert evaluated[0] == evaluated[1] and bool(evaluated[0]) == ("eval_strategy" in trainer)
    assert states[0]["best_metric"] == states[1]["best_metric"]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])

"""The best checkpoint by what the model answers: chosen by a task's metric, and the training stopped early."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tuning import logged, succeed, write_page

from affectllm.errors import BadRecipe
from affectllm.report.runfolder import read_run
from affectllm.train.recipe import load_recipe

TRAINER = {
    **{"max_steps": 12, "eval_strategy": "steps", "eval_steps": 3, "save_strategy": "steps", "save_steps": 3},
    **{"per_device_eval_batch_size": 4, "per_device_train_batch_size": 4, "learning_rate": 2e-3},
}


def _page(folder: Path, **best: object) -> Path:
    data = {"validation_rows": 8}
    return write_page(folder, data=data, trainer=TRAINER, best={"metric": "uar", "max_new_tokens": 4, **best})


@pytest.mark.slow
def test_the_checkpoint_with_the_best_answers_is_kept_and_training_stops_early(
    small_demo: Path, tmp_path: Path
) -> None:
    page, out = _page(tmp_path, patience=1), tmp_path / "run"
    succeed("train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(out))
    values, unreadable = logged(out, "eval_uar"), logged(out, "eval_unreadable")
    state = json.loads((out / "train" / "trainer_state.json").read_text(encoding="utf-8"))
    assert len(values) == len(unreadable) and all(0 <= value <= 1 for value in values + unreadable)
    assert state["best_metric"] == max(values) and state["best_global_step"] == 3 * (values.index(max(values)) + 1)
    # The first that is no better than the best before it ends the training.
    ends = next((at for at in range(1, len(values)) if values[at] <= max(values[:at])), len(values) - 1)
    assert len(values) == ends + 1 and state["global_step"] == 3 * len(values)
    titles = [one.curve.title for one in read_run(out).histories]
    assert any("answers to validation rows" in title for title in titles)


@pytest.mark.slow
@pytest.mark.thorough
def test_two_processes_score_their_answers_together(small_demo: Path, tmp_path: Path) -> None:
    values = []
    for launch, processes in (("cpu", "1"), ("ddp", "2")):
        page = _page(tmp_path)
        text = page.read_text(encoding="utf-8").replace("launch: cpu", f"launch: {launch}")
        page.write_text(text.replace("max_steps: 12", "max_steps: 3"), encoding="utf-8")
        words = ["--set", f"trainer.per_device_train_batch_size={4 // int(processes)}", "--num-processes", processes]
        out = tmp_path / launch
        succeed("train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(out), *words)
        values.append((logged(out, "eval_uar"), logged(out, "eval_unreadable")))
    assert values[0] == values[1]


@pytest.mark.parametrize(
    ("best", "trainer", "message"),
    [
        ({"metric": "no_such"}, {}, "no_such"),
        ({"rows": 0}, {}, "best.rows must be 1 or more"),
        ({"patience": 0}, {}, "best.patience must be 1 or more"),
        ({}, {"eval_strategy": "no"}, "nothing is evaluated while the model is trained"),
    ],
)
def test_what_cannot_choose_a_checkpoint_is_refused_with_its_line(
    best: dict[str, object], trainer: dict[str, str], message: str, tmp_path: Path
) -> None:
    page = write_page(tmp_path, trainer={**TRAINER, **trainer}, best={"metric": "uar", **best})
    with pytest.raises(BadRecipe, match=message) as error:
        load_recipe(str(page))
    assert "small.yaml:" in str(error.value)

"""The guard against forgetting: general tasks before and after a training, with the interval of the change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tuning import affectllm, write_page

from affectllm.errors import Malformed, NotFound
from affectllm.evaluate.run import Evaluation
from affectllm.report.boards.guard import AFTER, BEFORE, GUARD, Change, changes
from affectllm.report.cards.licence import verdict
from affectllm.report.cards.modelcard import CardFacts, model_card
from affectllm.report.leaks import of_guard
from affectllm.report.runfolder import read_run
from affectllm.report.trained import read_trained
from affectllm.train.recipe import load_recipe

CHANGE = Change("general", "acc", before=0.5, after=0.4, low=-0.2, high=-0.01, better="higher", n=100)


def general_task(folder: Path, items: int = 12) -> Path:
    """A task of lm-eval's own, without a word of affect: which of two numbers is larger."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"question": f"{n} or {n + 3}?", "choices": [str(n), str(n + 3)], "answer": 1} for n in range(items)]
    data = folder / "general.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    page = {
        "task": "larger_number",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "Which is larger, {{question}}",
        "doc_to_choice": "choices",
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }
    (folder / "larger_number.yaml").write_text(yaml.safe_dump(page), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_a_run_says_what_became_of_general_tasks(small_demo: Path, tmp_path: Path) -> None:
    guard = {"tasks": ["larger_number", "demo_affect_emotion"], "include_path": str(general_task(tmp_path / "tasks"))}
    page = write_page(
        tmp_path,
        eval={"references": [], "batch_size": 4, "guard": guard},
        trainer={"max_steps": 2, "save_strategy": "no", "learning_rate": 0.05},
    )
    out = tmp_path / "out"
    done = affectllm("run", str(page), "--root", f"demo_affect={small_demo}", "--out", str(out))
    assert done.returncode == 0, done.stderr[-3000:]
    rows = {row.task: row for row in changes(out / "eval")}
    assert set(rows) == {"larger_number", "demo_affect_emotion"}
    general = rows["larger_number"]
    values = [_values(out / "eval" / GUARD / name) for name in (BEFORE, AFTER)]
    assert (general.before, general.after) == pytest.approx((np.mean(values[0]), np.mean(values[1])))
    assert general.n == 12 and general.low is not None and general.low <= general.change <= (general.high or 0)
    assert f"guard: {general}" in done.stderr
    html = (out / "report.html").read_text(encoding="utf-8")
    assert 'id="guard"' in html and "larger_number" in html
    facts = CardFacts("a/b", read_trained(out), read_run(out), verdict(read_trained(out).cards))
    assert "| larger_number | acc |" in model_card(facts)


def _values(folder: Path) -> list[float]:
    (samples,) = folder.glob("samples_larger_number_*.jsonl")
    return [json.loads(line)["acc"] for line in samples.read_text(encoding="utf-8").splitlines()]


def test_what_was_known_before_and_is_not_after_is_forgotten(small_demo: Path, tmp_path: Path) -> None:
    for title, model in ((BEFORE, "affectllm-oracle"), (AFTER, "affectllm-majority")):
        asked: dict[str, Any] = {"tasks": ["demo_affect_emotion"], "roots": {"demo_affect": small_demo}}
        Evaluation(tmp_path / GUARD / title, model=model, **asked).run()
    (row,) = changes(tmp_path)
    assert (row.before, row.change < 0) == (1.0, True)
    assert changes(tmp_path / "elsewhere") == []
    sources = tmp_path / GUARD / BEFORE / "sources.json"
    for damaged in ("{", "[]", '{"results": "gone.json", "samples": {"demo_affect_emotion": "gone.jsonl"}}'):
        sources.write_text(damaged, encoding="utf-8")
        (tmp_path / GUARD / BEFORE / "scores.json").unlink(missing_ok=True)
        with pytest.raises(Malformed, match="before and after training cannot be read"):
            changes(tmp_path)


@pytest.mark.parametrize(
    ("changed", "forgotten"),
    [
        ({}, True),
        ({"high": 0.01}, False),
        ({"low": None, "high": None}, False),
        ({"better": "lower"}, False),
        ({"better": "lower", "low": 0.01, "high": 0.2}, True),
    ],
)
def test_forgotten_is_said_where_the_interval_is_on_the_worse_side(changed: dict[str, Any], forgotten: bool) -> None:
    row = replace(CHANGE, **changed)
    assert row.forgotten is forgotten
    assert ("forgotten" in str(row)) is forgotten


def test_a_guard_without_tasks_is_refused(tmp_path: Path, small_demo: Path) -> None:
    page = write_page(tmp_path, eval={"guard": {"tasks": []}})
    refused = affectllm("run", str(page), "--root", f"demo_affect={small_demo}", "--out", str(tmp_path / "out"))
    assert refused.returncode == 2 and "a guard needs a task" in refused.stderr and "small.yaml:" in refused.stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("hellaswagg", "hellaswag"), ("larger_numbr", "larger_number"), ("emodb_emotoin", "emodb_emotion")],
)
def test_a_misspelt_task_of_a_guard_is_told_before_the_training(tmp_path: Path, typed: str, meant: str) -> None:
    guard = {"tasks": ["larger_number", typed], "include_path": str(general_task(tmp_path / "tasks"))}
    with pytest.raises(NotFound, match=rf"eval\.guard of .*{typed}.*\n.*did you mean {meant}\b"):
        of_guard(load_recipe(str(write_page(tmp_path, eval={"guard": guard})), []))

"""The leaderboard: every run below a folder, its groups, its references, and what speaks against a score."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from evaluating import use

from affectllm.cli import main
from affectllm.corpus.miniature import Tone, materialise
from affectllm.evaluate.harness import lm_eval_main

SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14")
PAGE = """task: mine
class: !function affectllm.evaluate.task.AffectTask
corpus: emodb
split: all
template: emotion_choice
gold: {space: emodb_7, rater: actor}
modalities: [audio]
cluster: speaker
metrics: [uar]
n: 535
published:
  - {system: Somebody, metric: uar, value: 0.9, source: table 2, evidence: checked}
  - {system: Another, metric: uar, value: 0.8, source: table 3, evidence: checked, differs: four classes}
metadata: {version: 1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two evaluations, one of them with an ablation that does as well and a reference model."""
    folder = tmp_path_factory.mktemp("led")
    (folder / "eval_tasks").mkdir()
    (folder / "eval_tasks" / "mine.yaml").write_text(PAGE, encoding="utf-8")
    names = [f"{who}a0{text}{label}a" for who in SPEAKERS for text, label in zip("12457", "WNTWF", strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFFECTLLM_PATH", str(folder))
        use(patch, {"emodb": materialise({f"wav/{name}.wav": Tone(0.05) for name in names}, folder / "emodb")})
        for model, place in (("oracle", "runs/best"), ("majority", "runs/deep/poor/eval"), ("chance", "chance")):
            lm_eval_main(["--model", f"affectllm-{model}", "--tasks", "mine", "--output_path", str(folder / place)])
    poor = folder / "runs" / "deep" / "poor" / "eval"
    shutil.copytree(poor, poor / "modalities" / "text", ignore=shutil.ignore_patterns("modalities", "reference"))
    shutil.move(folder / "chance", poor / "reference" / "chance")
    manifest = {"inputs": {"recipe": {"data": {"parts": [{"corpus": "emodb"}, {"corpus": "meld"}]}}}}
    (poor.parent / "train").mkdir()
    (poor.parent / "train" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def board(folder: Path) -> Any:
    assert main(["leaderboard", str(folder / "runs"), "--out", str(folder / "site")]) == 0
    (only,) = json.loads((folder / "site" / "leaderboard.json").read_text(encoding="utf-8"))
    return only


def test_runs_at_any_depth_stand_best_first_with_groups_and_references(board: Any) -> None:
    assert [row["run"] for row in board["runs"]] == ["best", "deep/poor"]
    assert board["runs"][0]["score"]["value"] == 1
    assert not set(board["runs"][0]["group"]) & set(board["runs"][1]["group"])
    assert set(board["references"]) == {"chance"} and "40 items that all answered" in board["note"]


def test_what_speaks_against_a_score_is_said(board: Any) -> None:
    best, poor = (row["flags"] for row in board["runs"])
    assert best == ["asked 40 of 535 items"]
    assert poor == ["asked 40 of 535 items", "no better than with text alone"]  # its own corpus is no remark


def test_only_comparable_figures_stand_in_the_table(folder: Path, board: Any) -> None:
    page = (folder / "site" / "leaderboard.html").read_text(encoding="utf-8")
    assert "Somebody" in page and "Another" not in page
    assert [figure["system"] for figure in board["published"]] == ["Somebody", "Another"]
    table = (folder / "site" / "leaderboard.md").read_text(encoding="utf-8")
    assert "| best | 1.000 |" in table and "| reference: chance |" in table


def test_a_task_stands_under_its_suites_and_those_around_them(folder: Path, board: Any, monkeypatch) -> None:
    assert board["suites"] == []
    for name, members in (("inner", "mine"), ("outer", "inner")):
        page = f"group: {name}\ntask: [{members}]\nmetadata: {{version: 1, suite: {{mean: headline}}}}\n"
        (folder / "eval_tasks" / f"{name}.yaml").write_text(page, encoding="utf-8")
    monkeypatch.setenv("AFFECTLLM_PATH", str(folder))
    assert main(["leaderboard", str(folder / "runs"), "--out", str(folder / "suites")]) == 0
    (only,) = json.loads((folder / "suites" / "leaderboard.json").read_text(encoding="utf-8"))
    assert only["suites"] == ["inner", "outer"]
    page = (folder / "suites" / "leaderboard.html").read_text(encoding="utf-8")
    assert '<select id="suite"><option value="">all</option><option value="inner">inner</option>' in page
    assert page.count('data-suite="inner\nouter"') == 2


def test_a_folder_without_scores_is_named(tmp_path: Path, capsys: Any) -> None:
    assert main(["leaderboard", str(tmp_path)]) == 2
    assert "no scores below this folder" in capsys.readouterr().err

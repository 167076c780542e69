"""Killed before any change: training, scoring, the report and a publication are finished by the same command."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from killing import Worker, kill_everywhere, worker
from toy_corpus import toy_corpus

pytestmark = pytest.mark.slow
MODULES = (
    *("affectllm.cli", "affectllm.pipeline", "affectllm.train.sft", "affectllm.evaluate.lm", "affectllm.evaluate.run"),
    *("affectllm.report.html", "affectllm.report.publish", "lm_eval.__main__", "lm_eval.evaluator", "datasets"),
    *("affectllm.model.tiny", "matplotlib.pyplot", "jinja2"),
)
PAGE = """
description: killed
data:
  mixture:
    - {{corpus: toy, template: emotion_choice, space: toy_3, rater: reader, modalities: [text]}}
model: {{path: tiny:qwen2, backbone: qwen2, dtype: float32}}
trainer: {{max_steps: 2, save_strategy: steps, save_steps: 1, logging_steps: 1, learning_rate: {rate}, bf16: false}}
eval: {{tasks: [toy_emotion], references: [], ablations: [], limit: {limit}}}
"""
TASK = """
task: toy_emotion
class: !function affectllm.evaluate.task.AffectTask
corpus: toy
split: test
template: emotion_choice
gold: {space: toy_3, rater: reader}
modalities: [text]
metrics: [accuracy]
metadata: {version: 1}
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with worker(tmp_path_factory.mktemp("worker"), MODULES) as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    root = toy_corpus(tmp_path, monkeypatch, classes=("joy", "anger", "fear"))
    (tmp_path / "eval_tasks").mkdir()
    (tmp_path / "eval_tasks" / "toy_emotion.yaml").write_text(TASK)
    (tmp_path / "place").mkdir()
    return tmp_path / "place" / "run", f"toy={root}"


def recipe(folder: Path, rate: float = 0.001, limit: int = 3) -> str:
    path = folder.parent.parent / "small.yaml"
    path.write_text(PAGE.format(rate=rate, limit=limit))
    return str(path)


def kept(folder: Path) -> Path:
    """A copy of what lies in ``folder`` before the command that is killed."""
    before = folder.parent.parent / "before"
    shutil.copytree(folder, before)
    return before


def test_training_over_another(models: Worker, place: tuple[Path, str]) -> None:
    folder, root = place
    words = [recipe(folder, rate=0.002), "--root", root, "--out", str(folder)]
    assert models.run("affectllm.train.__main__", words, folder.parent) == 0, models.said[-2000:]
    before = kept(folder)
    recipe(folder)
    kills, wrong = kill_everywhere(models, "affectllm.train.__main__", words, folder, before)
    assert not wrong
    assert kills > 20


def test_scoring_over_another_and_the_report(models: Worker, place: tuple[Path, str]) -> None:
    folder, root = place
    words = ["run", recipe(folder, limit=2), "--root", root, "--out", str(folder)]
    assert models.run("affectllm.cli", words, folder.parent) == 0, models.said[-2000:]
    before = kept(folder)
    recipe(folder, limit=3)
    kills, wrong = kill_everywhere(models, "affectllm.cli", words, folder, before)
    assert not wrong
    assert kills > 20


def test_a_publication_over_another(models: Worker, place: tuple[Path, str]) -> None:
    folder, root = place
    words = ["run", recipe(folder), "--root", root, "--out", str(folder)]
    assert models.run("affectllm.cli", words, folder.parent) == 0, models.said[-2000:]
    publish = ["publish", str(folder), "--dry-run", "--root", root, "--repo-id"]
    assert models.run("affectllm.cli", [*publish, "me/old"], folder.parent) == 0, models.said[-2000:]
    kills, wrong = kill_everywhere(models, "affectllm.cli", [*publish, "me/new"], folder, kept(folder))
    assert not wrong
    assert kills > 10

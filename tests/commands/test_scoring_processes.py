"""The scoring of a run in several processes: the scores of one, a run that is killed, a recipe's keys."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from parting import Parting
from tuning import affectllm, command, succeed, write_page

from affectllm.errors import BadRecipe
from affectllm.train.launch import processes_of
from affectllm.train.recipe import load_recipe

PATIENCE = 600.0  # seconds
EVAL = {
    "tasks": ["demo_affect_emotion", "demo_affect_emotion_choice"],
    "ablations": [["audio"]],
    "references": ["majority"],
    "batch_size": "auto",
}


def _rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in out.glob("answers/*.jsonl") for line in path.read_text().splitlines()]


def _scores(out: Path) -> dict[str, Any]:
    places = ("eval", "eval/modalities/audio", "eval/reference/majority")
    return {place: json.loads((out / place / "scores.json").read_text()) for place in places}


@pytest.mark.thorough  # several processes that score are always tried in test_lm
@pytest.mark.slow(minutes=2)
def test_two_processes_that_are_killed_and_started_again_give_the_scores_of_one(
    small_demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = write_page(tmp_path, eval=EVAL, trainer={"max_steps": 1, "save_strategy": "no"})
    words = ["run", str(page), "--root", f"demo_affect={small_demo}"]
    one, two = tmp_path / "one", tmp_path / "two"
    succeed(*words, "--out", str(one))
    shutil.copytree(one, two)
    shutil.rmtree(two / "eval")
    words += ["--out", str(two), "--set", "eval.num_processes=2"]
    _killed(command(*words), two / "eval")
    assert not (two / "eval" / "scores.json").exists()
    kept = {row["key"] for row in _rows(two / "eval")}
    assert kept

    parting = Parting(tmp_path, monkeypatch)
    done = affectllm(*words)
    assert done.returncode == 0, done.stderr[-5000:]
    assert _scores(two) == _scores(one) and parting.ranks() == ["0", "1"]
    for place in ("eval", "eval/modalities/audio"):
        keys = sorted(row["key"] for row in _rows(two / place))
        assert keys == sorted(row["key"] for row in _rows(one / place))  # nothing was asked twice
    assert kept <= {row["key"] for row in _rows(two / "eval")}
    assert len(list(two.glob("eval/modalities/audio/answers/*.jsonl"))) == 2

    _, _, audio = done.stderr.replace("\r", "\n").partition("── eval, audio only\n")
    (bar,) = [text for text in audio.split("\n") if text.startswith("generate: 100%")]
    assert "4/4" in bar  # of the first process alone
    (results,) = two.glob("eval/modalities/audio/results_*.json")
    used = json.loads(results.read_text())["config"]["batches"]
    assert used["asked"] == "auto" and used["largest"] == 4 and 0 <= used["waited"] < 1
    # After the replies and again after the choices, by the first process alone.
    assert audio.count("answered in batches of 4 (asked for: auto)") == 2


def _killed(start: list[str], out: Path) -> None:
    """Start a command, and kill it when an answer is kept, before it can end its processes; wait until these have."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(start, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.time() + PATIENCE
        while not _rows(out) and process.poll() is None and time.time() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.time() + PATIENCE
    while (out / ".lock").exists() and time.time() < deadline:
        time.sleep(0.1)


def test_a_launch_page_says_how_many_processes_score() -> None:
    assert [processes_of(name) for name in ("cpu", "ddp", "zero2")] == [1, 2, 2]


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("batch_size", "lots", "eval.batch_size must be a whole number or auto, not 'lots'"),
        ("batch_size", 0, "eval.batch_size must be 1 or more"),
        ("num_processes", 0, "eval.num_processes must be 1 or more"),
    ],
)
def test_a_wrong_key_is_refused_before_anything_is_built(tmp_path: Path, key: str, value: Any, problem: str) -> None:
    page = write_page(tmp_path, eval={**EVAL, key: value})
    with pytest.raises(BadRecipe, match=problem) as error:
        load_recipe(str(page))
    assert str(error.value).startswith(f"{page}:")

"""Two processes on the CPU: data parallel, ZeRO-2 and ZeRO-3, each against one process with twice the batch."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from parting import Parting
from safetensors import safe_open
from tuning import affectllm, command, losses, succeed, write_page

from affectllm.model.load import load_model
from affectllm.model.tiny import tiny_folder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def alone(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """Losses of one process that takes four rows a step."""
    folder = tmp_path_factory.mktemp("alone")
    page = write_page(folder, trainer={"per_device_train_batch_size": 4, "save_strategy": "no"})
    succeed("train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(folder / "run"))
    return losses(folder / "run")


@pytest.mark.parametrize(
    "launch", ["ddp", *(pytest.param(name, marks=pytest.mark.thorough) for name in ("zero2", "zero3_offload", "fsdp2"))]
)
def test_two_processes_train_as_one_does(
    launch: str, alone: list[float], small_demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parting = Parting(tmp_path, monkeypatch)
    page = write_page(tmp_path, launch=launch, trainer={"save_strategy": "no"})
    out = tmp_path / "run"
    succeed("train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(out), "--num-processes", "2")
    # The same rows in the same order with the same weights, but for rounding of the sums.
    assert losses(out) == pytest.approx(alone, rel=2e-3)
    assert json.loads((out / "train" / "manifest.json").read_text())["outputs"]["steps"] == 4
    assert load_model(str(out / "train" / "final")).family.name == "qwen2_5_omni"  # raises where a weight is missing
    assert _weight_names(out / "train" / "final") == _weight_names(tiny_folder("qwen2_5_omni"))
    assert parting.ranks() == ["0", "1"]  # and neither was aborted at its end


def kill_when_there(words: list[str], file: Path) -> None:
    """Start a command in a group of its own and kill all of it once a file is there."""
    process = subprocess.Popen(words, env={**os.environ, "OMP_NUM_THREADS": "1"}, start_new_session=True)
    deadline = time.monotonic() + 300
    while not file.is_file():
        assert process.poll() is None and time.monotonic() < deadline, "ended before it could be killed"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _weight_names(folder: Path) -> set[str]:
    with safe_open(folder / "model.safetensors", "pt") as weights:
        return set(weights.keys())


@pytest.mark.thorough
@pytest.mark.parametrize("adapted", [False, True])
@pytest.mark.parametrize("launch", ["ddp", "zero2", "zero3_offload", "fsdp2"])
def test_two_processes_that_are_killed_go_on(launch: str, adapted: bool, small_demo: Path, tmp_path: Path) -> None:
    trainer = {"max_steps": 8, "save_steps": 2, "save_total_limit": 4}
    page = write_page(tmp_path, launch=launch, trainer=trainer, **({"peft": {"r": 4}} if adapted else {}))
    words = ("train", str(page), "--root", f"demo_affect={small_demo}", "--num-processes", "2", "--out")
    succeed(*words, str(tmp_path / "whole"))
    out = tmp_path / "killed"
    kill_when_there(command(*words, str(out)), out / "train" / "checkpoint-4" / "trainer_state.json")
    succeed(*words, str(out))
    assert losses(out) == pytest.approx(losses(tmp_path / "whole"), rel=1e-5)
    assert len(losses(out)) == 8


@pytest.mark.thorough
@pytest.mark.parametrize("launch", ["zero3_offload", "fsdp2"])
def test_a_frozen_backbone_is_not_sharded(launch: str, tmp_path: Path) -> None:
    words = ("train", "head_tiny", "--set", f"launch={launch}", "--out", str(tmp_path), "--num-processes", "2")
    refused = affectllm(*words)
    assert refused.returncode == 2 and "choose launch: cpu, single_gpu or ddp" in refused.stderr
    assert "Traceback" not in refused.stderr

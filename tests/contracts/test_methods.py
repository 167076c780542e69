"""Every training method, whatever lies in ``methods/``: its page, one step on clips, a kill, two processes."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tuning import PAGE, SAYS, command, logged, losses, page_of, succeed

from affectllm.errors import BadRecipe, NotFinite, NotFound
from affectllm.report.html import render_report
from affectllm.train.method import LOSS, OURS, find_method, method_names
from affectllm.train.recipe import load_recipe
from affectllm.train.stage import train

METHODS = method_names()
SUPERVISED = [name for name in METHODS if not find_method(name).rewarded]  # the others sample: tests/train/test_sampled
GIVEN = {"lmbda": 0.0}  # a student that is taught by the given answers; that it answers itself: tests/train/test_distil


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return {name: one for file in sorted(folder.glob("*.safetensors")) for name, one in load_file(file).items()}


@pytest.mark.parametrize("name", METHODS)
def test_it_says_what_its_library_knows(name: str) -> None:
    method = find_method(name)
    fields = {field.name for field in dataclasses.fields(method.config_class())}
    assert {*OURS, *method.ours, *method.fixed} - fields <= {"max_length"}  # of methods that sample replies
    assert method.title and (method.rewarded or method.best == LOSS) and method.needs in SAYS
    assert all(curve.title and curve.noun and curve.range[0] < curve.range[1] for curve in method.curves)
    assert hasattr(method.trainer_class(), "train")


def test_finding_methods_loads_no_framework() -> None:
    code = "from affectllm.train.method import *\nimport sys\nfor name in method_names(): find_method(name)\n"
    code += "print({'torch', 'trl', 'transformers', 'datasets'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def test_an_unknown_method_names_the_nearest() -> None:
    with pytest.raises(NotFound, match="did you mean dpo"):
        find_method("dop")


@pytest.mark.parametrize("name", METHODS)
def test_a_field_that_is_ours_is_refused_with_its_line(name: str, tmp_path: Path) -> None:
    for key, reason in {**OURS, **find_method(name).ours}.items():
        page = page_of(name, tmp_path, trainer={key: 1})
        with pytest.raises(BadRecipe) as caught:
            load_recipe(str(page))
        line = next(n for n, text in enumerate(page.read_text().splitlines(), 1) if text.startswith(f"  {key}:"))
        assert reason in str(caught.value) and f":{line}" in caught.value.where


@pytest.mark.parametrize("name", [name for name in METHODS if find_method(name).needs])
def test_a_part_without_what_the_method_needs_is_refused(name: str, tmp_path: Path) -> None:
    page = page_of(name, tmp_path, data=PAGE["data"])
    with pytest.raises(BadRecipe, match=find_method(name).needs) as caught:
        load_recipe(str(page))
    assert page.read_text().splitlines()[int(caught.value.where.rpartition(":")[2]) - 1].startswith("  - ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",  # a reward is always tried, on words, in test_head_training
    [pytest.param(name, marks=[pytest.mark.thorough] if name == "reward" else []) for name in SUPERVISED],
)
def test_steps_on_the_same_rows_move_every_curve_the_right_way(name: str, small_demo: Path, tmp_path: Path) -> None:
    """All rows in every batch, so that the losses are those of the same rows with better weights."""
    steps = {"max_steps": 4, "per_device_train_batch_size": 64, "save_strategy": "no", "lr_scheduler_type": "constant"}
    if find_method(name).taught:
        steps |= {**GIVEN, "per_device_train_batch_size": 16}  # the library takes whole batches only
    page = page_of(name, tmp_path, trainer={**steps, "learning_rate": 3.0e-4})
    train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")
    assert all(after < before for before, after in pairwise(losses(tmp_path / "run")))
    outputs = json.loads((tmp_path / "run" / "train" / "manifest.json").read_text())["outputs"]
    assert outputs["steps"] == 4 and set(outputs["modalities_heard"]) == {"video", "audio"}
    for curve in find_method(name).curves:
        drawn = logged(tmp_path / "run", curve.key)
        assert len(drawn) == 4 and all(curve.range[0] <= value <= curve.range[1] for value in drawn)
        assert drawn[-1] < drawn[0] if curve.better == "lower" else drawn[-1] > drawn[0], curve.key
    written = render_report([tmp_path / "run"]).read_text(encoding="utf-8")
    assert all(f"{curve.title} by optimisation step" in written for curve in find_method(name).curves)


@pytest.mark.slow
@pytest.mark.thorough  # test_token_batches and test_ended go on with runs that were cut off
@pytest.mark.parametrize("name", METHODS)
def test_a_killed_run_resumes_to_the_same_losses_and_weights(name: str, small_demo: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle of the second epoch; what follows is what an uninterrupted run does."""
    page = page_of(name, tmp_path, trainer={"max_steps": 14, "save_steps": 2, "save_total_limit": 3})
    root = f"demo_affect={small_demo}"
    succeed("train", str(page), "--root", root, "--out", str(tmp_path / "whole"))
    out = tmp_path / "killed"
    words = command("train", str(page), "--root", root, "--out", str(out))
    process = subprocess.Popen(words, env={**os.environ, "OMP_NUM_THREADS": "1"}, start_new_session=True)
    deadline = time.monotonic() + 300
    while not (out / "train" / "checkpoint-10" / "trainer_state.json").is_file():
        assert process.poll() is None and time.monotonic() < deadline, "ended before it could be killed"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not json.loads((out / "train" / "manifest.json").read_text())["finished"]
    succeed("train", str(page), "--root", root, "--out", str(out))
    for curve in find_method(name).curves:
        assert logged(out, curve.key) == logged(tmp_path / "whole", curve.key)
    assert len(losses(out)) == 14
    final, whole = weights(out / "train" / "final"), weights(tmp_path / "whole" / "train" / "final")
    assert whole and all(torch.equal(final[key], whole[key]) for key in whole)


@pytest.mark.slow
@pytest.mark.thorough  # sft is always tried, in test_train_processes
@pytest.mark.parametrize("name", [name for name in SUPERVISED if name != "sft"])
def test_two_processes_train_as_one_does(name: str, small_demo: Path, tmp_path: Path) -> None:
    root, trainer = f"demo_affect={small_demo}", {"max_steps": 3, "save_strategy": "no"}
    trainer |= GIVEN if find_method(name).taught else {}
    page = page_of(name, tmp_path, trainer={**trainer, "per_device_train_batch_size": 4})
    train(str(page), [], [root], tmp_path / "alone")
    for launch in ("ddp", "zero3_offload", "fsdp2"):
        page, out = page_of(name, tmp_path, launch=launch, trainer=trainer), tmp_path / launch
        succeed("train", str(page), "--root", root, "--out", str(out), "--num-processes", "2")
        assert losses(out) == pytest.approx(losses(tmp_path / "alone"), rel=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in METHODS if name != "sft"])  # sft: test_finite
def test_it_stops_at_weights_that_are_not_finite(name: str, small_demo: Path, tmp_path: Path) -> None:
    model = {"path": "tiny:qwen2", "backbone": "qwen2"}
    part = {**PAGE["data"]["mixture"][0], **SAYS[find_method(name).needs], "modalities": ["text"], "rater": "words"}
    trainer = {"learning_rate": 1.0e39, "max_steps": 1, "save_strategy": "no", "lr_scheduler_type": "constant"}
    page = page_of(name, tmp_path, model=model, data={"mixture": [part]}, trainer=trainer)
    with pytest.raises(NotFinite, match="a weight is not finite"):
        train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")
    assert not (tmp_path / "run" / "train" / "final").exists()

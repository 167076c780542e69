"""Checkpoints that somebody has damaged, or made to do harm: refused with a reason, or they answer as before."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from torturing.harming import PAYLOAD, harm
from torturing.scene import Scene, unexplained

MODULES = (
    *("affectllm.cli", "affectllm.predict.command", "affectllm.predict.predicting", "affectllm.predict.models"),
    *(
        "affectllm.model.tiny",
        "affectllm.model.load",
        "affectllm.model.generate",
        "affectllm.respond.in_process",
        "peft",
    ),
    *("transformers.models.qwen2.modeling_qwen2", "transformers.models.qwen2_audio.modeling_qwen2_audio"),
)
KINDS = ("text", "sound", "adapter")
_SUPPORT = Path(__file__).resolve().parents[2] / "tests" / "support" / "training"
_MAKE = """
import shutil, sys
from pathlib import Path
from adapting import make_adapter
from affectllm.model.tiny import tiny_folder
kind, tiny, place = sys.argv[1:]
if kind == "adapter":
    make_adapter(Path(place), tiny)
else:
    shutil.copytree(tiny_folder(tiny.partition(":")[2]), place)
"""
_TINY = {"text": "tiny:qwen2", "sound": "tiny:qwen2_audio", "adapter": "tiny:qwen2"}


def checkpoints(scene: Scene) -> str:
    """One file of a checkpoint is damaged or harmful; the model is refused, or answers as it did before."""
    kind = scene.pick(KINDS)
    whole = scene.scratch / "whole" / kind
    if kind not in scene.expected:
        _make(scene, kind, whole)
        status, output = _asked(scene, whole)
        if status:
            raise AssertionError(f"the command itself does not work: {output[-1000:]}")
        scene.expected[kind] = _answers(output)
    folder = scene.scratch / "harmed" / kind
    shutil.rmtree(folder.parent, ignore_errors=True)
    shutil.copytree(whole, folder)
    name, how, may_differ = harm(scene, folder, kind)
    status, output = _asked(scene, folder)
    told = f"{kind}: {name} {how}"
    if any(path.name.startswith(PAYLOAD) for path in scene.scratch.rglob(f"{PAYLOAD}*")):
        for path in scene.scratch.rglob(f"{PAYLOAD}*"):
            path.unlink()
        return f"{told}: what it holds was run; {output[-300:]}"
    if fault := unexplained(status, output.replace("without an answer: ", "error: ")):  # of each the reason is told
        return f"{told}: {fault}"
    if status:
        return ""
    answers = _answers(output)
    if fault := _strange(answers):
        return f"{told}: {fault}"
    return "" if may_differ or _alike(answers, scene.expected[kind]) else f"{told}: other answers, {answers}"


def _make(scene: Scene, kind: str, folder: Path) -> None:
    """A copy of a tiny model, or an adapter of one, made in a process of its own: one with torch cannot be forked."""
    place = scene.scratch / "made" / kind
    place.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-c", _MAKE, kind, _TINY[kind], str(place)]
    path = [str(_SUPPORT), *sys.path]
    environment = {
        **scene.environment,
        "PYTHONPATH": os.pathsep.join(path),
        "AFFECTLLM_CACHE": str(scene.scratch / "cache"),
    }
    subprocess.run(command, env=environment, check=True, capture_output=True)
    folder.parent.mkdir(exist_ok=True)
    shutil.copytree(place, folder)


def _asked(scene: Scene, folder: Path) -> tuple[int, str]:
    scene.patch.chdir(scene.scratch)
    answers = scene.scratch / "answers"
    shutil.rmtree(answers, ignore_errors=True)
    words = ["predict", "--text", "What a day!", "--text", "Oh no.", "--model", str(folder), "--json"]
    return scene.forked([*words, "--answers", str(answers)], MODULES)


def _answers(output: str) -> list[dict[str, Any]]:
    return [json.loads(found) for found in re.findall(r'\{"item": .*\}', output)]


def _strange(answers: list[dict[str, Any]]) -> str:
    """What no answer may be: none at all, or a share that is no number between 0 and 1."""
    if len(answers) != 2:
        return f"{len(answers)} answers to two questions"
    shares = [share for answer in answers for share in (answer.get("likelihoods") or {}).values()]
    if any(not isinstance(share, float | int) or not 0 <= share <= 1 for share in shares):
        return f"shares that are none: {shares}"
    return ""


def _alike(one: Any, other: Any) -> bool:
    """Equal, but for the last digits of numbers and for paths."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-4)
    return bool(one == other)

"""What the training tests share: a small recipe on a few synthetic clips, and starting it as a user does."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from adapting import make_adapter

from affectllm.train.method import find_method

PAGE: dict[str, Any] = {
    "description": "a few steps on a few synthetic clips",
    "seed": 5,
    "data": {
        "mixture": [
            {
                "corpus": "demo_affect",
                "template": "emotion_choice",
                "space": "demo_affect_5",
                "rater": "intended",
                "modalities": ["video", "audio", "text"],
            }
        ]
    },
    "model": {
        "path": "tiny:qwen2_5_omni",
        "backbone": "qwen2_5_omni",
        "dtype": "float32",
        "budget": {"fps": 1.0, "max_frames": 2, "max_pixels": 3136, "min_pixels": 3136, "max_seconds": 4.0},
    },
    "trainer": {
        "max_steps": 4,
        "per_device_train_batch_size": 2,
        "learning_rate": 1.0e-3,
        "logging_steps": 1,
        "save_steps": 2,
        "gradient_checkpointing": False,
        "bf16": False,
        "disable_tqdm": True,
    },
    "launch": "cpu",
}

SAYS: dict[str, dict[str, Any]] = {"": {}, "rejected": {"rejected": "other_label"}}
"""What a part of a mixture says for methods that need more than a conversation."""

GRADED = {"reward": f"{Path(__file__).parent / 'toy_rewards.py'}:thirds"}
"""A reward that even random weights can be trained to."""
_SAMPLED = {"num_generations": 2, "max_completion_length": 4}
_TAUGHT = {"lmbda": 0.5, "max_completion_length": 4}

ENDLESS = """
description: Trains until it is ended.
data:
  mixture:
    - {corpus: toy, template: emotion_choice, space: toy_3, rater: reader, modalities: [text]}
model: {path: tiny:qwen2, backbone: qwen2, dtype: float32}
trainer: {max_steps: 100000, save_strategy: steps, save_steps: 5, per_device_train_batch_size: 2}
"""
"""The page of a training that somebody else has to end, on the toy corpus of the tests."""


def write_page(folder: Path, **changes: Any) -> Path:
    """A recipe file with some of the page's keys changed; a dict is merged into the page's own, without its None."""
    page = {**PAGE}
    for key, value in changes.items():
        merged = {**page.get(key, {}), **value} if isinstance(value, dict) and key in page else value
        page[key] = {k: v for k, v in merged.items() if v is not None} if isinstance(value, dict) else merged
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(page), encoding="utf-8")
    return path


@functools.cache
def teacher_of(base: str) -> str:
    """The folder of an adapter with which a tiny model answers otherwise than without."""
    place = Path(os.environ["AFFECTLLM_CACHE"]) / "teachers" / f"{base.replace(':', '_')}-{os.getpid()}"
    place.parent.mkdir(parents=True, exist_ok=True)
    return str(make_adapter(place, base))


def page_of(method: str, folder: Path, **changes: Any) -> Path:
    """A small recipe of the method on clips with sound and words."""
    part = {**PAGE["data"]["mixture"][0], **SAYS[find_method(method).needs]}
    page = {"method": method, "data": {"mixture": [part]}, **changes}
    if find_method(method).rewarded:
        page = {"rewards": [GRADED], **page, "trainer": {**_SAMPLED, **changes.get("trainer", {})}}
    if find_method(method).taught:
        base = {**PAGE["model"], **changes.get("model", {})}["path"]
        own = {"teacher": {"path": base, "adapter": teacher_of(base)}}
        page = {**own, **page, "trainer": {**_TAUGHT, **changes.get("trainer", {})}}
    return write_page(folder, **page)


def command(*words: str) -> list[str]:
    """``affectllm …`` in this interpreter."""
    return [sys.executable, "-m", "affectllm.cli", *words]


def affectllm(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line; the assertion shows what it said."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **environment}
    return subprocess.run(command(*words), capture_output=True, text=True, env=env, check=False, timeout=900)


def succeed(*words: str, **environment: str) -> str:
    """Run the command line, require success, and return what it printed."""
    done = affectllm(*words, **environment)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    return done.stdout


def logged(out: Path, key: str) -> list[float]:
    """What the trainer logged under a key, step by step."""
    history = json.loads((out / "train" / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    return [entry[key] for entry in history if key in entry]


def losses(out: Path) -> list[float]:
    """Training loss of every step."""
    return logged(out, "loss")

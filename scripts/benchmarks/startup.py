"""Benchmark the seconds until the command line answers, in fresh interpreters."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.row import Row, duration, seconds

GOAL = 0.3
ROUNDS = {"full": 7, "quick": 5, "tiny": 1}
OTHERS = ("lm-eval", "trl")


def measure(size: str) -> list[Row]:
    """Measure ``import affectllm`` and ``affectllm --help``, beside the help of other tools."""
    rounds = ROUNDS[size]
    bare = best([sys.executable, "-c", "pass"], rounds)
    rows = []
    for what, words in (
        ("import affectllm", [sys.executable, "-c", "import affectllm"]),
        ("affectllm --help", [script("affectllm"), "--help"]),
    ):
        ours = best(words, rounds)
        rows.append(
            Row(what, f"{GOAL} s (python alone: {duration(bare)})", duration(ours), f"{GOAL} s", GOAL / ours, 1.0)
        )
    for name in OTHERS if size != "tiny" else ():
        other = best([script(name), "--help"], min(2, rounds))
        rows.append(Row("affectllm --help", f"{name} --help", duration(ours), duration(other), other / ours, None))
    return rows


def script(name: str) -> str:
    """Return the path of a command of this environment."""
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"{name} is not installed beside {sys.executable}")
    return path


def best(words: list[str], rounds: int) -> float:
    """Return the best seconds of running a command."""

    def run() -> None:
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return min(seconds(run) for _ in range(rounds + 1))

"""Each torment as often as its time allows, and the table of what came of them."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from torturing import checkpoints, disks, hosts, misspelt, names, others, points, processes, tables, written
from torturing.scene import Scene

_TORMENTS: dict[str, Callable[[Scene], str]] = {
    "kills": processes.kills,
    "signals": processes.signals,
    "two": processes.two,
    "full_disk": disks.full_disk,
    "damage": disks.damage,
    "clock": disks.clock,
    "media": others.media,
    "words": written.words,
    "endpoint": others.endpoint,
    "hosts": hosts.hosts,
    "names": names.names,
    "pages": misspelt.pages,
    "tables": tables.tables,
    "checkpoints": checkpoints.checkpoints,
    "points": points.points,
}
NAMES = tuple(_TORMENTS)


@dataclass(frozen=True)
class Outcome:
    """How often something was tried, and each fault with the number of its trial."""

    name: str
    trials: int
    faults: tuple[str, ...]
    seconds: float


def torment(name: str, seed: int, seconds: float) -> Outcome:
    """Repeat a torment for so many seconds, at least once; trial N of a seed is always the same."""
    started, trials, faults = time.monotonic(), 0, []
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFFECTLLM_CACHE", str(Path(folder) / "cache"))
        scene = Scene.make(Path(folder), np.random.default_rng(0), patch)
        with scene.closing:
            while not trials or time.monotonic() - started < seconds:
                scene.dice = np.random.default_rng((seed, NAMES.index(name), trials))
                trials += 1
                if fault := _TORMENTS[name](scene):
                    faults.append(f"{name} {trials}: {fault}")
                    print(f"fault in {faults[-1]}", file=sys.stderr, flush=True)
    outcome = Outcome(name, trials, tuple(faults), time.monotonic() - started)
    print(f"{name}: {trials} trials, {len(faults)} faults, {outcome.seconds:.0f} s", file=sys.stderr, flush=True)
    return outcome


def table(outcomes: Sequence[Outcome], seed: int) -> str:
    """Return a Markdown table."""
    rows = [f"| {one.name} | {one.trials} | {len(one.faults)} | {one.seconds:.0f} |" for one in outcomes]
    return "\n".join([f"seed {seed}\n", "| torment | trials | faults | seconds |", "|---|---:|---:|---:|", *rows])

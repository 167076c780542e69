"""Two commands that do the same work, in turns: ratios with their spread."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from metering import Command


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Args:
        name: and version, as printed.
        command: what is run; ``{out}`` in its words is an empty folder of each run.
        environment: variables beside those of this process; ``{out}`` in their values as well.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """One run of a side: seconds of the part that is compared, of the whole command, and MiB at the peak."""

    seconds: float
    whole: float
    memory: float
    output: str


@dataclass(frozen=True)
class Outcome:
    """Several runs of both sides.

    Args:
        what: is done.
        ours, theirs: one entry a run, paired.
        count: units of work of a run, and ``unit`` its name.
        goal: least ratio, or None.
    """

    what: str
    names: tuple[str, str]
    ours: Sequence[Measured]
    theirs: Sequence[Measured]
    count: float
    unit: str
    goal: float | None = None

    def ratios(self, of: Callable[[Measured], float]) -> list[float]:
        """Return theirs by ours of each pair: above 1 is better for us."""
        return [of(theirs) / of(ours) for ours, theirs in zip(self.ours, self.theirs, strict=True)]


_RUNTIME = re.compile(r"train_runtime['\"]?\s*[:=]\s*['\"]?([\d.]+)(?![\d.]*:)")  # not 0:00:05.35, which some print too


def trained_seconds(output: str) -> float:
    """Return the seconds that transformers' Trainer, below each of these trainers, gives for its loop."""
    times = _RUNTIME.findall(output)
    if not times:
        raise RuntimeError(f"no train_runtime in the output:\n{output[-3000:]}")
    return float(times[-1])


def alternate(
    what: str,
    ours: Side,
    theirs: Side,
    read: Callable[[str], float] | None,
    scratch: Path,
    repeats: int,
    count: float,
    unit: str,
    goal: float | None = None,
) -> Outcome:
    """Run both sides in turns, the order changing with every pair.

    Args:
        read: takes the seconds of the compared part from the output; None: the whole command counts.
    """
    runs: dict[str, list[Measured]] = {"ours": [], "theirs": []}
    for number in range(repeats):
        sides = [("ours", ours), ("theirs", theirs)]
        for key, side in sides if number % 2 else sides[::-1]:
            out = scratch / f"{key}-{number}"
            runs[key].append(_measured(side, out, read))
    return Outcome(what, (ours.name, theirs.name), runs["ours"], runs["theirs"], count, unit, goal)


def _measured(side: Side, out: Path, read: Callable[[str], float] | None) -> Measured:
    out.mkdir(parents=True)
    log = out / "log"
    words = [word.replace("{out}", str(out / "out")) for word in side.command]
    own = {name: value.replace("{out}", str(out / "out")) for name, value in side.environment.items()}
    with log.open("w") as stream:
        took = Command(words, env={**os.environ, **own}, cwd=out, stdout=stream, stderr=subprocess.STDOUT).wait()
    text = log.read_text(encoding="utf-8", errors="replace")
    if took.status:
        raise RuntimeError(f"{' '.join(words)} ended with {took.status}:\n{text[-3000:]}")
    return Measured(read(text) if read else took.seconds, took.seconds, took.memory, text)


def spread(values: Sequence[float]) -> str:
    """Format a median with the range around it."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"

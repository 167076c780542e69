"""One command, its seconds and its peak memory; and two of them as a row of a table."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metering import Command


@dataclass(frozen=True)
class Use:
    """What a command took.

    Args:
        items: how many it worked on.
        seconds: from start to end.
        memory: peak of its resident memory in MiB, of the largest of its processes.
    """

    items: int
    seconds: float
    memory: float


@dataclass(frozen=True)
class Growth:
    """The same command on few items and on many."""

    what: str
    few: Use
    many: Use
    start: float

    @property
    def factor(self) -> float:
        """Seconds an item of the many over seconds an item of the few, without the start of the program."""
        one, other = (max(use.seconds - self.start, 1e-3) / use.items for use in (self.few, self.many))
        return other / one


def use(items: int, words: Sequence[str], environment: Mapping[str, str] | None = None) -> Use:
    """Run ``affectllm`` with ``words``, and say what it took.

    Raises:
        RuntimeError: when the command does not work.
    """
    command = [sys.executable, "-m", "affectllm.cli", "--quiet", *words]
    settings = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", **(environment or {})}
    running = Command(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert running.process.stderr is not None
    said, took = running.process.stderr.read(), running.wait()
    if took.status:
        raise RuntimeError(f"{' '.join(words)[:200]} ended with {took.status}: {said[-500:]!r}")
    return Use(items, took.seconds, took.memory)


def starting(environment: Mapping[str, str] | None = None) -> float:
    """Return the seconds that a command takes which does nothing."""
    return min(use(1, ["ls", "exports"], environment).seconds for _ in range(2))


def head() -> str:
    """Return the head of the table."""
    names = ("what", "few", "seconds", "MiB", "many", "seconds", "MiB", "growth")
    return f"| {' | '.join(names)} |\n|---|{'---:|' * (len(names) - 1)}"


def line(growth: Growth) -> str:
    """Return one row of the table."""
    cells = [growth.what]
    for one in (growth.few, growth.many):
        cells += [f"{one.items:,}", f"{one.seconds:.1f}", f"{one.memory:,.0f}"]
    return f"| {' | '.join(cells)} | {growth.factor:.2f} |"

"""Run the fuzzing: break files by a seed, open them in a process, and start a new one when that dies or hangs."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.damage import DAMAGE
from fuzzing.originals import originals
from fuzzing.trial import ASKS, Outcome, serve

_STARTING = 120.0  # seconds that a new process may take before its first answer
_PICTURE = len(ASKS) - 1


def broken(folder: Path, count: int, seed: int) -> Iterator[tuple[Path, int, bool]]:
    """Yield whole files first, then ``count`` broken ones: path, what to ask of it, and whether the budget trims."""
    whole = originals(folder / "whole")
    yield from ((path, _PICTURE if path.name.startswith("picture") else _kind(path), False) for path in whole)
    contents = [path.read_bytes() for path in whole]
    suffixes = [path.suffix for path in whole]
    for number in range(count):
        dice = np.random.default_rng((seed, number))
        chosen = number % len(whole)
        data = contents[chosen]
        for _ in range(int(dice.integers(1, 3))):
            data = DAMAGE[int(dice.integers(0, len(DAMAGE)))](data, dice, contents) or b"\0"
        named = suffixes[int(dice.integers(0, len(suffixes)))] if dice.random() < 0.1 else whole[chosen].suffix
        path = folder / f"{number:06d}.{whole[chosen].stem}{named}"
        path.write_bytes(data)
        picture = whole[chosen].name.startswith("picture") and dice.random() < 0.9
        yield path, _PICTURE if picture else int(dice.integers(0, _PICTURE)), bool(dice.integers(0, 2))


def _kind(path: Path) -> int:
    return 0 if path.name.startswith("film") else 1


def fuzz(folder: Path, count: int, seed: int, seconds: float, keep: Path | None = None) -> list[Outcome]:
    """Open all files; those with a fault are copied to ``keep``."""
    outcomes, opener = [], _Opener(seconds)
    for path, ask, trims in broken(folder, count, seed):
        outcome = opener.open(path, ask, trims)
        if path.parent.name == "whole" and outcome.reason not in ("opened", "not_8_bit"):
            outcome = outcome._replace(fault=f"a whole file is {outcome.reason}: {outcome.detail}")
        if outcome.fault and keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, keep / path.name)
        outcomes.append(outcome)
        if path.parent.name != "whole":
            path.unlink()
    opener.end()
    return outcomes


class _Opener:
    """Opens files in a child process, which is replaced when it dies or hangs."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._process = seconds, None
        self._pipe: Any = None

    def open(self, path: Path, ask: int, trims: bool) -> Outcome:
        fresh = self._process is None
        if fresh:
            self._start()
        self._pipe.send((path, ask, trims))
        lost = "hangs"
        if self._pipe.poll(self._seconds + (_STARTING if fresh else 0.0)):
            try:
                outcome: Outcome = self._pipe.recv()
                return outcome
            except EOFError:
                lost = "dies"
        self._process.kill()  # type: ignore[attr-defined]
        self._process.join()  # type: ignore[attr-defined]
        self._process = None
        return Outcome(lost, "", f"the process {lost}", path.name, ask)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()  # type: ignore[attr-defined]
        theirs.close()

    def end(self) -> None:
        if self._process is not None:
            self._pipe.send(None)
            self._process.join()
            self._process = None

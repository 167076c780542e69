"""A command in a folder of its own, what it writes when nobody disturbs it, and how one says that it went wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kill_scenes import Place
from killing import Worker, tree, worker

HANGS = 300.0  # seconds, for commands that take a minute at most on a machine with other work
SOON = 120.0  # seconds, for those in forks, which take ten
MEMORY = 2 << 30  # bytes, for commands whose input is small and whose libraries take half of it
_EXPLAINED = (0, 1, 2)


@dataclass
class Scene:
    """Where a torment happens.

    Args:
        scratch: an empty folder.
        dice: all that is drawn comes from it.
        place: corpus, page and folder of the command.
        environment: of the processes.
        patch: of the environment of this process, until the end of the torment.
        kept: what a torment makes once and looks at again in later trials.
        closing: ends what was started for all trials.
    """

    scratch: Path
    dice: np.random.Generator
    place: Place
    environment: dict[str, str]
    patch: pytest.MonkeyPatch
    expected: dict[str, Mapping[str, bytes]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    closing: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def make(cls, scratch: Path, dice: np.random.Generator, patch: pytest.MonkeyPatch) -> Scene:
        place = Place.make(scratch, patch)
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        return cls(scratch, dice, place, environment, patch)

    def words(self, heavy: bool) -> list[str]:
        """A command line: a whole run of a tiny model where ``heavy``, else a build."""
        page = self.place.recipe() if heavy else self.place.mixture()
        verb = "run" if heavy else "build"
        return [verb, page, "--root", self.place.root, "--out", str(self.place.folder)]

    def start(self, words: Sequence[str], **more: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "affectllm.cli", *words]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
        return subprocess.Popen(command, env=self.environment, start_new_session=True, **{**options, **more})

    def worker(self, modules: tuple[str, ...]) -> Worker:
        """A process that has imported ``modules`` and runs commands in forks; started once."""
        if str(modules) not in self.kept:
            self.kept[str(modules)] = self.closing.enter_context(worker(self.scratch, modules))
        return self.kept[str(modules)]

    def forked(self, words: Sequence[str], modules: tuple[str, ...]) -> tuple[int, str]:
        """Run a command in a fork, which saves the seconds of imports; its exit status and output.

        999 is the status of one that hangs, 998 of one that takes more memory than it may.
        """
        one, hung = self.worker(modules), threading.Event()

        def end() -> None:
            hung.set()
            one.kill()

        timer = threading.Timer(SOON, end)
        timer.start()
        try:
            status = one.run("affectllm.cli", words, self.scratch)
        finally:
            timer.cancel()
        if hung.is_set():
            return 999, f"hung for {SOON:.0f} s: {one.output}"
        if one.peak > MEMORY:
            return 998, f"took {one.peak / 2**30:.1f} GiB: {one.output}"
        return status, one.output

    def pick(self, several: Sequence[Any]) -> Any:
        """One of several, by the dice."""
        return several[int(self.dice.integers(0, len(several)))]

    def fresh(self) -> None:
        shutil.rmtree(self.place.folder.parent, ignore_errors=True)
        self.place.folder.parent.mkdir()

    def undisturbed(self, heavy: bool) -> Mapping[str, bytes]:
        """What the command writes when nobody disturbs it; run once."""
        if (key := str(heavy)) not in self.expected:
            self.fresh()
            status, output = ended(self.start(self.words(heavy)))
            if status:
                raise AssertionError(f"the command itself does not work: {output[-1000:]}")
            self.expected[key] = tree(self.place.folder)
        return self.expected[key]

    def again(self, heavy: bool) -> str:
        """Start the command once more; return what is wrong with what comes out, or nothing."""
        status, output = ended(self.start(self.words(heavy)))
        if status:
            return f"the same command ended with {status}: {output[-300:]}"
        return difference(tree(self.place.folder), self.undisturbed_kept(heavy))

    def undisturbed_kept(self, heavy: bool) -> Mapping[str, bytes]:
        return self.expected[str(heavy)]


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a process; its exit status, or 999 where it hangs and is killed with its children."""
    try:
        output, _ = process.communicate(timeout=HANGS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return 999, f"hung for {HANGS:.0f} s: {output or ''}"
    return process.returncode, output or ""


def unexplained(status: int, output: str) -> str:
    """Why the end of a command is a fault; nothing where it worked or explained itself."""
    if "Traceback" in output:
        return f"a traceback: {output[-400:]}"
    if status not in _EXPLAINED:
        return f"ended with {status}: {output[-300:]}"
    return "" if status == 0 or "error: " in output else f"ended with {status} and no error: {output[-300:]}"


def difference(result: Mapping[str, bytes], expected: Mapping[str, bytes]) -> str:
    """Which files differ; nothing where none does. Logs hold times, and the cache of datasets is named by them."""
    named = (name for name in result.keys() | expected.keys() if ".arrow/" not in name and name != "log.txt")
    names = sorted(name for name in named if result.get(name) != expected.get(name))
    return f"other bytes: {', '.join(names[:8])}" if names else ""

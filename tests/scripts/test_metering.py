"""scripts/metering.py: a command's memory is its own, whatever the process holds that starts it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from metering import Command, Took, own_peak
from peering.contest import Side, alternate
from scaling.measured import use

_BALLAST = 400  # MiB, of the process that starts the commands
_HOLDS = "import sys; held = b'x' * (int(sys.argv[1]) << 20)"


@pytest.fixture(autouse=True)
def heavy() -> Iterator[None]:
    """Let this process hold more than what the commands take."""
    held = b"x" * (_BALLAST << 20)
    assert own_peak() > _BALLAST
    yield
    del held


def took(code: str, *words: object) -> Took:
    return Command([sys.executable, "-c", code, *map(str, words)], stderr=subprocess.DEVNULL).wait()


def test_memory_is_that_of_the_command() -> None:
    small, large = took(_HOLDS, 1), took(_HOLDS, 151)
    assert small.memory < 100
    assert large.memory - small.memory == pytest.approx(150, abs=5)


def test_the_largest_process_of_a_command_counts() -> None:
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_HOLDS!r}, '150'], check=True)"
    assert 150 < took(nested).memory < 250


def test_a_process_asked_about_itself_leaves_out_who_started_it() -> None:
    folder = str(Path(__file__).parents[2] / "scripts")
    code = f"import sys; sys.path.append({folder!r}); from metering import own_peak; print(own_peak())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(said) < 100


@pytest.mark.parametrize(
    ("code", "status"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL)]
)
def test_a_status_is_that_of_the_command(code: str, status: int) -> None:
    assert took(code).status == status


def test_seconds_are_those_of_the_command() -> None:
    assert took("import time; time.sleep(0.3)").seconds >= 0.3


def test_a_command_that_is_not_there_is_said() -> None:
    with pytest.raises(RuntimeError, match=r"/no/such/program.*could not be started"):
        Command(["/no/such/program"], stderr=subprocess.DEVNULL).wait()


def test_tables_say_the_memory_of_the_commands(tmp_path: Path) -> None:
    light = Side("light", [sys.executable, "-c", "print(1)"])
    outcome = alternate("nothing", light, light, None, tmp_path, 1, 1, "times")
    assert all(run.memory < 100 for run in (*outcome.ours, *outcome.theirs))
    assert use(1, ["ls", "exports"]).memory < 150

"""What was started ends with whoever started it: on a signal, when it is killed, and in builds by several processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest
from toy_corpus import WAITS, toy_corpus
from tuning import ENDLESS, command

from affectllm.run import read_manifest

_PARENT = """
import os, sys
from affectllm import exits, processes
middle = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"
def body():
    words = [sys.executable, "-c", middle, sys.executable, "-c", sys.argv[1]]
    return processes.call(words, os.environ)
sys.exit(exits.exit_status(body))
"""
_CHILD = """
import os, time
from affectllm import processes
processes.end_with_owner()
print(os.getpid(), os.getppid(), flush=True)
time.sleep(120)
"""


def wait_until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def skip_what_is_ignored(number: signal.Signals) -> None:
    if number != signal.SIGKILL and signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip(f"{number.name} is ignored here, as below nohup, and so by all that is started")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_a_child_behind_a_launcher_ends_with_the_command(number: signal.Signals) -> None:
    skip_what_is_ignored(number)
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, _CHILD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert parent.stdout
    child, launcher = map(int, parent.stdout.readline().split())
    parent.send_signal(number)
    parent.wait(60)
    if number == signal.SIGKILL:
        wait_until(lambda: gone(child) and gone(launcher))
        return
    assert gone(child) and gone(launcher)  # it waited for them
    assert parent.returncode == 128 + number
    assert parent.stderr and "the same command goes on where it stopped" in parent.stderr.read()


def test_a_child_ends_when_only_its_launcher_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, _CHILD], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout
    child, launcher = map(int, parent.stdout.readline().split())
    os.kill(launcher, signal.SIGKILL)
    wait_until(lambda: gone(child))
    parent.wait(60)


def test_nohup_keeps_its_word() -> None:
    code = "import os, signal\nfrom affectllm.processes import unwinding_on_signals\nwith unwinding_on_signals():\n"
    code += "    os.kill(os.getpid(), signal.SIGHUP)\n    print('still here')"
    completed = subprocess.run(["nohup", sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout == "still here\n"


def test_a_command_within_another_program_leaves_its_signals_as_they_were() -> None:
    from threading import Thread

    from affectllm.cli import main

    before = signal.getsignal(signal.SIGTERM)
    assert main(["ls", "backbones"]) == 0 and signal.getsignal(signal.SIGTERM) is before
    statuses: list[int] = []
    thread = Thread(target=lambda: statuses.append(main(["ls", "backbones"])))
    thread.start()
    thread.join()
    assert statuses == [0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_build_that_is_told_to_end_leaves_no_process_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, workers: str
) -> None:
    root = toy_corpus(tmp_path, monkeypatch, when_read=WAITS)
    words = ["build", "toy", "--root", f"toy={root}", "--out", str(tmp_path / "out"), "--workers", workers]
    monkeypatch.setenv("READING", str(tmp_path / "reading"))
    started = subprocess.Popen(
        command(*words), env={**os.environ, "SECONDS": "100"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_until((tmp_path / "reading").exists)
    family = [child.pid for child in psutil.Process(started.pid).children(recursive=True)]
    started.send_signal(number)
    started.wait(60)
    assert started.returncode == (143 if number == signal.SIGTERM else -9)
    wait_until(lambda: all(map(gone, family)))
    monkeypatch.setenv("SECONDS", "0")
    subprocess.run(command(*words), check=True, capture_output=True)
    manifest = read_manifest(tmp_path / "out" / "toy")
    assert manifest is not None and manifest["finished"]


def kill_all(pids: Sequence[int]) -> None:
    """Kill processes and their children, those that are gone left aside."""
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            one = psutil.Process(pid)
            for process in (*one.children(recursive=True), one):
                process.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "processes"),
    [
        pytest.param(signal.SIGTERM, 2, marks=pytest.mark.thorough),  # test_cli always interrupts a training
        pytest.param(signal.SIGHUP, 1, marks=pytest.mark.thorough),
        pytest.param(signal.SIGKILL, 2, marks=pytest.mark.thorough),
    ],
)
def test_trainers_end_with_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, processes: int
) -> None:
    skip_what_is_ignored(number)
    root = toy_corpus(tmp_path, monkeypatch, classes=("joy", "anger", "fear"))
    page = tmp_path / "endless.yaml"
    page.write_text(ENDLESS + ("launch: ddp\n" if processes > 1 else ""))
    words = ["train", str(page), "--root", f"toy={root}", "--out", str(tmp_path / "out")]
    words += ["--num-processes", str(processes)] if processes > 1 else []
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    started = subprocess.Popen(command(*words), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    family: list[int] = []
    try:
        wait_until((tmp_path / "out" / "train" / "checkpoint-5" / "trainer_state.json").exists, 240)
        family = [child.pid for child in psutil.Process(started.pid).children(recursive=True)]
        assert len(family) > processes
        second = subprocess.run(command(*words), env=env, capture_output=True, text=True, check=False)
        assert second.returncode == 2 and f"process {started.pid} on" in second.stderr
        started.send_signal(number)
        started.wait(60)
        wait_until(lambda: all(map(gone, family)))
    finally:
        kill_all([started.pid, *family])  # a training without an end must not outlive a test that fails
    manifest = read_manifest(tmp_path / "out" / "train")
    assert manifest is not None and not manifest["finished"]


_DESTRUCTOR = """
import signal, sys, time
from affectllm import exits
class Dying:
    def __del__(self):
        signal.raise_signal(int(sys.argv[1]))
def body():
    Dying()
    time.sleep(60)
    return 0
sys.exit(exits.exit_status(body))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_within_a_destructor_is_not_lost(number: signal.Signals) -> None:
    skip_what_is_ignored(number)
    done = subprocess.run(
        [sys.executable, "-c", _DESTRUCTOR, str(int(number))], capture_output=True, text=True, timeout=40
    )
    assert done.returncode == 128 + number
    assert "Traceback" not in done.stderr

"""Two processes in one folder: the second is told who works there, and a dead holder holds nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from affectllm.errors import Busy, WriteFailed
from affectllm.lock import LOCK, held
from affectllm.run import Run

_HOLD = """
import sys, time
from pathlib import Path
from affectllm.run import Run
with Run(Path(sys.argv[1]), "build", {"seed": 1}):
    print("in", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that works in ``tmp_path/run``."""
    command = [sys.executable, "-c", _HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "in\n"
        yield process
        process.kill()


@pytest.mark.parametrize("inputs", [{"seed": 1}, {"seed": 2}])
def test_a_second_process_is_refused_and_told_who_is_there(holder, tmp_path: Path, inputs: dict[str, int]) -> None:
    before = (tmp_path / "run" / "manifest.json").read_bytes()
    with pytest.raises(Busy, match=rf"process {holder.pid} on .* works in this folder since .* \(-c"):
        Run(tmp_path / "run", "build", inputs).__enter__()
    assert (tmp_path / "run" / "manifest.json").read_bytes() == before


def test_a_killed_holder_holds_nothing(holder, tmp_path: Path) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "run" / LOCK).is_file()
    with Run(tmp_path / "run", "build", {"seed": 1}) as run:
        assert run.resuming
    assert not (tmp_path / "run" / LOCK).exists()


def test_a_lock_with_the_number_of_a_living_process_that_does_not_hold_it_is_taken(tmp_path: Path) -> None:
    # Numbers come round again, in containers soon.
    import socket

    (tmp_path / LOCK).write_text(json.dumps({"pid": os.getppid(), "host": socket.gethostname()}))
    with held(tmp_path / LOCK):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()


def test_a_holder_on_another_machine_is_believed(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text(json.dumps({"pid": 7, "host": "another-machine", "since": "noon", "command": "run x"}))
    with (
        pytest.raises(Busy, match=r"process 7 on another-machine works .* since noon \(run x\)") as caught,
        held(tmp_path / LOCK),
    ):
        pass
    assert f"delete {tmp_path / LOCK}" in caught.value.do


@pytest.mark.parametrize("text", ["", "half a l", "[1]", "{}", '{"host": 5, "pid": "x"}', "[" * 100_000])
def test_a_torn_lock_of_a_dead_process_is_taken(tmp_path: Path, text: str) -> None:
    (tmp_path / LOCK).write_text(text)
    if text == "{}":
        with held(tmp_path / LOCK):
            pass
        return
    with held(tmp_path / LOCK):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()


def test_one_process_may_take_it_again_and_lets_go_once(tmp_path: Path) -> None:
    with held(tmp_path / LOCK):
        with held(tmp_path / LOCK):
            pass
        assert (tmp_path / LOCK).is_file()
    assert not (tmp_path / LOCK).exists()


def test_an_error_within_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), held(tmp_path / LOCK):
        raise ZeroDivisionError
    with held(tmp_path / LOCK):
        pass


def test_a_file_in_the_way_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteFailed, match="could not write"), held(tmp_path / "file" / LOCK):
        pass


def test_a_finished_run_is_read_while_another_process_holds_the_folder(tmp_path: Path) -> None:
    with Run(tmp_path / "run", "build", {}) as run:
        (tmp_path / "run" / "data").write_text("made")
        run.outputs["rows"] = 1
    (tmp_path / "run" / LOCK).write_text(json.dumps({"pid": 7, "host": "another-machine"}))
    with Run(tmp_path / "run", "build", {}) as again:
        assert again.done and again.outputs == {"rows": 1}


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to a file", "link to nothing", "link to itself"])
def test_a_lock_that_is_no_file_is_explained_and_nothing_behind_it_is_written(kind: str, tmp_path: Path) -> None:
    lock, other = tmp_path / "run" / LOCK, tmp_path / "other"
    lock.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(lock)
    elif kind == "folder":
        lock.mkdir()
    else:
        other.write_text("precious")
        lock.symlink_to({"link to a file": other, "link to nothing": tmp_path / "gone", "link to itself": LOCK}[kind])
    with pytest.raises(WriteFailed) as caught, held(lock):
        pass
    assert str(lock) in caught.value.where and "choose another --out" in caught.value.do
    assert kind in ("pipe", "folder") or other.read_text() == "precious"
    assert not (tmp_path / "gone").exists()

"""Killing a command before every change that it makes to the file system, one run a change.

A worker imports what the commands need once and forks for every run. An audit hook counts what the run is about to do
below a folder (opening a file to write, renaming, removing, making folders, linking) and kills the process before the
n-th of them: with what it had written as it lies, or, ``torn``, with the file that was opened last cut in half.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kill_scenes import Killed

# Operation → where among its arguments the descriptor of a folder stands that its path is relative to.
_CHANGES = {
    "os.rename": 2,
    "os.remove": 1,
    "os.rmdir": 1,
    "os.mkdir": 2,
    "os.link": 2,
    "os.symlink": 2,
    "os.truncate": 9,
}


class _Fate:
    """Counts the changes below ``folder``, and ends the process before the one numbered ``last``."""

    def __init__(self, folder: str, last: int | None, torn: bool) -> None:
        self.folder, self.last, self.torn = os.path.realpath(folder), last, torn
        self.seen: list[str] = []
        self._opened: str | None = None

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        path = self._changed(event, arguments)
        if path is None:
            return
        self.seen.append(f"{event} {os.path.relpath(path, self.folder)}")
        if len(self.seen) == self.last:
            if self.torn and self._opened and os.path.isfile(self._opened):
                os.truncate(self._opened, os.path.getsize(self._opened) // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        self._opened = path if event == "open" else None

    def _changed(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return None
        elif event in _CHANGES:
            path = arguments[0]
        else:
            return None
        if not isinstance(path, str | bytes | os.PathLike):
            return None
        folder_fds = arguments[_CHANGES[event] :][:1] if event in _CHANGES else ()
        base = os.readlink(f"/proc/self/fd/{folder_fds[0]}") if folder_fds and folder_fds[0] >= 0 else os.getcwd()
        full = os.path.normpath(os.path.join(base, os.fsdecode(path)))
        return full if full.startswith(self.folder) and _happens(event, full) else None


def _happens(event: str, path: str) -> bool:
    """Whether an operation is going to change anything: many are tried to see whether they are needed."""
    if event == "os.mkdir":
        return not os.path.lexists(path) and os.path.isdir(os.path.dirname(path))
    return event == "open" or os.path.lexists(path)


def _run(job: Mapping[str, Any]) -> None:
    """One run, in a process of its own."""
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(job["cwd"])
    os.environ.update(job["environment"])
    fate = _Fate(job["folder"], job["last"], job["torn"])
    sys.addaudithook(fate)
    module = __import__(job["module"], fromlist=["main"])
    try:
        status = int(module.main(job["words"]) or 0)
    except SystemExit as error:
        status = int(error.code or 0)
    if job["last"] is None:
        Path(job["log"] + ".changes").write_text(json.dumps(fate.seen))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _serve(modules: Sequence[str]) -> None:
    for name in modules:
        __import__(name)
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _run(json.loads(line))
        print(pid, flush=True)
        _, status, used = os.wait4(pid, 0)
        print(os.waitstatus_to_exitcode(status), used.ru_maxrss, flush=True)


class Worker:
    """Runs commands in forks of a process that has imported ``modules``."""

    def __init__(self, process: subprocess.Popen[str], scratch: Path) -> None:
        self._process, self._log = process, scratch / "killed.log"
        self._run_under_way = 0
        self.peak = 0
        """Bytes of memory that the last run held at most, those of the libraries among them."""

    def run(self, module: str, words: Sequence[str], folder: Path, last: int | None = None, torn: bool = False) -> int:
        """The exit status of ``module.main(words)``, killed before its ``last`` change below ``folder``."""
        names = ("AFFECTLLM_PATH", "AFFECTLLM_CORPORA", "AFFECTLLM_CACHE", "AFFECTLLM_ROOTS")
        job = {"module": module, "words": list(words), "folder": str(folder), "last": last, "torn": torn}
        job |= {"log": str(self._log), "cwd": os.getcwd()}
        job |= {"environment": {name: os.environ[name] for name in names if name in os.environ}}
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        self._run_under_way = int(self._process.stdout.readline())
        status, kibibytes = map(int, self._process.stdout.readline().split())
        self._run_under_way, self.peak = 0, kibibytes * 1024
        return status

    def kill(self) -> None:
        """Kill the run that is under way; called from another thread."""
        if self._run_under_way:
            os.kill(self._run_under_way, signal.SIGKILL)

    @property
    def output(self) -> str:
        """What the last run printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def changes(self) -> list[str]:
        """The changes that the last run made; it was not killed."""
        changes: list[str] = json.loads(Path(f"{self._log}.changes").read_text())
        return changes


@contextmanager
def worker(scratch: Path, modules: Sequence[str] = ("affectllm.cli",)) -> Iterator[Worker]:
    """A worker that ends with the block."""
    command = [sys.executable, __file__, *modules]
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        while (line := process.stdout.readline()) != "ready\n":  # libraries have their say first
            assert line, "the worker did not start"
        yield Worker(process, scratch)
    finally:
        process.kill()
        process.wait()


# What differs from run to run although nothing that counts does: times, names that are times or drawn, what a dead
# process held, and what libraries said, which on a busy machine is at times that something takes long.
_TIMES = frozenset({"seconds", "train_runtime", "train_samples_per_second", "train_steps_per_second"})
_DRAWN = ("answers", "results_", "sources.json", "log.txt")


def tree(folder: Path) -> dict[str, bytes]:
    """Name → content of every file, without times; samples of lm-eval without the date in their names."""
    contents = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(part.startswith(_DRAWN) or part.endswith(".lock") for part in name.split("/")):
            contents[_undated(name)] = _timeless(path)
    return contents


def _undated(name: str) -> str:
    """The name of one of lm-eval's files without the time in it."""
    return re.sub(r"_20\d\d-\d\d-\d\dT[^/]*", "", name)


def _timeless(path: Path) -> bytes:
    if path.suffix == ".html":
        return re.sub(rb"[\d.]+ (s|min|h)\b", b"", path.read_bytes())
    if path.suffix != ".json":
        return path.read_bytes()

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            # What a manifest vouches for is compared itself, and some of it holds times.
            return {
                key: sorted(map(_undated, item)) if key == "files" else without(item)
                for key, item in value.items()
                if key not in _TIMES
            }
        return [without(item) for item in value] if isinstance(value, list) else value

    try:
        return json.dumps(without(json.loads(path.read_bytes()))).encode()
    except ValueError:  # somebody has damaged it
        return path.read_bytes()


def kill_everywhere(
    one: Worker, killed: Killed, folder: Path, kind: Callable[[str], str] | None = None
) -> tuple[int, list[str]]:
    """Kill before changes, start the same command again, and compare what comes out.

    Args:
        folder: that the command works in; nothing else below its parent may change.
        kind: path → kind of file; killed before one of each operation on each kind, or, None, before every change.

    Returns:
        The number of kills, and what went wrong.
    """
    points = Points(one, killed, folder)
    wrong, kills = [], 0
    for number in one_of_a_kind(points.changes, kind) if kind else range(1, len(points.changes) + 1):
        for torn in points.ways(number):
            try:
                fault = points.kill_at(number, torn)
            except NotKilled as error:
                wrong.append(str(error))
                continue
            kills += 1
            wrong += [fault] if fault else []
    return kills, wrong


class NotKilled(Exception):
    """A run ended before the change that it was to be killed at."""


class Points:
    """The changes that a command makes, in their order, and what is left when nobody kills it; run once.

    Args:
        folder: that the command works in; nothing else below its parent may change.
    """

    def __init__(self, one: Worker, killed: Killed, folder: Path) -> None:
        self._one, self._killed, self._folder, self._watched = one, killed, folder, folder.parent
        self._fresh()
        assert self._run() == 0, one.output[-3000:]
        self._expected, self.changes = tree(self._watched), one.changes

    def ways(self, number: int) -> tuple[bool, ...]:
        """Whether a kill before this change also cuts a file in half: only one that was just opened can be."""
        return (False, True) if number > 1 and self.changes[number - 2].startswith("open ") else (False,)

    def kill_at(self, number: int, torn: bool) -> str:
        """Kill before the change ``number``, counted from 1, start the same command again; what went wrong, or nothing.

        Raises:
            NotKilled: when the run ended without it.
        """
        self._fresh()
        status = self._run(number, torn)
        where = f"{number} of {len(self.changes)}, before {self.changes[number - 1]}{', torn' if torn else ''}"
        if status != -signal.SIGKILL:
            raise NotKilled(f"{where}: was not killed, but ended with {status}")
        if (status := self._run()) != 0:
            return f"{where}: the same command ended with {status}: {self._one.output[-300:]}"
        result = tree(self._watched)
        return "" if result == self._expected else f"{where}: {_difference(result, self._expected)}"

    def _run(self, last: int | None = None, torn: bool = False) -> int:
        return self._one.run(self._killed.module, self._killed.words, self._watched, last, torn)

    def _fresh(self) -> None:
        shutil.rmtree(self._watched)
        self._watched.mkdir()
        if self._killed.before is not None:
            shutil.copytree(self._killed.before, self._folder, symlinks=True)


def _difference(result: Mapping[str, bytes], expected: Mapping[str, bytes]) -> str:
    differing = [name for name in expected if name in result and result[name] != expected[name]]
    extra, lost = sorted(result.keys() - expected.keys()), sorted(expected.keys() - result.keys())
    return f"too many {extra}, lost {lost}, {differing}"


def by_suffix(path: str) -> str:
    """Files of one ending are of one kind."""
    return Path(path).suffix


def one_of_a_kind(changes: Sequence[str], kind: Callable[[str], str]) -> list[int]:
    """Numbers of changes of which each is the first of its operation and kind of file."""
    kinds: dict[tuple[str, str], int] = {}
    for number, change in enumerate(changes, 1):
        operation, _, path = change.partition(" ")
        kinds.setdefault((operation, kind(path)), number)
    return sorted(kinds.values())


if __name__ == "__main__":
    _serve(sys.argv[1:])

"""Cores, and shutting down processes that belong together: after a launch, on a signal, when one is killed."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

_OWNER = "AFFECTLLM_OWNER"
_LOOK_EVERY = 0.5  # seconds between two looks at whoever started this process
_SOON = 0.05  # seconds, by which a destructor has ended
_PATIENCE = 15.0  # seconds to end by oneself before one is killed


class Stopped(KeyboardInterrupt):
    """Raised when a signal asks the process to end, so that what is open is closed on the way out.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


def usable_cores() -> int:
    """Return how many cores this process may use: a scheduler or container may leave it fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def unwinding_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise ``Stopped``, so that locks and children are released; ``nohup`` still works.

    Only the main thread receives signals; in any other one nothing changes.
    """
    numbers: list[int] = []
    if threading.current_thread() is threading.main_thread():
        numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, _stop)
    before = sys.unraisablehook
    sys.unraisablehook = _sent_again(before) if numbers else before
    try:
        yield
    finally:
        sys.unraisablehook = before
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(number)


def _sent_again(otherwise: Callable[[sys.UnraisableHookArgs], Any]) -> Callable[[sys.UnraisableHookArgs], None]:
    """Return a hook that sends a signal once more which came within a destructor: Python drops what is raised there."""

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(error := unraisable.exc_value, KeyboardInterrupt):
            number = error.number if isinstance(error, Stopped) else signal.SIGINT
            later = threading.Timer(_SOON, os.kill, (os.getpid(), number))
            later.daemon = True
            later.start()
        else:
            otherwise(unraisable)

    return hook


def is_first() -> bool:
    """Return whether this is the first of the processes that were launched together, or the only one."""
    return not int(os.environ.get("RANK", "0"))


def status_of(error: KeyboardInterrupt) -> int:
    """Return the exit status that a shell gives to a process ended by a signal."""
    return 128 + (error.number if isinstance(error, Stopped) else signal.SIGINT)


def call(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command and return its exit status; if the wait is interrupted, end the command and its children.

    Its processes may call ``end_with_owner``, for this one may be killed without a chance to end them.
    """
    child = subprocess.Popen(command, env={**environment, _OWNER: f"{os.getpid()}:{_born(os.getpid())}"})
    try:
        return _wait(child)
    except BaseException:
        _end_tree(child)
        raise


def _wait(child: subprocess.Popen[bytes]) -> int:
    # Not in one call without end: a signal that comes just before it would be seen only once the child has ended.
    while True:
        try:
            return child.wait(_LOOK_EVERY)
        except subprocess.TimeoutExpired:
            continue


def _end_tree(child: subprocess.Popen[bytes]) -> None:
    import psutil

    try:
        family = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    # The workers first: a launcher that is gone before them would leave them without anybody who waits.
    for process in reversed(family):
        _tell(process, signal.SIGTERM)
    _, left = psutil.wait_procs(family, timeout=_PATIENCE)
    for process in left:
        _tell(process, signal.SIGKILL)
    child.wait()


def _tell(process: object, number: int) -> None:
    import psutil

    try:
        process.send_signal(number)  # type: ignore[attr-defined]
    except psutil.NoSuchProcess:
        return


def end_with_owner() -> None:
    """End this process soon after its parent, or the command that it works for, has ended."""
    parent, owner = os.getppid(), os.environ.get(_OWNER, "")
    threading.Thread(target=_watch, args=(parent, owner), name="affectllm owner", daemon=True).start()


def _watch(parent: int, owner: str) -> None:
    while os.getppid() == parent and (not owner or _lives(owner)):
        time.sleep(_LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE)
    os._exit(128 + signal.SIGTERM)


def _lives(owner: str) -> bool:
    pid, _, born = owner.partition(":")
    return _born(int(pid)) == born


def _born(pid: int) -> str:
    """Return the start time of a process, since its number may be reused later."""
    import psutil

    try:
        return str(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return ""


def leave_together() -> None:
    """End every process of a launch once all are done; returns where the process is the only one.

    The interpreter is not taken down. Libraries keep the process group, whose threads then meet half an interpreter:
    now and then the runtime aborts one, and the launcher calls a finished run failed. What is registered for the exit,
    as trackers do, runs before.
    """
    import torch.distributed

    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)

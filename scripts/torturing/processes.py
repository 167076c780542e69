"""Kills at random instants, of the command or of what it has started; signals; the same command twice at once."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

import psutil

from torturing.scene import Scene, ended, unexplained

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_HEAVY = 0.25  # share of the trials with a training


def kills(scene: Scene) -> str:
    """The command, or one of its children, is killed at some instant, up to three times; then it is let through."""
    heavy = bool(scene.dice.random() < _HEAVY)
    seconds = _seconds(scene, heavy)
    scene.fresh()
    for _ in range(int(scene.dice.integers(1, 4))):
        process = scene.start(scene.words(heavy))
        time.sleep(float(scene.dice.uniform(0, seconds)))
        victims = _family(process.pid)
        if victims:
            with suppress(psutil.Error):
                victims[int(scene.dice.integers(0, len(victims)))].kill()
        _, output = ended(process)
        if fault := _left(process.pid):
            return fault
        if "Traceback" in output:
            return f"a traceback after a kill: {output[-400:]}"
    return scene.again(heavy)


def signals(scene: Scene) -> str:
    """The command is asked to end by a signal, as a terminal or a scheduler does."""
    heavy = bool(scene.dice.random() < _HEAVY)
    seconds = _seconds(scene, heavy)
    scene.fresh()
    process = scene.start(scene.words(heavy))
    time.sleep(float(scene.dice.uniform(0, seconds)))
    chosen = _SIGNALS[int(scene.dice.integers(0, len(_SIGNALS)))]
    whole_group = bool(scene.dice.random() < 0.5)
    with suppress(ProcessLookupError):
        (os.killpg if whole_group else os.kill)(process.pid, chosen)
    status, output = ended(process)
    if status not in (0, 128 + chosen, -chosen):
        return f"{chosen.name} ended it with {status}: {output[-300:]}"
    if "Traceback" in output and status != -chosen:
        return f"a traceback after {chosen.name}: {output[-400:]}"
    return _left(process.pid) or scene.again(heavy)


def two(scene: Scene) -> str:
    """The same command twice at once: one works, the other waits, finds it done or says who is at work."""
    heavy = bool(scene.dice.random() < _HEAVY)
    scene.undisturbed(heavy)
    scene.fresh()
    words = scene.words(heavy)
    first = scene.start(words)
    time.sleep(float(scene.dice.uniform(0, 0.5)))
    ends = [ended(process) for process in (first, scene.start(words))]
    faults = [fault for status, output in ends if (fault := unexplained(status, output))]
    if not any(status == 0 for status, _ in ends):
        faults.append(f"neither worked: {[output[-200:] for _, output in ends]}")
    return "; ".join(faults) or scene.again(heavy)


def _seconds(scene: Scene, heavy: bool) -> float:
    """How long the command takes when nobody disturbs it, as measured the first time."""
    started = time.monotonic()
    known = str(heavy) in scene.expected
    scene.undisturbed(heavy)
    if not known:
        scene.seconds[str(heavy)] = time.monotonic() - started
    return scene.seconds[str(heavy)]


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def _left(session: int) -> str:
    """Which processes of the command's session are still there ten seconds later."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not (left := [process.pid for process in psutil.process_iter() if _session(process.pid) == session]):
            return ""
        time.sleep(0.2)
    os.killpg(session, signal.SIGKILL)
    return f"{len(left)} processes outlived the command"


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1

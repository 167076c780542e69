"""Commands and the memory that they took, without that of whoever started them.

Linux counts into the ``ru_maxrss`` of a new process what the process that started it had held at its peak, since
both share memory until the new program begins (``exec_mmap`` in fs/exec.c). So a command is started by a process of
a few MiB, which waits for it and says what it took; and a process that asks about itself reads ``VmHWM``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STARTER = """
import json, os, sys, time
told = int(sys.argv[1])
os.set_inheritable(told, False)
begun = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
took = [os.waitstatus_to_exitcode(status), time.perf_counter() - begun, usage.ru_maxrss / 1024]
os.write(told, json.dumps(took).encode())
"""


@dataclass(frozen=True)
class Took:
    """What a command took.

    Args:
        status: with which it ended; below zero, the signal that ended it.
        seconds: from its start to its end.
        memory: peak of its resident memory in MiB, of the largest of its processes.
    """

    status: int
    seconds: float
    memory: float


class Command:
    """A command under way.

    Args:
        words: program and arguments.
        settings: those of ``subprocess.Popen``.
    """

    def __init__(self, words: Sequence[str], **settings: Any) -> None:
        self._told, told = os.pipe()
        starter = [sys.executable, "-I", "-S", "-c", _STARTER, str(told)]
        self.process = subprocess.Popen([*starter, *words], pass_fds=(told,), **settings)
        os.close(told)

    def wait(self) -> Took:
        """Wait for its end.

        Raises:
            RuntimeError: when it could not be started.
        """
        with open(self._told, encoding="ascii") as stream:
            said = stream.read()
        self.process.wait()
        if not said:
            raise RuntimeError(f"{self.process.args!r:.500} could not be started")
        return Took(*json.loads(said))


def own_peak() -> float:
    """Return the MiB of resident memory that this process held at its peak."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024

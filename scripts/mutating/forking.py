"""Tests in a fork of this process, which has imported what they need of others, but nothing of ours."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

import pytest

from mutating.covering import LEFT_OUT

SAID = "said.txt"
"""File in the working directory for what the last tests have printed."""
_ONCE = "affectllm.model.torchvision_ops"  # whatever it declares cannot be declared twice
_NOTHING_RUN = 5  # pytest's exit status


class _Chosen:
    """Keeps the tests that were asked for, in the order in which they were asked for."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._places = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        kept = [item for item in items if item.nodeid in self._places]
        items[:] = sorted(kept, key=lambda item: self._places[item.nodeid])


def preload(libraries: Iterable[str]) -> None:
    """Import modules, so that no fork has to."""
    for name in libraries:
        with suppress(ImportError, AttributeError):
            importlib.import_module(name)


def noticed(tests: Sequence[str], *, seconds: float, profile: str) -> bool:
    """Return whether a test fails, or hangs, with the code as it lies on the disk now.

    Args:
        tests: ids, in the order in which they are tried; the first that fails ends it.
        seconds: after which they hang.
        profile: of hypothesis, which says how many examples are tried.

    Raises:
        RuntimeError: when none was run.
    """
    child = os.fork()
    if child == 0:
        _run(tests, profile)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            if os.waitstatus_to_exitcode(status) == _NOTHING_RUN:
                raise RuntimeError(f"none of {len(tests)} tests was found, such as {tests[:1]}")
            return status != 0
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _run(tests: Sequence[str], profile: str) -> None:
    """Run tests and end this process with pytest's status."""
    status = 3
    try:
        os.setsid()
        said = os.open(SAID, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        for stream in (0, 1, 2):
            os.dup2(said, stream)
        for name in [name for name in sys.modules if name.split(".")[0] == "affectllm" and name != _ONCE]:
            del sys.modules[name]  # what the interpreter itself has imported when it started
        files = dict.fromkeys(test.split("::")[0] for test in tests)
        words = [*LEFT_OUT, "-x", "--hypothesis-profile", profile, *files]
        status = int(pytest.main(words, plugins=[_Chosen(tests)]))
    finally:
        os._exit(status)

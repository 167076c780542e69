"""Which tests run which lines: the tests of a room once, under coverage, each in a context of its own.

python -m mutating.covering FILE TEST …    writes it to FILE as JSON, from within the checkout
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage
import pytest

LEFT_OUT = ["-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not thorough and not slow and not browser"]
"""What every run of tests here is told."""
FEW, MANY = "few", "steady"
"""Profiles of hypothesis, of tests/conftest.py: how many examples are tried."""
_OURS = ("affectllm", "test_", "conftest", "coverage", "pytest", "_pytest", "xdist", "mutating", "__")


@dataclass(frozen=True)
class Covered:
    """What the tests of a room run.

    Args:
        lines: file, below the checkout → line → the tests that run it; none of them for what is run by an import.
        seconds: test → how long it takes, with its fixtures.
        libraries: modules of others that are imported meanwhile.
    """

    lines: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]
    libraries: list[str]

    @classmethod
    def read(cls, path: Path) -> Covered:
        read = json.loads(path.read_text(encoding="utf-8"))
        lines = {file: {int(line): tests for line, tests in found.items()} for file, found in read["lines"].items()}
        return cls(lines, read["seconds"], read["libraries"])

    def tests(self, file: str, lines: range) -> list[str]:
        """Return the tests that may notice a change of these lines, the quickest first.

        Where only an import runs them, these are all: whatever it made may be used by any.
        """
        found = self.lines.get(file, {})
        return self._quickest({test for line in lines for test in found.get(line, ())} or set(self.seconds))

    def of_file(self, file: str) -> list[str]:
        """Return the tests that run anything of a file, the quickest first."""
        return self._quickest({test for tests in self.lines.get(file, {}).values() for test in tests})

    def _quickest(self, tests: set[str]) -> list[str]:
        return sorted(tests, key=lambda test: (self.seconds[test], test))


class _Contexts:
    """Tells coverage which test is running, and takes the time."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._measured.switch_context(item.nodeid)
        started = time.monotonic()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.monotonic() - started
            self._measured.switch_context("")


def main(out: Path, tests: list[str]) -> int:
    before = set(sys.modules)
    measured = coverage.Coverage(data_file=None, include=["affectllm/*"], branch=False)
    contexts = _Contexts(measured)
    measured.start()
    status = pytest.main([*LEFT_OUT, "--hypothesis-profile", FEW, *tests], plugins=[contexts])
    measured.stop()
    data, lines = measured.get_data(), {}
    for path in data.measured_files():
        found = {line: [name for name in names if name] for line, names in data.contexts_by_lineno(path).items()}
        lines[str(Path(path).relative_to(Path.cwd()))] = found
    libraries = [name for name in sys.modules if name not in before and _is_library(name, sys.modules[name])]
    out.write_text(json.dumps({"lines": lines, "seconds": contexts.seconds, "libraries": libraries}), encoding="utf-8")
    return int(status)


def _is_library(name: str, module: Any) -> bool:
    return not name.startswith(_OURS) and "site-packages" in (getattr(module, "__file__", None) or "")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))

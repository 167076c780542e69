"""Format the rows as a table, and write it into the page between its two marks."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.row import Row

BEGIN, END = "<!-- scripts/bench --write begins here -->", "<!-- and ends here -->"
_HEAD = ("what", "ours", "the other", "value of the other", "ratio", "goal", "met?")
_PACKAGES = ("torch", "transformers", "trl", "datasets", "av")


def markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table; a ratio above 1 means that ours is better."""
    lines = ["| " + " | ".join(_HEAD) + " |", "|---" * len(_HEAD) + "|"]
    for row in rows:
        goal = "–" if row.goal is None else f"≥ {row.goal:g}"
        cells = (row.what, row.ours, row.against, row.other, f"{row.ratio:.2f}", goal, row.verdict)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine() -> str:
    """Describe the machine on which the table was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()}, "
        f"Python {platform.python_version()}, {packages}; one thread a process. {date.today()}."
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    match = re.search(r"model name\s*:\s*(.+)", info.read_text(encoding="utf-8")) if info.is_file() else None
    return match[1].strip() if match else platform.processor() or platform.machine()


def write(page: Path, rows: Sequence[Row]) -> None:
    """Put the machine and the rows between the marks of ``page``."""
    replace(page, BEGIN, END, f"{machine()}\n\n{markdown(rows)}")


def replace(page: Path, begin: str, end: str, text: str) -> None:
    """Replace what stands between two marks of ``page``."""
    before, rest = page.read_text(encoding="utf-8").split(begin)
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}", encoding="utf-8")

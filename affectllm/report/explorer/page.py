"""What a page needs to list its examples: the files beside it, and links that filter the list."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from affectllm.report.explorer.index import Listed, write_task
from affectllm.report.explorer.rows import Clips
from affectllm.report.runfolder import RunData

FOLDER = "examples"
UNREADABLE = " unreadable"
"""Stands for an answer without a label; no label begins with a space."""


@dataclass(frozen=True)
class Explorer:
    """The list of all examples of a page.

    Args:
        base: address of the folder of its files, relative to the page.
        listed: the tasks, in the order of their folders ``0``, ``1``, ….
        unheard: sounds without a waveform, since the page has as many as it may have opened.
    """

    base: str
    listed: tuple[Listed, ...]
    unheard: int = 0

    @property
    def tasks(self) -> str:
        """Name and count of each task, as JSON."""
        return json.dumps([[one.task, one.count] for one in self.listed], ensure_ascii=False)

    def count(self, task: str) -> int:
        """Return how many examples of a task are listed."""
        return next((one.count for one in self.listed if one.task == task), 0)

    def link(self, task: str, run: str = "", **filters: str) -> str:
        """Return the address of the list with only such examples; empty where they are not listed.

        Args:
            run: whose answers are meant; the first one's without it.
            filters: ``right``, ``given``, ``outcome``, ``reason``, ``speaker``, ``modality``, ``words``, ``is:NAME``,
                or ``part`` of an answer with ``part-right`` and ``part-given``.
        """
        one = next((one for one in self.listed if one.task == task), None)
        if one is None or (run and run not in one.runs):
            return ""
        return "#examples?" + urlencode({"task": task, **({"run": run} if run else {}), **filters}, quote_via=quote)

    def cell(self, task: str, run: str, right: str, given: str | None) -> str:
        """Return the link of a cell of a confusion matrix; ``given`` is None for answers that could not be read."""
        return self.link(task, run, right=right, given=UNREADABLE if given is None else given)

    def part(self, task: str, run: str, name: str, right: str, given: str | None) -> str:
        """Return the link of a cell of a matrix; empty unless that is of a part of answers, such as a dimension."""
        if not any(one.task == task and name in one.parts for one in self.listed):
            return ""
        where = {"part": name, "part-right": right, "part-given": UNREADABLE if given is None else given}
        return self.link(task, run, **where)


def write_examples(
    runs: Sequence[RunData], tasks: Sequence[str], page: Path, roots: Mapping[str, Path]
) -> Explorer | None:
    """Write the examples of all tasks beside a page, in place of those of an earlier report.

    Returns:
        None where no run logged examples.
    """
    beside = page.with_suffix("")
    folder, scratch = beside / FOLDER, beside / f".{FOLDER}.part"
    for old in (scratch, folder):
        shutil.rmtree(old, ignore_errors=True)
    listed: list[Listed] = []
    clips = Clips(page.parent, roots)
    for task in tasks:
        if one := write_task(runs, task, scratch / str(len(listed)), clips):
            listed.append(one)
    if not listed:
        return None
    scratch.replace(folder)
    return Explorer(quote(beside.name) + f"/{FOLDER}", tuple(listed), clips.outlines.left_out)

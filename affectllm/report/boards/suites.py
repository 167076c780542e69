"""Which suites the tasks of a leaderboard belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from affectllm.evaluate.shelf import all_tasks
from affectllm.report.runfolder import RunData


def suites_of(runs: Sequence[RunData], tasks: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return task → the suites and groups that it belongs to, within others too; a suite belongs to itself.

    Those are the groups of the task pages at hand, and the suites that the runs averaged.
    """
    groups = {name: entry.members() for name, entry in all_tasks().items() if entry.is_group}
    for run in runs:
        details = run.evaluation.details if run.evaluation else {}
        groups |= {name: list(one["suite"]) for name, one in details.items() if "suite" in one}
    members = {name: _all_members(name, groups) for name in groups}
    return {task: tuple(sorted(name for name, own in members.items() if task in own)) for task in tasks}


def _all_members(name: str, groups: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the tasks and groups of a group and of the groups in it, itself among them."""
    waiting, met = [name], set()
    while waiting:
        one = waiting.pop()
        if one not in met:
            met.add(one)
            waiting += groups.get(one, ())
    return met

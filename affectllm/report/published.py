"""Published figures beside a task's scores, and what the members of a suite add to its mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.report import display
from affectllm.report.runfolder import RunData


@dataclass(frozen=True)
class Figure:
    """A figure that somebody published.

    Args:
        metric: its title.
        differs: what is otherwise than here; empty where a score may stand beside it.
    """

    system: str
    metric: str
    value: float
    source: str
    evidence: str
    differs: str


@dataclass(frozen=True)
class Member:
    """A member of a suite: its metric's title, and its value in each run by name, None where it was not scored."""

    name: str
    metric: str
    values: tuple[tuple[str, float | None], ...]


def figures(runs: Sequence[RunData], task: str) -> list[Figure]:
    """Return the published figures of a task, comparable ones first."""
    rows = _rows(runs, task)
    named = [Figure(**{**row, "metric": display.metric_name(row["metric"])}) for row in rows]
    return sorted(named, key=lambda one: (bool(one.differs), -one.value))


def comparable(runs: Sequence[RunData], task: str, metric: str) -> list[tuple[str, float]]:
    """Return system and value of the figures of ``metric`` whose protocol is that of the task."""
    return [
        (row["system"], row["value"]) for row in _rows(runs, task) if row["metric"] == metric and not row["differs"]
    ]


def members(runs: Sequence[RunData], task: str) -> list[Member]:
    """Return the members of a suite; empty for a task."""
    suites = {run.name: run.evaluation.details.get(task, {}).get("suite", {}) for run in runs if run.evaluation}
    names = dict.fromkeys(name for suite in suites.values() for name in suite)
    return [
        Member(
            name,
            next(display.metric_name(suite[name]["metric"]) for suite in suites.values() if name in suite),
            tuple((run, suite[name]["value"] if name in suite else None) for run, suite in suites.items()),
        )
        for name in names
    ]


def _rows(runs: Sequence[RunData], task: str) -> list[dict[str, Any]]:
    details = (run.evaluation.details.get(task, {}) for run in runs if run.evaluation)
    return next((one["published"] for one in details if one.get("published")), [])

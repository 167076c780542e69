"""The difference of two evaluations of one task on the same items, with the interval of the difference itself.

Intervals of two scores that overlap say little where both models met the same items. Here the items are paired by
their ids and whole clusters are resampled together, see ``metrics.core.comparison``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.evaluate.logged import SOURCES, read_results
from affectllm.evaluate.scoring.rows import Row, clusters_of, raters_of, read_rows
from affectllm.evaluate.scoring.task_scoring import Scoring, metric_of
from affectllm.metrics.core.comparison import compare

ROUNDS = 500
_MISSING = object()
Rows = dict[tuple[str, int | None], Row]


@dataclass(frozen=True)
class Difference:
    """The value of the first evaluation less that of the second.

    Args:
        value: the difference.
        low, high: its 95 % interval, None from fewer than five clusters.
        better: whether a ``higher`` or a ``lower`` value is better, or ``none``.
        n: items that both answered.
    """

    value: float
    low: float | None
    high: float | None
    better: str
    n: int


@dataclass(frozen=True)
class Together:
    """Several evaluations of one task on the items that all of them answered.

    Args:
        metric: key of the metric.
        gold: gold values as the metric takes them.
        systems: name → answers, in the same order.
        clusters: of each item; None for single items.
        options: of the metric.
        left_out: name → items that it answered and another did not, or of another gold value.
    """

    metric: str
    gold: list[Any]
    systems: dict[str, list[Any]]
    clusters: list[str] | None
    options: dict[str, Any]
    left_out: dict[str, int]


def together(folders: Mapping[str, Path], task: str, metric: str | None = None) -> Together | str:
    """Collect what evaluations (name → folder) answered on the items that they share.

    Args:
        metric: key of the metric; None for the headline.

    Returns:
        Why they cannot be put together, where one of them was not scored from files that are there, or by the metric.
    """
    logged = {name: _logged(folder, task) for name, folder in folders.items()}
    facts: dict[str, Any] | None = None
    sides: dict[str, Rows] = {}
    for name, one in logged.items():
        if one is None:
            return f"{name} has no answers to {task} that could be compared"
        facts, sides[name] = facts or one[0], one[1]
        if metric is not None and metric not in one[0]["metrics"]:
            return f"{name} is not scored by {metric}"
    assert facts is not None
    key = metric or facts["metrics"][0]
    first = next(iter(sides.values()))
    shared = [
        at for at, row in first.items() if all(_gold_of(rows.get(at)) == row.item.gold for rows in sides.values())
    ]
    scoring, systems = Scoring.of_facts(facts), {}
    gold: list[Any] = []
    options: dict[str, Any] = {}
    for name, rows in sides.items():
        gold, systems[name], options = scoring.inputs(key, [rows[at].item for at in shared])
    clusters, _ = clusters_of(facts, [first[at] for at in shared]) if shared else (None, None)
    left = {name: len(rows) - len(shared) for name, rows in sides.items()}
    return Together(key, gold, systems, clusters, options, left)


def _gold_of(row: Row | None) -> Any:
    return _MISSING if row is None else row.item.gold


def difference(first: Path, second: Path, task: str, metric: str) -> Difference | None:
    """Compare two evaluation folders on the items that both answered.

    Returns:
        None where one of them does not say which of lm-eval's files it was scored from, where the task or the metric
        is not in it, or where they were not asked the same items.
    """
    one = together({"first": first, "second": second}, task, metric)
    if isinstance(one, str) or any(one.left_out.values()):
        return None
    (row,) = compare(metric_of(metric), one.gold, one.systems, clusters=one.clusters, rounds=ROUNDS, **one.options)
    return Difference(row.difference, row.low, row.high, metric_of(metric).better, len(one.gold))


def _logged(folder: Path, task: str) -> tuple[dict[str, Any], Rows] | None:
    """Return the facts and the rows of a task; None where they are not there, or are those of raters."""
    if not (folder / SOURCES).is_file():
        return None
    sources = read_results(folder / SOURCES)
    samples = folder / str(sources.get("samples", {}).get(task))
    if not samples.is_file() or not (folder / str(sources.get("results"))).is_file():
        return None
    config = read_results(folder / sources["results"])["configs"].get(task, {})
    facts = config.get("metadata", {}).get("affectllm")
    if not facts:
        return None
    rows = read_rows(samples)
    return None if raters_of(rows) else (facts, {(row.id, row.wording): row for row in rows})

"""The difference of two evaluations of one task on the same items, with the interval of the difference itself.

Intervals of two scores that overlap say little where both models met the same items. Here the items are paired by
their ids and whole clusters are resampled together, see ``metrics.core.comparison``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.evaluate.logged import SOURCES, read_results, read_samples
from affectllm.evaluate.scoring.scores import clusters_of
from affectllm.evaluate.scoring.task_scoring import Item, Scoring, metric_of
from affectllm.metrics.core.comparison import compare

ROUNDS = 500
Rows = dict[tuple[str, int | None], dict[str, Any]]


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


def difference(first: Path, second: Path, task: str, metric: str) -> Difference | None:
    """Compare two evaluation folders on the items that both answered.

    Returns:
        None where one of them does not say which of lm-eval's files it was scored from, where the task or the metric
        is not in it, or where they were not asked the same items.
    """
    ours, theirs = _logged(first, task), _logged(second, task)
    if ours is None or theirs is None or metric not in ours[0]["metrics"]:
        return None
    facts, mine = ours
    rows = theirs[1]
    if mine.keys() != rows.keys() or any(mine[key]["doc"]["gold"] != rows[key]["doc"]["gold"] for key in mine):
        return None
    keys = list(mine)
    sides = []
    for one in (mine, rows):
        gold, answers, options = Scoring.of_facts(facts).inputs(metric, [Item.of_row(one[key]) for key in keys])
        sides.append(answers)
    clusters, _ = clusters_of(facts, [mine[key] for key in keys])
    systems = dict(zip(("first", "second"), sides, strict=True))
    (row,) = compare(metric_of(metric), gold, systems, clusters=clusters, rounds=ROUNDS, **options)
    return Difference(row.difference, row.low, row.high, metric_of(metric).better, len(keys))


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
    rows = sorted(read_samples(samples), key=lambda row: row["doc_id"])
    if "human" in rows[0]["doc"]:
        return None
    return facts, {(row["doc"]["id"], row["doc"].get("wording")): row for row in rows}

"""The guard against forgetting: what a training did to general tasks that it did not train for.

The model is scored on them before and after, on the same items; the difference is paired over these.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed, WriteFailed
from affectllm.evaluate.logged import SOURCES, read_results
from affectllm.evaluate.scoring.paired import difference
from affectllm.evaluate.scoring.task_scoring import metric_of
from affectllm.metrics.core import bootstrap

GUARD, BEFORE, AFTER = "guard", "before", "after"
_FEWEST = 5  # items that an interval is computed from


@dataclass(frozen=True)
class Change:
    """What became of a general task.

    Args:
        task, metric: what was scored; by the headline of tasks of ours, by the first metric of others.
        before, after: values.
        low, high: 95 % interval of ``after - before``, paired over items; None where there are too few, or where the
            metric is no mean over items.
        better: whether a ``higher`` or a ``lower`` value is better.
        n: items.
    """

    task: str
    metric: str
    before: float
    after: float
    low: float | None
    high: float | None
    better: str
    n: int

    def __str__(self) -> str:
        interval = "no interval" if self.low is None else f"[{self.low:+.3f}, {self.high:+.3f}]"
        verdict = ": forgotten" if self.forgotten else ""
        values = f"{self.metric} {self.before:.3f} → {self.after:.3f}"
        return f"{self.task}, {values} ({self.change:+.3f} {interval}, {self.n:,} items){verdict}"

    @property
    def change(self) -> float:
        """``after - before``."""
        return self.after - self.before

    @property
    def forgotten(self) -> bool:
        """Whether the task became worse by more than chance explains."""
        if self.low is None or self.high is None:
            return False
        return self.low > 0 if self.better == "lower" else self.high < 0


def changes(evaluation: Path) -> list[Change]:
    """Return what became of each general task of an evaluation folder; none where there was no guard.

    Raises:
        Malformed: when a file of the guard is missing or damaged.
    """
    before, after = (evaluation / GUARD / name for name in (BEFORE, AFTER))
    if not ((before / SOURCES).is_file() and (after / SOURCES).is_file()):
        return []
    try:
        tasks = read_results(after / SOURCES).get("samples", {})
        return [one for task in tasks if (one := _of_ours(before, after, task) or _of_others(before, after, task))]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, WriteFailed) as error:
        message = f"the scores before and after training cannot be read: {type(error).__name__}: {error}"
        raise Malformed(message[:300], where=str(evaluation / GUARD), do="delete the folder and run again") from error


def _of_ours(before: Path, after: Path, task: str) -> Change | None:
    scores = [json.loads((folder / "scores.json").read_text(encoding="utf-8")).get(task) for folder in (before, after)]
    if not all(scores):
        return None
    metric = next(iter(scores[0]))
    paired = difference(after, before, task, metric)
    low, high = (paired.low, paired.high) if paired else (None, None)
    values = [float(one[metric]["value"]) for one in scores]
    return Change(task, metric, values[0], values[1], low, high, metric_of(metric).better, scores[0][metric]["n"])


def _of_others(before: Path, after: Path, task: str) -> Change | None:
    """Compare a task of lm-eval's own by its first metric."""
    results = [read_results(folder / read_results(folder / SOURCES)["results"]) for folder in (before, after)]
    key = next((key for key, value in results[1]["results"].get(task, {}).items() if _is_value(key, value)), None)
    if key is None:
        return None
    metric, _, kind = key.partition(",")
    sides = [dict(_values(folder, task, metric, kind)) for folder in (before, after)]
    shared = sorted(sides[0].keys() & sides[1].keys())
    values = [float(one["results"][task][key]) for one in results]
    apart = [sides[1][item] - sides[0][item] for item in shared]
    is_mean = bool(shared) and math.isclose(sum(apart) / len(apart), values[1] - values[0], abs_tol=1e-6)
    low, high = _interval(apart) if is_mean and len(shared) >= _FEWEST else (None, None)
    better = "higher" if results[1].get("higher_is_better", {}).get(task, {}).get(metric, True) else "lower"
    return Change(task, metric, values[0], values[1], low, high, better, len(shared))


def _is_value(key: str, value: Any) -> bool:
    return "," in key and "_stderr," not in key and isinstance(value, (int, float))


def _values(folder: Path, task: str, metric: str, kind: str) -> Iterator[tuple[str, float]]:
    """Yield each item's value of a metric, by the digest of its document."""
    file = folder / read_results(folder / SOURCES)["samples"][task]
    with file.open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row.get("filter", "none") == kind and isinstance(row.get(metric), (int, float)):
                yield f"{row['doc_id']} {row.get('doc_hash')}", float(row[metric])


def _interval(apart: list[float]) -> tuple[float, float]:
    import numpy as np

    table = np.stack([np.array(apart), np.ones(len(apart))], axis=1)
    mean = float(table[:, 0].mean())
    return bootstrap.interval(table, lambda sums: sums[..., 0] / sums[..., 1], mean)

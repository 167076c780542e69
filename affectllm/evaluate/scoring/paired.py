"""The difference of two evaluations of one task on the same items, with the interval of the difference itself.

Intervals of two scores that overlap say little where both models met the same items. Here the items are paired by
their ids and whole clusters are resampled together, see ``metrics.core.comparison``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed, WriteFailed
from affectllm.evaluate.logged import SOURCES, read_results
from affectllm.evaluate.scoring.rows import Row, clusters_of, raters_of, read_rows
from affectllm.evaluate.scoring.slots import of_facts
from affectllm.evaluate.scoring.task_scoring import Scoring, metric_of
from affectllm.metrics.core.comparison import compare

ROUNDS = 500
_MISSING = object()
Rows = dict[tuple[str, int | None], Row]
Facts = Mapping[str, Any]


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
        unlike: in what they were asked otherwise than the first of them, in words.
        lost: name → (answers in its files, answers that its scores count), where these are more.
    """

    metric: str
    gold: list[Any]
    systems: dict[str, list[Any]]
    clusters: list[str] | None
    options: dict[str, Any]
    left_out: dict[str, int]
    unlike: tuple[str, ...] = ()
    lost: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def together(folders: Mapping[str, Path], task: str, metric: str | None = None) -> Together | str:
    """Collect what evaluations (name → folder) answered on the items that they share.

    Args:
        metric: key of the metric; None for the headline.

    Returns:
        Why they cannot be put together: one of them was not scored from files that are there, or not by the metric, or
        their answers are not of one kind.

    Raises:
        Malformed: when what one of them logged is damaged; names the file.
    """
    every: dict[str, Facts] = {}
    sides: dict[str, Rows] = {}
    for name, folder in folders.items():
        one = _logged(folder, task)
        if one is None:
            return f"{name} has no answers to {task} that could be compared"
        every[name], sides[name] = one
        if metric is not None and metric not in every[name]["metrics"]:
            return f"{name} is not scored by {metric}"
    facts, first = next(iter(every.values())), next(iter(sides.values()))
    key = metric or facts["metrics"][0]
    if other := next((name for name, one in every.items() if _kind(one, key) != _kind(facts, key)), ""):
        return f"{other} and {next(iter(every))} were asked for other labels, or are scored with other options"
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
    lost = {
        name: (len(rows), counted)
        for name, rows in sides.items()
        if (counted := _counted(folders[name], task)) > len(rows)
    }
    return Together(key, gold, systems, clusters, options, left, tuple(_unlike(every)), lost)


def _counted(folder: Path, task: str) -> int:
    """Return how many answers the scores of a task count; 0 where they do not say."""
    count = _inner(read_object(folder / "details.json"), task).get("n")
    return count if isinstance(count, int) else 0


def _kind(facts: Facts, key: str) -> Any:
    """Return what has to be the same of evaluations that are compared: what may be answered, and how it is scored."""
    return of_facts(facts), facts.get("metric_options", {}).get(key)


def _unlike(every: Mapping[str, Facts]) -> Iterator[str]:
    """Yield a sentence for each thing that evaluations were asked otherwise."""
    for key, title in _ASKED.items():
        values = {name: _shown(facts.get(key)) for name, facts in every.items()}
        if len(set(values.values())) > 1:
            yield f"{title}: " + ", ".join(f"{value} ({name})" for name, value in values.items())


_ASKED = {
    "corpus": "corpus",
    "split": "split",
    "selection": "items",
    "rater": "rater",
    "version": "version of the task",
    "template": "template",
    "template_version": "version of the template",
    "language": "language",
    "modalities": "shown",
    "windows": "windows",
    "held_out": "held-out wordings",
    "score_by": "scored by",
    "protocol": "protocol",
    "hints": "hints",
}
"""Facts of a task that a reader has to know where evaluations differ in them, and what they are called."""


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name}={_shown(one)}" for name, one in value.items()) or "–"
    return "+".join(map(str, value)) if isinstance(value, list) else "–" if value is None else str(value)


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


def _logged(folder: Path, task: str) -> tuple[Facts, Rows] | None:
    """Return the facts and the rows of a task; None where they are not there, or are those of raters.

    Raises:
        Malformed: when one of the files is damaged.
    """
    logged = logged_facts(folder, task)
    if logged is None:
        return None
    facts, samples = logged
    try:
        rows = read_rows(samples)
    except (WriteFailed, KeyError, TypeError) as error:
        raise damaged(error, samples) from error
    if not rows or raters_of(rows):
        return None
    return facts, {(row.id, row.wording): row for row in rows}


def logged_facts(folder: Path, task: str) -> tuple[Facts, Path] | None:
    """Return the facts of a task, with its ``version``, and the samples file that it was scored from.

    Returns:
        None where one of them is not there.

    Raises:
        Malformed: when one of the files is damaged.
    """
    sources = read_object(folder / SOURCES)
    named = [sources.get("results"), _inner(sources, "samples").get(task)]
    results, samples = (folder / name if isinstance(name, str) else None for name in named)
    if results is None or samples is None or not samples.is_file():
        return None
    metadata = _inner(_inner(_inner(read_object(results), "configs"), task), "metadata")
    facts = _inner(metadata, "affectllm")
    return ({**facts, "version": metadata.get("version")}, samples) if facts else None


def damaged(error: Exception, samples: Path) -> Malformed:
    """Return the error that says that a samples file cannot be read."""
    what = error.what if isinstance(error, WriteFailed) else f"a line lacks {error}"
    return Malformed(what, where=str(samples), do=_AGAIN)


_AGAIN = "run the evaluation again"


def read_object(path: Path) -> dict[str, Any]:
    """Read the JSON object of a file; an empty one where there is no such file.

    Raises:
        Malformed: when it holds no JSON object.
    """
    if not path.is_file():
        return {}
    try:
        value: Any = read_results(path)
    except WriteFailed as error:
        raise Malformed("this is not JSON", where=str(path), do=_AGAIN) from error
    if not isinstance(value, dict):
        raise Malformed("this is no JSON object", where=str(path), do=_AGAIN)
    return value


def _inner(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, Mapping) else {}

"""Compute the plain values that the page's templates show, without HTML or file access."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.metrics import Score
from affectllm.report import display
from affectllm.report.charts import Axis, Whisker, axis, whisker
from affectllm.report.published import comparable
from affectllm.report.runfolder import FULL, Evaluation, RunData, given
from affectllm.report.standings import Standing, standing, standings

SERIES = 6
"""The number of distinct colours and marks for runs; further runs start over."""


@dataclass(frozen=True)
class ScoreRow:
    """One row of a chart of intervals: who, how much, and how it stands to the reference models.

    Args:
        series: number of the colour and mark; None for a reference model.
        verdicts: how it stands to the reference models, where that was looked at.
    """

    label: str
    series: int | None
    hollow: bool
    score: Score
    place: Whisker
    verdicts: tuple[Standing, ...] = ()


@dataclass(frozen=True)
class Panel:
    """One metric of one task over all runs and reference models; ``rules`` say where the references lie."""

    metric: str
    name: str
    meaning: str
    axis: Axis
    rows: tuple[ScoreRow, ...]
    rules: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Cell:
    """A cell of a confusion matrix: how many, and the share of its row in percent."""

    count: int
    share: float


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix: rows are right labels, columns given labels and, last, unreadable answers."""

    run: str
    series: int
    labels: tuple[str, ...]
    rows: tuple[tuple[str, int, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class ClassRow:
    """One class: its support, and per run (name, series, precision, recall, F1)."""

    label: str
    support: int
    values: tuple[tuple[str, int, float, float, float], ...]


def tasks_of(runs: Sequence[RunData]) -> list[str]:
    """Return every task that any run was scored on, in the runs' order."""
    scored = (run.evaluation.scores.items() for run in runs if run.evaluation)
    return list(dict.fromkeys(task for scores in scored for task, metrics in scores if metrics))


def details_of(runs: Sequence[RunData], task: str) -> Mapping[str, Any]:
    """Return the task's details from the first run that has it."""
    details = (run.evaluation.details[task] for run in runs if run.evaluation and task in run.evaluation.details)
    return next(details, {})


@dataclass(frozen=True)
class Ablations:
    """The headline metric of each run with all modalities, then with every subset."""

    name: str
    axis: Axis
    rows: tuple[ScoreRow, ...]


def panels(runs: Sequence[RunData], task: str) -> list[Panel]:
    """Return one panel per metric, the headline metric first."""
    scored = [run.evaluation.scores[task] for run in runs if run.evaluation and task in run.evaluation.scores]
    metrics = dict.fromkeys(metric for scores in scored for metric in scores)
    return [_panel(runs, task, metric, first=not place) for place, metric in enumerate(metrics)]


def _panel(runs: Sequence[RunData], task: str, metric: str, *, first: bool) -> Panel:
    """Return the panel of one metric; how runs stand to the references is computed for the first one."""
    references = reference_scores(runs, task, metric)
    scored = [
        (index, run.name, score)
        for index, run in enumerate(runs)
        if run.evaluation and (score := run.evaluation.scores.get(task, {}).get(metric))
    ]
    published = comparable(runs, task, metric)
    marks = [display.bare(value) for _, value in published]
    on = _axis(metric, [*(score for _, _, score in scored), *references.values(), *marks])
    rows = [
        ScoreRow(name, index % SERIES, False, score, whisker(score, on), _verdicts(runs, index, task, metric, first))
        for index, name, score in scored
    ]
    rows += [ScoreRow(name, None, True, score, whisker(score, on)) for name, score in references.items()]
    rules = tuple((name, whisker(score, on).at) for name, score in references.items())
    rules += tuple((f"published: {system}", on.place(value)) for system, value in published)
    return Panel(metric, display.metric_name(metric), display.metric_meaning(metric), on, tuple(rows), rules)


def _axis(metric: str, scores: Sequence[Score]) -> Axis:
    return axis(scores, ours.range) if (ours := display.known_metric(metric)) else axis(scores)


def reference_scores(runs: Sequence[RunData], task: str, metric: str) -> dict[str, Score]:
    """Return reference model → score, each from the first run that has it; by falling value."""
    scores: dict[str, Score] = {}
    for run in runs:
        for name, evaluation in run.references.items():
            if metric in evaluation.scores.get(task, {}):
                scores.setdefault(name, evaluation.scores[task][metric])
    return dict(sorted(scores.items(), key=lambda pair: (math.isnan(pair[1]["value"]), -pair[1]["value"])))


def _verdicts(runs: Sequence[RunData], index: int, task: str, metric: str, wanted: bool) -> tuple[Standing, ...]:
    """Return how a run stands to the reference models, its own before those of other runs."""
    if not wanted:
        return ()
    others: dict[str, Evaluation] = {}
    for run in (runs[index], *runs):
        for name, other in run.references.items():
            others.setdefault(name, other)
    return tuple(standings(runs[index], others, task, metric))


def human_of(runs: Sequence[RunData], task: str) -> Mapping[str, Any]:
    """Return on how many ratings the human ceiling of a task rests; empty where there is none."""
    humans = (run.references["human"].details.get(task, {}) for run in runs if "human" in run.references)
    return next((details["human"] for details in humans if "human" in details), {})


def confusions(runs: Sequence[RunData], task: str) -> list[Confusion]:
    """Return a confusion matrix for each run that has one."""
    matrices = []
    for index, run in enumerate(runs):
        details = run.evaluation.details.get(task, {}) if run.evaluation else {}
        if details.get("confusion"):
            rows = _confusion_rows(details["labels"], details["confusion"])
            matrices.append(Confusion(run.name, index % SERIES, tuple(details["labels"]), rows))
    return matrices


def _confusion_rows(
    labels: Sequence[str], counts: Sequence[Sequence[int]]
) -> tuple[tuple[str, int, tuple[Cell, ...]], ...]:
    rows = []
    for label, row in zip(labels, counts, strict=True):
        support = sum(row)
        cells = tuple(Cell(count, round(100 * count / support, 1) if support else 0.0) for count in row)
        rows.append((label, support, cells))
    return tuple(rows)


def class_rows(runs: Sequence[RunData], task: str) -> list[ClassRow]:
    """Return precision, recall and F1 of every class, the runs side by side."""
    tables = [(index, run.name, table) for index, run in enumerate(runs) if (table := _per_class(run, task))]
    labels = dict.fromkeys(label for _, _, table in tables for label in table)
    rows = []
    for label in labels:
        having = [(index, name, table[label]) for index, name, table in tables if label in table]
        values = [(name, i % SERIES, v["precision"], v["recall"], v["f1"]) for i, name, v in having]
        rows.append(ClassRow(label, having[0][2]["support"], tuple(values)))
    return rows


def _per_class(run: RunData, task: str) -> Mapping[str, Any]:
    return (run.evaluation.details.get(task, {}).get("per_class") or {}) if run.evaluation else {}


def ablations(runs: Sequence[RunData], task: str) -> Ablations | None:
    """Return the ablations of a task; None where no run has any."""
    labelled: list[tuple[str, int, bool, Score, tuple[Standing, ...]]] = []
    metric = ""
    for index, run in enumerate(runs):
        if not run.evaluation or task not in run.evaluation.scores or not run.ablations:
            continue
        metric = metric or display.headline_metric(run.evaluation.scores[task])
        prefix = f"{run.name}: " if len(runs) > 1 else ""
        labelled += [
            (prefix + (label if label == FULL else given(label)), index, label != FULL, score, verdicts)
            for label, score, verdicts in _ablation_rows(run, task, metric)
        ]
    if not labelled:
        return None
    on = _axis(metric, [score for *_, score, _ in labelled])
    rows = tuple(
        ScoreRow(label, index % SERIES, hollow, score, whisker(score, on), verdicts)
        for label, index, hollow, score, verdicts in labelled
    )
    return Ablations(display.metric_name(metric), on, rows)


def _ablation_rows(run: RunData, task: str, metric: str) -> Iterator[tuple[str, Score, tuple[Standing, ...]]]:
    assert run.evaluation is not None
    full: Evaluation = run.evaluation
    if metric not in full.scores[task]:
        return
    yield FULL, full.scores[task][metric], ()
    for name, evaluation in run.ablations.items():
        score = evaluation.scores.get(task, {}).get(metric)
        if score and name != FULL:
            yield name, score, (standing(evaluation, full, task, metric, "all modalities", score),)

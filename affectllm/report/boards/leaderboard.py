"""A leaderboard of all runs below a folder, as a page, a Markdown file and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from affectllm.errors import AffectError, explained
from affectllm.metrics import Score
from affectllm.report.boards.comparison import board
from affectllm.report.boards.entries import Entry, entries, names_of, runs_below
from affectllm.report.boards.suites import suites_of
from affectllm.report.charts import Axis, Whisker, axis, whisker
from affectllm.report.display import interval, known_metric, metric_name, number
from affectllm.report.html import write_page
from affectllm.report.published import Figure, figures
from affectllm.report.runfolder import RunData
from affectllm.report.scoretable import cell_text
from affectllm.report.views import reference_scores, tasks_of

MOST_COMPARED = 12  # runs of a task that are compared pair by pair: 66 pairs, which Holm's correction still resolves


@dataclass(frozen=True)
class Row:
    """One run of a task, with its place on the axis and the letters of its groups (empty where nothing is known)."""

    entry: Entry
    place: Whisker
    group: str
    series: int = 0
    hollow: bool = False


@dataclass(frozen=True)
class ReferenceRow:
    """The mark of a reference model on the axis."""

    place: Whisker
    series: None = None
    hollow: bool = True


@dataclass(frozen=True)
class TaskBoard:
    """The leaderboard of one task, the best run first."""

    task: str
    metric: str
    corpus: str
    axis: Axis
    rows: tuple[Row, ...]
    references: Mapping[str, Score]
    published: tuple[Figure, ...]
    note: str
    suites: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The metric as reports call it."""
        return metric_name(self.metric)

    def reference_row(self, score: Score) -> ReferenceRow:
        """Return the mark of a reference model."""
        return ReferenceRow(whisker(score, self.axis))


def write_leaderboard(folder: Path, out: Path | None = None) -> Path:
    """Write ``leaderboard.html``, ``.md`` and ``.json`` about all runs below ``folder``, and return the page.

    Raises:
        NotFound: when there are no runs.
        WriteFailed: when the file system refuses.
    """
    runs = runs_below(folder)
    boards = task_boards(runs, names_of(runs, folder))
    place = out or folder
    page = place if place.suffix == ".html" else place / "leaderboard.html"
    view = {
        "boards": boards,
        "runs": len(runs),
        "suites": sorted({name for one in boards for name in one.suites}),
        "languages": _values(boards, lambda entry: [entry.language]),
        "modalities": _values(boards, lambda entry: ["+".join(entry.modalities)]),
        "sizes": [size for size in _SIZES if any(_size(row.entry) == size for one in boards for row in one.rows)],
        "size_of": _size,
    }
    with explained(page):
        page.parent.mkdir(parents=True, exist_ok=True)
        page.with_suffix(".md").write_text(markdown(boards), encoding="utf-8")
        text = json.dumps(to_json(boards), indent=2, ensure_ascii=False)
        page.with_suffix(".json").write_text(text, encoding="utf-8")
    return write_page("leaderboard.html", view, page)


def task_boards(runs: Sequence[RunData], names: Sequence[str]) -> list[TaskBoard]:
    """Return a board for every task that some run scored."""
    tasks = tasks_of(runs)
    suites = suites_of(runs, tasks)
    return [replace(_board(runs, entries(runs, names, task), task), suites=suites[task]) for task in tasks]


def _board(runs: Sequence[RunData], scored: Sequence[Entry], task: str) -> TaskBoard:
    metric = scored[0].metric
    rows = [one for one in scored if one.metric == metric]
    known = known_metric(metric)
    sign = -1 if known is not None and known.better == "lower" else 1
    rows.sort(key=lambda one: -sign * one.score["value"])
    references = reference_scores(runs, task, metric)
    on = axis([*(one.score for one in rows), *references.values()], *([known.range] if known else []))
    groups, note = _groups(rows, task, metric)
    evaluations = (run.evaluation for run in runs if run.evaluation)
    details = next(one.details.get(task, {}) for one in evaluations if task in one.scores)
    placed = tuple(Row(one, whisker(one.score, on), groups.get(one.run, "")) for one in rows)
    corpus = str(details.get("corpus", ""))
    return TaskBoard(task, metric, corpus, on, placed, references, tuple(figures(runs, task)), note)


def _groups(rows: Sequence[Entry], task: str, metric: str) -> tuple[dict[str, str], str]:
    """Return run → letters, and in words how they were found, or why there are none."""
    if len(rows) < 2:
        return {}, ""
    compared = rows[:MOST_COMPARED]
    try:
        result = board({one.run: one.folder for one in compared}, task, metric)
    except AffectError as error:
        return {}, f"Not compared: {error.what}."
    if result.clusters < 5:
        return {}, f"{result.clusters} clusters are too few to tell runs apart."
    first = f"of the first {MOST_COMPARED}, " if len(rows) > MOST_COMPARED else ""
    how = f"{first}on {result.n:,} items that all answered, paired by cluster, Holm's correction, 5 %"
    return {rank.name: rank.group for rank in result.ranks}, f"Runs that share a letter cannot be told apart ({how})."


_SIZES = ("below 1 B", "1 to 4 B", "4 to 10 B", "above 10 B", "unknown")


def _size(entry: Entry) -> str:
    if entry.parameters is None:
        return "unknown"
    billions = entry.parameters / 1e9
    return next((name for end, name in zip((1, 4, 10), _SIZES, strict=False) if billions < end), _SIZES[3])


def _values(boards: Sequence[TaskBoard], of: Any) -> list[str]:
    return sorted({value for one in boards for row in one.rows for value in of(row.entry) if value})


def markdown(boards: Sequence[TaskBoard]) -> str:
    """Return a Markdown table for every task."""
    return "\n".join(line for one in boards for line in _markdown(one)) + "\n"


def _markdown(one: TaskBoard) -> list[str]:
    head = f"| run | {cell_text(one.title)} | 95 % interval | group | n | remarks |"
    lines = [f"## {cell_text(one.task)}", "", head, "|---|---:|---|---|---:|---|"]
    for row in one.rows:
        score, flags = row.entry.score, "; ".join(row.entry.flags)
        cells = [row.entry.run, number(score["value"]), interval(score), row.group, f"{score['n']:,}", flags]
        lines.append("| " + " | ".join(map(cell_text, cells)) + " |")
    for name, score in one.references.items():
        cells = [f"reference: {name}", number(score["value"]), interval(score), "", f"{score['n']:,}", ""]
        lines.append("| " + " | ".join(map(cell_text, cells)) + " |")
    return [*lines, "", *([one.note, ""] if one.note else [])]


def to_json(boards: Sequence[TaskBoard]) -> list[dict[str, Any]]:
    """Return plain JSON types."""
    return [
        {
            "task": one.task,
            "metric": one.metric,
            "corpus": one.corpus,
            "suites": list(one.suites),
            "runs": [_row_json(row) for row in one.rows],
            "references": dict(one.references),
            "published": [asdict(figure) for figure in one.published],
            "note": one.note,
        }
        for one in boards
    ]


def _row_json(row: Row) -> dict[str, Any]:
    entry = row.entry
    return {
        "run": entry.run,
        "score": dict(entry.score),
        "group": row.group,
        "modalities": list(entry.modalities),
        "language": entry.language,
        "parameters": entry.parameters,
        "flags": list(entry.flags),
    }

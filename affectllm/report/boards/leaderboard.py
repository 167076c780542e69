"""A leaderboard of all runs below a folder, as a page, a Markdown file and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import comb
from pathlib import Path
from typing import Any

from affectllm.errors import AffectError, Malformed, explained
from affectllm.evaluate.scoring.paired import together
from affectllm.metrics import Score
from affectllm.metrics.core.comparison import smallest_p
from affectllm.report.boards.comparison import SIGNIFICANT, board, clusters_of, finite, rank_key
from affectllm.report.boards.entries import Entry, entries, headline_of, runs_below, scored_otherwise
from affectllm.report.boards.suites import suites_of
from affectllm.report.charts import Axis, Whisker, axis, whisker
from affectllm.report.display import interval, known_metric, metric_name, number
from affectllm.report.html import write_page
from affectllm.report.published import Figure, figures
from affectllm.report.runfolder import RunData
from affectllm.report.scoretable import cell_text
from affectllm.report.views import details_of, reference_scores, tasks_of

MOST_COMPARED = 10
"""Runs of a task that are compared pair by pair: 45 pairs, which Holm's correction resolves from 1,000 draws, too."""


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
    below = runs_below(folder)
    runs, boards = below.runs, task_boards(below.runs)
    place = out or folder
    page = place if place.suffix == ".html" else place / "leaderboard.html"
    view = {
        "boards": boards,
        "runs": len(runs),
        "damaged": below.damaged,
        "suites": sorted({name for one in boards for name in one.suites}),
        "languages": _values(boards, lambda entry: [entry.language]),
        "modalities": _values(boards, lambda entry: ["+".join(entry.modalities)]),
        "sizes": [size for size in _SIZES if any(_size(row.entry) == size for one in boards for row in one.rows)],
        "size_of": _size,
    }
    with explained(page):
        page.parent.mkdir(parents=True, exist_ok=True)
        page.with_suffix(".md").write_text(markdown(boards, below.damaged), encoding="utf-8")
        rows = finite(to_json(boards, below.damaged))
        text = json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False)
        page.with_suffix(".json").write_text(text, encoding="utf-8")
    return write_page("leaderboard.html", view, page)


def task_boards(runs: Mapping[str, RunData]) -> list[TaskBoard]:
    """Return a board for every task that some run (name → run) scored."""
    tasks = tasks_of([*runs.values()])
    suites = suites_of([*runs.values()], tasks)
    return [replace(_board(runs, task), suites=suites[task]) for task in tasks]


def _board(runs: Mapping[str, RunData], task: str) -> TaskBoard:
    every, metric = [*runs.values()], headline_of(runs, task)
    known = known_metric(metric)
    sign = -1 if known is not None and known.better == "lower" else 1
    rows = sorted(entries(runs, task, metric), key=lambda one: rank_key(one.score["value"], sign))
    references = reference_scores(every, task, metric)
    on = axis([*(one.score for one in rows), *references.values()], *([known.range] if known else []))
    groups, note = _groups(rows, task, metric)
    if others := scored_otherwise(runs, task, metric):
        note = " ".join([note, f"Not scored by {metric_name(metric)}: {', '.join(others)}."]).strip()
    corpus = str(details_of(every, task).get("corpus", ""))
    placed = tuple(Row(one, whisker(one.score, on), groups.get(one.run, "")) for one in rows)
    return TaskBoard(task, metric, corpus, on, placed, references, tuple(figures(every, task)), note)


def _groups(rows: Sequence[Entry], task: str, metric: str) -> tuple[dict[str, str], str]:
    """Return run → letters, and in words how they were found, or why there are none."""
    if len(rows) < 2:
        return {}, ""
    every, remarks = _comparable(rows, task, metric)
    compared = every[: _most_compared(next(iter(every))[1])] if every else []
    if len(compared) < 2:
        return {}, " ".join(remarks)
    try:
        result = board({one.run: one.folder for one, _ in compared}, task, metric)
    except AffectError as error:
        return {}, " ".join([f"Not compared: {error.what}.", *remarks])
    remarks += [f"Asked otherwise, {one}." for one in result.unlike]
    if result.unresolved:
        return {}, " ".join([f"{result.unresolved}.", *remarks])
    first = f"of the first {len(compared)}, " if len(every) > len(compared) else ""
    how = f"{first}on {result.n:,} items that all answered, paired by cluster, Holm's correction, 5 %"
    letters = {rank.name: rank.group for rank in result.ranks}
    return letters, " ".join([f"Runs that share a letter cannot be told apart ({how}).", *remarks])


def _comparable(rows: Sequence[Entry], task: str, metric: str) -> tuple[list[tuple[Entry, int]], list[str]]:
    """Return the runs whose answers are at hand with their number of clusters, and a sentence about each other run.

    Only those on as many items as any: a run of a few items would leave all others with these few.
    """
    answered: list[tuple[Entry, int, int]] = []
    remarks: list[str] = []
    for row in rows:
        try:
            one = together({row.run: row.folder}, task, metric)
        except Malformed as error:
            one = f"{row.run}: {error.where}: {error.what}"
        if isinstance(one, str):
            remarks.append(f"Not compared: {one}.")
        else:
            answered.append((row, len(one.gold), clusters_of(one)))
    most = max((count for _, count, _ in answered), default=0)
    remarks += [f"Not compared: {row.run}, on {count:,} items." for row, count, _ in answered if count < most]
    return [(row, clusters) for row, count, clusters in answered if count == most], remarks


def _most_compared(clusters: int) -> int:
    """Return how many runs can be compared pair by pair so that some of them may still be told apart."""
    counts = range(2, MOST_COMPARED + 1)
    able = (count for count in reversed(counts) if smallest_p(comb(count, 2), clusters, 1_000) < SIGNIFICANT)
    return next(able, 2)


_SIZES = ("below 1 B", "1 to 4 B", "4 to 10 B", "above 10 B", "unknown")


def _size(entry: Entry) -> str:
    if entry.parameters is None:
        return "unknown"
    billions = entry.parameters / 1e9
    return next((name for end, name in zip((1, 4, 10), _SIZES, strict=False) if billions < end), _SIZES[3])


def _values(boards: Sequence[TaskBoard], of: Any) -> list[str]:
    return sorted({value for one in boards for row in one.rows for value in of(row.entry) if value})


def markdown(boards: Sequence[TaskBoard], damaged: Mapping[str, str]) -> str:
    """Return a Markdown table for every task, and the runs (name → why) that cannot be read."""
    broken = [f"- {cell_text(name)}: {cell_text(why)}" for name, why in damaged.items()]
    rows = ["## Damaged runs", "", *broken] if broken else []
    return "\n".join([*(line for one in boards for line in _markdown(one)), *rows]) + "\n"


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
    return [*lines, "", *([cell_text(one.note), ""] if one.note else [])]


def to_json(boards: Sequence[TaskBoard], damaged: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return plain JSON types; each task has the runs (name → why) that cannot be read."""
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
            "damaged": dict(damaged),
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

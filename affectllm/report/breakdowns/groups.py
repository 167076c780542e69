"""Scores by speaker, sex, language, length, level, as tables with one axis, and the gaps between groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from affectllm.errors import NotFound
from affectllm.evaluate.scoring.groups import FEWEST_ITEMS, Grouping, groupings
from affectllm.metrics import Score
from affectllm.report import display
from affectllm.report.charts import Axis, Whisker, axis, whisker
from affectllm.report.runfolder import RunData
from affectllm.report.views import SERIES


@dataclass(frozen=True)
class GroupRow:
    """The score of one group in one run.

    Args:
        score: None where the metric is undefined on the items of the group.
        filters: what finds the group's examples; empty for a range of numbers.
    """

    run: str
    series: int
    group: str
    score: Score | None
    place: Whisker | None
    filters: dict[str, str]
    hollow: bool = False


@dataclass(frozen=True)
class GroupTable:
    """The scores of a task by one fact.

    Args:
        title: of the fact.
        metric: title of the metric.
        groups: each with a row of every run that has it.
        gaps: in words, one a run.
        notes: what a reader must know of the table.
    """

    title: str
    metric: str
    axis: Axis
    groups: tuple[tuple[GroupRow, ...], ...]
    gaps: tuple[tuple[str, int, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ByGroup:
    """The tables of a task; ``problem`` says what its metric needs and is not here, where there are none for that."""

    tables: tuple[GroupTable, ...] = ()
    problem: str = ""


def by_group(runs: Sequence[RunData], task: str) -> ByGroup:
    """Return a table for every fact that divides the items of a task, the runs below each other.

    Raises:
        Malformed: when a file of an evaluation is damaged.
    """
    every: dict[str, list[tuple[str, int, Grouping]]] = {}
    for index, run in enumerate(runs):
        try:
            own = groupings(run.evaluation.folder, task) if run.evaluation else []
        except NotFound as error:  # the emotion wheels, which no one may ship
            return ByGroup(problem=f"{error.what}; {error.do}")
        for one in own:
            every.setdefault(one.name, []).append((run.name, index % SERIES, one))
    return ByGroup(tuple(_table(own) for own in every.values()))


def _table(own: Sequence[tuple[str, int, Grouping]]) -> GroupTable:
    first = own[0][2]
    known = display.known_metric(first.metric)
    scores = [score.score() for _, _, one in own for score in one.scores.values() if score]
    on = axis(scores, known.range) if known else axis(scores)
    names = dict.fromkeys(group for _, _, one in own for group in one.scores)
    rows = tuple(
        tuple(_row(run, series, one, group, on) for run, series, one in own if group in one.scores) for group in names
    )
    gaps = tuple((run, series, gap_in_words(one)) for run, series, one in own)
    return GroupTable(first.title, display.metric_name(first.metric), on, rows, gaps, tuple(_notes(first)))


def _row(run: str, series: int, one: Grouping, group: str, on: Axis) -> GroupRow:
    result = one.scores[group]
    score = result.score() if result else None
    filters = {one.name if one.name == "speaker" else f"is:{one.name}": group} if one.by_value else {}
    return GroupRow(run, series, group, score, whisker(score, on) if score else None, filters)


def gap_in_words(one: Grouping) -> str:
    """Return the gap of a grouping as a sentence without its end."""
    if one.gap is None:
        return f"no gap is given: fewer than two groups have {FEWEST_ITEMS} items"
    gap = one.gap
    interval = "no interval" if gap.low is None else f"[{display.number(gap.low)}, {display.number(gap.high)}]"
    ends = f"{gap.largest} less {gap.smallest}" if gap.value else "all alike"
    chance = (
        f"as large in {display.percent(round(gap.p, 3))} of shuffles" if gap.p > 0.001 else "in no shuffle as large"
    )
    return f"gap {display.number(gap.value)} {interval} ({ends}), {chance}"


def _notes(one: Grouping) -> list[str]:
    notes = [f"intervals over {one.cluster}s"]
    if one.unknown:
        notes.append(f"not known of {one.unknown:,} items")
    if one.further:
        notes.append(f"{one.further:,} groups with fewer items are not shown, but are in the gap")
    return notes

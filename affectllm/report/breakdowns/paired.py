"""The runs of a report against each other: differences on the items that all of them answered, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from affectllm.errors import AffectError
from affectllm.report import display
from affectllm.report.boards.comparison import Board, board
from affectllm.report.charts import Axis, Whisker, axis, whisker
from affectllm.report.runfolder import RunData

MOST = 8
"""More runs than these have too many pairs to be read, or to be told apart; `affectllm compare` takes any number."""


@dataclass(frozen=True)
class Pair:
    """The first run less the second: the difference, its interval, and what they say.

    Args:
        how: ``beats``, ``does_not_beat``, ``untold``, or ``unknown`` where there is no interval.
    """

    first: str
    second: str
    difference: float
    low: float | None
    high: float | None
    p: float
    how: str
    place: Whisker


@dataclass(frozen=True)
class Paired:
    """The comparison of a task; ``problem`` says why there is none."""

    board: Board | None
    metric: str
    better: str
    pairs: tuple[Pair, ...] = ()
    axis: Axis | None = None
    zero: float = 0.0
    problem: str = ""


def paired(runs: Sequence[RunData], task: str) -> Paired | None:
    """Compare the runs that were scored on a task, by its headline; None where there are fewer than two."""
    scored = [run for run in runs if run.evaluation and run.evaluation.scores.get(task)]
    if len(scored) < 2 or any(
        "suite" in (run.evaluation.details.get(task, {}) if run.evaluation else {}) for run in runs
    ):
        return None
    if len(scored) > MOST:
        return Paired(None, "", "", problem=f"{len(scored)} runs have too many pairs to be shown: affectllm compare")
    folders = {run.name: run.evaluation.folder for run in scored if run.evaluation}
    try:
        one = board(folders, task)
    except AffectError as error:
        return Paired(None, "", "", problem=error.what)
    known = display.known_metric(one.metric)
    better = known.better if known else "higher"
    scores = [display.bare(pair.difference, pair.low, pair.high) for pair in one.pairs]
    on = axis([*scores, display.bare(0.0)], (float("-inf"), float("inf")))
    pairs = tuple(
        Pair(
            pair.first,
            pair.second,
            pair.difference,
            pair.low,
            pair.high,
            pair.p_corrected,
            "unknown" if pair.low is None or pair.high is None else display.verdict(pair.low, pair.high, better),
            whisker(score, on),
        )
        for pair, score in zip(one.pairs, scores, strict=True)
    )
    return Paired(one, display.metric_name(one.metric), better, pairs, on, on.place(0.0))

"""The end of a run in the terminal: a line for every model and task, with the interval of its main metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from affectllm.metrics import Score
from affectllm.report.display import headline_metric, interval, metric_name, number, percent
from affectllm.report.runfolder import read_run
from affectllm.report.scoretable import evaluations

_HEAD = ("model", "task", "metric", "value", "95 % interval", "n", "unreadable")


def summary(folder: Path) -> str:
    """Return the table of a run folder; empty where nothing was scored."""
    scored = evaluations(read_run(folder))
    return score_table([(model, task, metrics) for one, model in scored for task, metrics in one.scores.items()])


def score_table(scored: Sequence[tuple[str, str, Mapping[str, Score]]]) -> str:
    """Return a table of the headline of every (model, task, metrics); empty where there are none.

    The column of models is left out where none has a name.
    """
    rows = [(model, task, *_values(metrics)) for model, task, metrics in scored]
    if not rows:
        return ""
    first = 0 if any(model for model, *_ in rows) else 1
    columns = [list(map(str, column)) for column in zip(_HEAD, *rows, strict=True)][first:]
    widths = [max(map(len, column)) for column in columns]
    lines = zip(*columns, strict=True)
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _values(metrics: Mapping[str, Score]) -> tuple[str, ...]:
    score = metrics[metric := headline_metric(metrics)]
    return metric_name(metric), number(score["value"]), interval(score), str(score["n"]), percent(score["unreadable"])

"""The end of a run in the terminal: a line for every model and task, with the interval of its main metric."""

from __future__ import annotations

from pathlib import Path

from affectllm.report.display import headline_metric, interval, metric_name, number
from affectllm.report.runfolder import read_run
from affectllm.report.scoretable import evaluations

_HEAD = ("model", "task", "metric", "value", "95 % interval", "n")


def summary(folder: Path) -> str:
    """Return the table of a run folder; empty where nothing was scored."""
    rows = []
    for evaluation, model in evaluations(read_run(folder)):
        for task, metrics in evaluation.scores.items():
            score = metrics[metric := headline_metric(metrics)]
            values = (number(score["value"]), interval(score), str(score["n"]))
            rows.append((model, task, metric_name(metric), *values))
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in (_HEAD, *rows))

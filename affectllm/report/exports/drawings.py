"""Figures for papers of what a report draws: scores, runs against each other, groups, calibration, answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.report import display
from affectllm.report.breakdowns.calibration import Calibration
from affectllm.report.exports.tables import file_name
from affectllm.report.figures import (
    COLOURS,
    MARKERS,
    Bar,
    canvas,
    confusion_figure,
    figures_of,
    forest_figure,
    plain,
    save,
)
from affectllm.report.runfolder import RunData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".pdf", ".svg")


def write_figures(runs: Sequence[RunData], tasks: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Write every figure of a report in each of ``FORMATS`` into a folder.

    Args:
        tasks: the views of the tasks, as the page's templates get them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths, taken = [], set[str]()
    for name, figure in _every(runs, tasks):
        stem = next(one for one in _stems(file_name(name)) if one not in taken)
        taken.add(stem)
        paths += [save(figure, folder / f"{stem}{suffix}") for suffix in FORMATS]
    return paths


def _stems(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def _every(runs: Sequence[RunData], tasks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Figure]]:
    for task in tasks:
        yield from _of_task(task)
    for run in runs:
        for name, figure in figures_of(run):
            yield (f"{run.name}_{name}" if len(runs) > 1 else name), figure


def _of_task(task: Mapping[str, Any]) -> Iterator[tuple[str, Figure]]:
    name = task["name"]
    for panel in task["panels"]:
        rows = [Bar(row.label, row.score, row.series, row.hollow) for row in panel.rows]
        yield f"scores_{name}_{panel.metric}", forest_figure(f"{name}: {panel.name} (value and 95 % interval)", rows)
    if (one := task["paired"]) and one.pairs:
        bars = [
            Bar(f"{pair.first} − {pair.second}", display.bare(pair.difference, pair.low, pair.high), 0)
            for pair in one.pairs
        ]
        yield f"differences_{name}", forest_figure(f"{name}: differences of {one.metric}", bars, zero=True)
    for table in task["groups"].tables:
        several = len(table.gaps) > 1
        bars = [
            Bar(f"{row.group} ({row.run})" if several else row.group, row.score, row.series)
            for rows in table.groups
            for row in rows
            if row.score
        ]
        yield f"groups_{name}_{table.title}", forest_figure(f"{name}: {table.metric} by {table.title}", bars)
    if task["calibrations"]:
        yield f"calibration_{name}", reliability_figure(name, task["calibrations"])
    for shown in task["pictures"]:
        for picture in shown.pictures:
            yield f"{shown.run}_{picture['title']}_{picture['slot']}_{name}", _picture(picture, shown.series)


def reliability_figure(title: str, every: Sequence[Calibration]) -> Figure:
    """Draw accuracy by confidence; on the dashed line a model is right as often as it is sure."""
    figure, axes = canvas(4.6, 4.6)
    axes.plot([0, 1], [0, 1], "--", color="0.5", linewidth=1)
    for one in every:
        label = f"{plain(one.run)}: ECE {display.number(one.ece['value'])}"
        style: dict[str, Any] = {"color": COLOURS[one.series % len(COLOURS)], "label": label}
        points = [(part.confidence, part.accuracy) for part in one.bins]
        axes.plot(*zip(*points, strict=True), MARKERS[one.series % len(MARKERS)] + "-", **style)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy", title=plain(title))
    axes.legend(frameon=False)
    return figure


def _picture(picture: Mapping[str, Any], series: int) -> Figure:
    """Draw the picture of a form's answers, which is of one of four kinds."""
    kind, title, colour = picture["kind"], str(picture["title"]), COLOURS[series % len(COLOURS)]
    if kind == "matrix":
        return confusion_figure(title, picture["rows"], picture["columns"], picture["counts"])
    if kind == "scatter":
        figure, axes = canvas(4.6, 4.6)
        low, high = picture["low"], picture["high"]
        axes.plot([low, high], [low, high], "--", color="0.5", linewidth=1)
        if picture["points"]:
            xs, ys, counts = zip(*picture["points"], strict=True)
            axes.scatter(xs, ys, [12 * count for count in counts], color=colour, alpha=0.5, linewidths=0)
        axes.set(xlim=(low, high), ylim=(low, high), xlabel="right", ylabel="given", title=plain(title))
        return figure
    if kind == "bars":
        parts = {"right": [row[1] for row in picture["rows"]], "given": [row[2] for row in picture["rows"]]}
    else:
        parts = {name: [row[2][place] for row in picture["rows"]] for place, name in enumerate(picture["columns"])}
    return _side_by_side(title, [str(row[0]) for row in picture["rows"]], parts)


def _side_by_side(title: str, names: Sequence[str], parts: Mapping[str, Sequence[float | None]]) -> Figure:
    """Draw horizontal bars, those of one name beside each other."""
    figure, axes = canvas(6.4, 1.4 + 0.26 * (1 + len(parts)) * max(1, len(names)))
    height = 0.8 / max(1, len(parts))
    for number, (label, values) in enumerate(parts.items()):
        places = [row + (number - (len(parts) - 1) / 2) * height for row in range(len(names))]
        lengths = [value or 0.0 for value in values]
        axes.barh(places, lengths, height * 0.92, color=COLOURS[number % len(COLOURS)], label=plain(label))
    axes.set_yticks(range(len(names)), [plain(name) for name in names])
    axes.invert_yaxis()
    axes.set_title(plain(title))
    figure.legend(loc="outside lower center", ncols=max(1, len(parts)), frameon=False)
    return figure

"""Draw PNG figures for papers and slides, with matplotlib but without a display and without global state."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.metrics import Score
from affectllm.report.charts import axis, wants_logarithm
from affectllm.report.display import headline_metric, metric_name, number
from affectllm.report.runfolder import FULL, Evaluation, History, RunData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito (2008): distinguishable with the common forms of colour blindness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")
DPI = 150


def draw_figures(run: RunData, folder: Path) -> list[Path]:
    """Write every figure that the run has data for into ``folder`` as PNG, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [save(figure, folder / f"{name}.png") for name, figure in figures_of(run)]


def figures_of(run: RunData) -> Iterator[tuple[str, Figure]]:
    """Yield name and figure of everything that the run has data for."""
    if run.evaluation:
        for task, details in run.evaluation.details.items():
            name = re.sub(r"[^\w.-]", "_", task)
            if details.get("confusion"):
                columns = [*details["labels"], "unreadable"]
                yield f"confusion_{name}", confusion_figure(task, details["labels"], columns, details["confusion"])
            if details.get("per_class"):
                yield f"per_class_{name}", per_class_figure(task, details["per_class"])
        if run.ablations:
            yield "ablation", ablation_figure(run.evaluation, run.ablations)
    for history in run.histories:
        if history.train or history.evaluation:
            yield history.curve.key.replace("/", "_"), loss_figure(history)


def save(figure: Figure, path: Path) -> Path:
    """Write a figure in the format of the path's suffix, and return the path."""
    import matplotlib

    # No date and no version in the file: the same scores give the same bytes.
    metadata = {".png": {"Software": None}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}[path.suffix]
    with matplotlib.rc_context({"svg.hashsalt": "affectllm"}):
        figure.savefig(path, dpi=DPI, metadata=metadata, facecolor="white")
    return path


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Return an empty figure of this size in inches, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def confusion_figure(
    title: str, labels: Sequence[str], columns: Sequence[str], confusion: Sequence[Sequence[int]]
) -> Figure:
    """Draw a confusion matrix: rows gold, columns predicted and ``unreadable``; shade: share of row; text: count."""
    columns = columns[: len(confusion[0])]
    shares = [[count / max(1, sum(row)) for count in row] for row in confusion]
    figure, axes = canvas(1.9 + 0.62 * len(columns), 1.5 + 0.5 * len(labels))
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for y, row in enumerate(confusion):
        for x, count in enumerate(row):
            axes.text(x, y, str(count), ha="center", va="center", color="white" if shares[y][x] > 0.55 else "black")
    axes.axvline(len(columns) - 1.5, color="0.3", linewidth=1)
    axes.set_xticks(range(len(columns)), [*map(plain, columns)], rotation=40, ha="right")
    axes.set_yticks(range(len(labels)), [*map(plain, labels)])
    axes.set(xlabel="given", ylabel="right", title=plain(title))
    figure.colorbar(image, ax=axes, label="share of the row")
    return figure


def per_class_figure(task: str, per_class: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw precision, recall and F1 of every class."""
    figure, axes = canvas(6.4, 1.4 + 0.52 * len(per_class))
    height = 0.26
    for index, metric in enumerate(("precision", "recall", "f1")):
        places = [row + (index - 1) * height for row in range(len(per_class))]
        values = [float(values.get(metric) or 0.0) for values in per_class.values()]
        axes.barh(places, values, height * 0.92, color=COLOURS[index], label={"f1": "F1"}.get(metric, metric))
    names = [f"{label} (n={values.get('support', '?')})" for label, values in per_class.items()]
    axes.set_yticks(range(len(per_class)), [*map(plain, names)])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), title=plain(task))
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def ablation_figure(full: Evaluation, ablations: Mapping[str, Evaluation]) -> Figure:
    """Draw the headline metric with its interval, for all modalities and for every subset that was scored."""
    rows = []
    for task, metrics in full.scores.items():
        metric = headline_metric(metrics)
        for name, evaluation in {FULL: full, **ablations}.items():
            if metric in evaluation.scores.get(task, {}):
                rows.append((f"{task} · {metric_name(metric)} · {name}", evaluation.scores[task][metric], name == FULL))
    bars = [Bar(label, score, 0, hollow=not is_full) for label, score, is_full in rows]
    return forest_figure("Modality ablation (value and 95 % interval)", bars)


@dataclass(frozen=True)
class Bar:
    """A row of a figure of intervals; ``series`` is the number of its colour and mark, None for a reference model."""

    label: str
    score: Score
    series: int | None
    hollow: bool = False


def forest_figure(title: str, rows: Sequence[Bar], *, zero: bool = False) -> Figure:
    """Draw values with their intervals below each other; with ``zero``, a line at 0 and an axis on both sides of it."""
    figure, axes = canvas(7.2, 1.0 + 0.36 * len(rows))
    for y, row in enumerate(rows):
        score = row.score
        colour = "0.45" if row.series is None else COLOURS[row.series % len(COLOURS)]
        mark = "D" if row.series is None else MARKERS[row.series % len(MARKERS)]
        if score["low"] is not None and score["high"] is not None:
            axes.plot([score["low"], score["high"]], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot(score["value"], y, mark, color=colour, markerfacecolor="white" if row.hollow else colour)
        axes.annotate(number(score["value"]), (score["value"], y), (0, 5), textcoords="offset points", ha="center")
    axes.set_yticks(range(len(rows)), [plain(row.label) for row in rows])
    axes.invert_yaxis()
    axes.margins(y=0.12)
    on = axis([row.score for row in rows])
    axes.set(xlim=(on.low, on.high + 0.02 * (on.high - on.low)), title=plain(title))
    if zero:
        axes.axvline(0, color="0.4", linewidth=1, linestyle="--")
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    return figure


def loss_figure(history: History) -> Figure:
    """Draw a curve of training and validation by step; the best checkpoint is marked."""
    noun, (low, high) = history.curve.noun, history.curve.range
    figure, axes = canvas(6.4, 3.6)
    for index, (name, points) in enumerate((("train", history.train), ("eval", history.evaluation))):
        if points:
            style: dict[str, Any] = {"marker": MARKERS[1], "markersize": 5} if name == "eval" else {}
            steps, values = [point.step for point in points], [point.value for point in points]
            axes.plot(steps, values, color=COLOURS[index], label=f"{name} {noun}", **style)
    if history.best:
        axes.plot(history.best.step, history.best.value, "*", color="black", markersize=15, label="kept checkpoint")
    values = [point.value for point in (*history.train, *history.evaluation)]
    axes.set(xlabel="step", ylabel=noun, yscale="log" if wants_logarithm(values, history.curve) else "linear")
    if math.isfinite(low) and math.isfinite(high):
        axes.set_ylim(low, high)
    axes.grid(color="0.9")
    axes.legend(frameon=False)
    return figure


def plain(text: str) -> str:
    """Return words of others as matplotlib draws them as they stand.

    It reads what is between dollar signs as mathematics, and ends at a byte order mark when it writes PDF.
    """
    return str(text).replace("$", r"\$").replace("\ufeff", "")

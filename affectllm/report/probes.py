"""The layer curves of a probe: a page, a table as CSV, and a figure of each task."""

from __future__ import annotations

import csv
import io
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import NotFound, explained
from affectllm.evaluate.probing.run import RESULT
from affectllm.report.display import metric_name
from affectllm.report.figures import COLOURS, MARKERS, canvas, save
from affectllm.report.html import environment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CONSTANT, _DASHES = ("majority", "chance", "say_all"), ("--", ":", "-.")


def write_probe(folder: Path) -> Path:
    """Write ``probe.html``, ``probe.csv`` and the figures of a probe into its run folder; return the page.

    Raises:
        NotFound: when the folder holds no probe.
        WriteFailed: when it cannot be written.
    """
    path = folder / RESULT
    if not path.is_file():
        raise NotFound(f"{folder} holds no probe", do="give the --out of `affectllm probe`")
    result = json.loads(path.read_text(encoding="utf-8"))
    with explained(folder):
        pictures = [_picture(name, task, result, folder) for name, task in result["tasks"].items()]
        (folder / "probe.csv").write_text(table(result), encoding="utf-8")
        page = folder / "probe.html"
        scratch = folder / ".probe.html.part"
        scratch.write_text(_page(result, pictures), encoding="utf-8")
        scratch.replace(page)
    return page


def table(result: Mapping[str, Any]) -> str:
    """Return a CSV line for each value: task, layer, what it is a value of, metric, value, and its interval."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["task", "layer", "kind", "metric", "value", "low", "high"])
    for name, task in result["tasks"].items():
        for layer in task["layers"]:
            number, headline = layer["layer"], task["headline"]
            for metric, score in layer["scores"].items():
                writer.writerow([name, number, "probe", metric, score["value"], score["low"], score["high"]])
            for kind, value in layer["controls"].items():
                writer.writerow([name, number, f"control by {kind}", headline, value, "", ""])
            for kind, value in layer["selectivity"].items():
                writer.writerow([name, number, f"selectivity by {kind}", headline, value, "", ""])
            for tokens, value in zip(result["after"], layer["after"], strict=True):
                writer.writerow([name, number, f"{tokens} tokens later", headline, value, "", ""])
        for kind, value in constants(task).items():
            writer.writerow([name, "", kind, task["headline"], value, "", ""])
    return out.getvalue()


def constants(task: Mapping[str, Any]) -> dict[str, float]:
    """Return what majority, chance and, of sets, all labels at once score on the headline, where they are defined."""
    controls = task["layers"][0]["scores"][task["headline"]]["controls"]
    defined = {kind: controls[kind] for kind in _CONSTANT if controls.get(kind) is not None}
    return {kind.replace("_", " "): value for kind, value in defined.items() if value or kind != "say_all"}


def best_layer(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the layer of the best headline; of several, the first."""
    choose = min if task["better"] == "lower" else max
    best: Mapping[str, Any] = choose(task["layers"], key=lambda layer: layer["scores"][task["headline"]]["value"])
    return best


def unbeaten(task: Mapping[str, Any]) -> list[str]:
    """Return the controls that do as well as the probe in every layer."""
    sign = -1 if task["better"] == "lower" else 1
    layers = task["layers"]
    return [kind for kind in layers[0]["controls"] if all(sign * one["selectivity"][kind] <= 0 for one in layers)]


def curve_figure(name: str, task: Mapping[str, Any], after: Sequence[int]) -> Figure:
    """Draw the headline by layer with its interval, control tasks, later tokens, and lines of constant answers."""
    headline, layers = task["headline"], task["layers"]
    places = [layer["layer"] for layer in layers]
    scores = [layer["scores"][headline] for layer in layers]
    figure, axes = canvas(6.8, 4.0)
    axes.plot(places, [score["value"] for score in scores], MARKERS[0] + "-", color=COLOURS[0], label="probe")
    if all(score["low"] is not None for score in scores):
        lows, highs = ([score[end] for score in scores] for end in ("low", "high"))
        axes.fill_between(places, lows, highs, color=COLOURS[0], alpha=0.15, linewidth=0, label="95 % interval")
    for number, kind in enumerate(layers[0]["controls"], 1):
        values = [layer["controls"][kind] for layer in layers]
        style: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "markersize": 4}
        axes.plot(places, values, MARKERS[number % len(MARKERS)] + "-", label=f"control by {kind}", **style)
    for number, tokens in enumerate(after):
        values = [layer["after"][number] for layer in layers]
        axes.plot(places, values, "-", color=COLOURS[0], alpha=0.7 / (number + 1), label=f"{tokens} tokens later")
    for dashes, (kind, value) in zip(_DASHES, constants(task).items(), strict=False):
        axes.axhline(value, linestyle=dashes, color="0.4", linewidth=1, label=kind)
    axes.set(xlabel="layer (0: what goes into the first)", ylabel=metric_name(headline), title=name.replace("$", r"\$"))
    axes.set_xticks(places if len(places) <= 16 else places[:: -(-len(places) // 16)])
    axes.grid(axis="y", color="0.9")
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _picture(name: str, task: Mapping[str, Any], result: Mapping[str, Any], folder: Path) -> str:
    """Draw a task's figure into the folder and return it for the page."""
    path = folder / (re.sub(r"[^\w.-]", "_", name) + ".png")
    save(curve_figure(name, task, result["after"]), path)
    return "data:image/png;base64," + b64encode(path.read_bytes()).decode("ascii")


def _page(result: Mapping[str, Any], pictures: Sequence[str]) -> str:
    tasks = [
        {
            **{**task, "name": name, "picture": picture},
            **{"best": best_layer(task), "unbeaten": unbeaten(task), "constants": constants(task)},
        }
        for (name, task), picture in zip(result["tasks"].items(), pictures, strict=True)
    ]
    named = {task["headline"]: metric_name(task["headline"]) for task in tasks}
    return environment().get_template("probe.html").render(result=result, tasks=tasks, named=named)

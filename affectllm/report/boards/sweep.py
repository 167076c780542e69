"""The summary of a sweep: a row for each run of a recipe's matrix, with what was varied and what came of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.errors import explained
from affectllm.report.boards.seeds import Seeded, lines, over_seeds
from affectllm.report.display import headline_metric, interval, metric_name, number
from affectllm.report.runfolder import RunData, read_run
from affectllm.report.scoretable import cell_text
from affectllm.run import write_json


@dataclass(frozen=True)
class Varied:
    """One run of a sweep: dotted key → value as text, and the run's folder."""

    values: Mapping[str, str]
    folder: Path


def write_sweep(
    folder: Path, varied: Sequence[Varied], failed: Mapping[str, str] | None = None
) -> tuple[Path, list[str]]:
    """Write ``sweep.md`` and ``sweep.json`` into the folder of a sweep.

    The table has what a validation found of the checkpoint that was kept, or of the last where none was chosen: by this
    one chooses among the runs. Then come the headline of every task with its interval, and the last training loss, or
    whatever the method's first curve is. Below it stands how the headlines vary with the seed, where seeds were varied,
    and which runs failed.

    Args:
        failed: name of a run that has no row → why.

    Returns:
        The first file, and a line for every headline that several seeds have.
    """
    runs = [(one, read_run(one.folder)) for one in varied]
    tasks = list(dict.fromkeys(task for _, run in runs if run.evaluation for task in run.evaluation.scores))
    keys = list(dict.fromkeys(key for one in varied for key in one.values))
    curve = next((run.histories[0].curve for _, run in runs if run.histories), None)
    validated = list(dict.fromkeys(noun for _, run in runs for noun in _validated(run)))
    told = [*(f"validation {noun}" for noun in validated), *(_title(runs, task) for task in tasks)]
    header = [*keys, *told, *([f"training {curve.noun}"] if curve else [])]
    rows = [
        [
            *(one.values.get(key, "") for key in keys),
            *_validation(run, validated),
            *_cells(run, tasks, curve is not None),
        ]
        for one, run in runs
    ]
    table = [header, ["---"] * len(header), *rows]
    written = ["| " + " | ".join(cell_text(cell) for cell in row) + " |" for row in table]
    spread = lines(seeded := over_seeds([one for run in runs for one in _headlines(*run)]))
    below = [*spread, *(f"{name} failed: {why}" for name, why in (failed or {}).items())]
    written += ["", *(f"- {line}" for line in below)] if below else []
    path = folder / "sweep.md"
    with explained(folder):
        scratch = folder / ".sweep.md.part"
        scratch.write_text("\n".join(written) + "\n", encoding="utf-8")
        scratch.replace(path)
        plain = [_plain(one, run, tasks) for one, run in runs]
        by_seed = [_spread(one) for one in seeded]
        write_json(folder / "sweep.json", {"runs": plain, "over_seeds": by_seed, "failed": dict(failed or {})})
    return path, spread


def _headlines(one: Varied, run: RunData) -> list[tuple[Mapping[str, str], str, str, float]]:
    scored = run.evaluation.scores if run.evaluation else {}
    headlines = [(task, headline_metric(scores), scores) for task, scores in scored.items()]
    numbers = [(one.values, task, metric, scores[metric]["value"]) for task, metric, scores in headlines]
    return [row for row in numbers if math.isfinite(row[3])]


def _spread(one: Seeded) -> dict[str, Any]:
    found = {"mean": one.mean, "deviation": one.deviation, "low": one.range[0], "high": one.range[1]}
    return {"values": dict(one.values), "task": one.task, "metric": one.metric, "scores": dict(one.scores), **found}


def _title(runs: Sequence[tuple[Varied, RunData]], task: str) -> str:
    evaluation = next(run.evaluation for _, run in runs if run.evaluation and task in run.evaluation.scores)
    return f"{task}, {metric_name(headline_metric(evaluation.scores[task]))}"


def _validated(run: RunData) -> dict[str, float]:
    """Return what a validation found: the method's first curve, and what the checkpoint was chosen by."""
    inputs = run.manifests.get("train", {}).get("inputs", {})
    recipe = inputs.get("recipe") if isinstance(inputs, Mapping) else None
    best = recipe.get("best") if isinstance(recipe, Mapping) else None
    chosen = best.get("metric") if isinstance(best, Mapping) else None
    shown = [one for place, one in enumerate(run.histories) if place == 0 or one.curve.key == chosen]
    return {one.curve.noun: (one.best or one.evaluation[-1]).value for one in shown if one.evaluation}


def _validation(run: RunData, nouns: Sequence[str]) -> list[str]:
    found = _validated(run)
    return [number(found[noun]) if noun in found else "–" for noun in nouns]


def _cells(run: RunData, tasks: Sequence[str], curve: bool) -> list[str]:
    cells = []
    for task in tasks:
        scores = run.evaluation.scores.get(task) if run.evaluation else None
        headline = scores[headline_metric(scores)] if scores else None
        cells.append(f"{number(headline['value'])} {interval(headline)}" if headline else "–")
    last = _last(run)
    return [*cells, *(["–" if last is None else number(last)] if curve else [])]


def _last(run: RunData) -> float | None:
    points = run.histories[0].train if run.histories else ()
    return points[-1].value if points else None


def _plain(one: Varied, run: RunData, tasks: Sequence[str]) -> dict[str, Any]:
    scores = run.evaluation.scores if run.evaluation else {}
    return {
        "values": dict(one.values),
        "run": one.folder.name,
        "validation": _validated(run),
        "scores": {task: scores.get(task) for task in tasks},
        "last": _last(run),
    }

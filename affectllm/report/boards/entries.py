"""The rows of a leaderboard: every run below a folder, what it scored on each task, and what speaks against it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.corpus.family import descent
from affectllm.errors import NotFound
from affectllm.evaluate.scoring.paired import difference
from affectllm.metrics import Score
from affectllm.report.display import headline_metric, known_metric
from affectllm.report.runfolder import Evaluation, RunData, read_run

SCORES = "scores.json"
_INNER = ("modalities", "reference")  # evaluations that belong to a run
_UNREAD = 0.05


@dataclass(frozen=True)
class Entry:
    """One run on one task.

    Args:
        run: its name.
        folder: of its evaluation.
        metric: key of the headline.
        score: its value with interval and n.
        modalities: what the model was shown.
        language: of the questions.
        parameters: weights of the model; None where the results do not say.
        flags: what a reader must know before believing the score, in words.
    """

    run: str
    folder: Path
    metric: str
    score: Score
    modalities: tuple[str, ...]
    language: str
    parameters: int | None
    flags: tuple[str, ...]


def runs_below(folder: Path) -> list[RunData]:
    """Read every run and every evaluation alone below a folder, in the order of their paths.

    Raises:
        NotFound: when there is none.
    """
    places = {_run_of(path, folder) for path in folder.rglob(SCORES) if not set(path.parts) & set(_INNER)}
    if not places:
        raise NotFound("there are no scores below this folder", where=str(folder), do="name the folder of your runs")
    return [read_run(place) for place in sorted(places)]


def _run_of(scores: Path, top: Path) -> Path:
    """Return the folder of the run that a file of scores belongs to."""
    return scores.parent.parent if scores.parent.name == "eval" and scores.parent != top else scores.parent


def names_of(runs: Sequence[RunData], top: Path) -> list[str]:
    """Return a name for each run: its path below the folder."""
    below = [run.folder.resolve().relative_to(top.resolve()).as_posix() for run in runs]
    return [run.name if name == "." else name for run, name in zip(runs, below, strict=True)]


def entries(runs: Sequence[RunData], names: Sequence[str], task: str) -> list[Entry]:
    """Return the runs that scored a task by its headline, in the order of ``runs``."""
    return [one for run, name in zip(runs, names, strict=True) if (one := _entry(run, name, task)) is not None]


def _entry(run: RunData, name: str, task: str) -> Entry | None:
    if run.evaluation is None or task not in run.evaluation.scores:
        return None
    scores, details = run.evaluation.scores[task], run.evaluation.details.get(task, {})
    metric = headline_metric(scores)
    return Entry(
        name,
        run.evaluation.folder,
        metric,
        scores[metric],
        tuple(details.get("modalities", ())),
        details.get("language", ""),
        _parameters(run.evaluation),
        tuple(_flags(run, task, metric, details)),
    )


def _parameters(evaluation: Evaluation) -> int | None:
    sources = evaluation.folder / "sources.json"
    if not sources.is_file():
        return None
    results = evaluation.folder / json.loads(sources.read_text(encoding="utf-8"))["results"]
    if not results.is_file():
        return None
    count = json.loads(results.read_text(encoding="utf-8")).get("config", {}).get("model_num_parameters")
    return count if isinstance(count, int) and count > 0 else None


def _flags(run: RunData, task: str, metric: str, details: Mapping[str, Any]) -> Iterator[str]:
    assert run.evaluation is not None
    score = run.evaluation.scores[task][metric]
    if score["unreadable"] > _UNREAD:
        yield f"{score['unreadable']:.0%} of the answers could not be read"
    released = details.get("released")
    if released and details.get("n") != released:
        yield f"asked {details.get('n'):,} of {released:,} items"
    yield from _shortcuts(run, task, metric)
    yield from _kin(run, str(details.get("corpus", "")))


def _shortcuts(run: RunData, task: str, metric: str) -> Iterator[str]:
    """Say which modalities alone do as well as all of them."""
    known = known_metric(metric)
    sign = -1.0 if known is not None and known.better == "lower" else 1.0
    assert run.evaluation is not None
    for name, ablation in run.ablations.items():
        if name == "full" or task not in ablation.scores:
            continue
        row = difference(run.evaluation.folder, ablation.folder, task, metric)
        if row is not None and (row.low is None or min(sign * row.low, sign * (row.high or 0.0)) <= 0):
            yield f"no better than with {name} alone"


def _kin(run: RunData, corpus: str) -> Iterator[str]:
    """Say which corpora of its training hold material of the scored one, other than that corpus itself."""
    for manifest in run.manifests.values():
        recipe = manifest.get("inputs", {}).get("recipe", {})
        parts = recipe.get("data", {}).get("parts", ()) if isinstance(recipe, Mapping) else ()
        trained = dict.fromkeys(str(part.get("corpus")) for part in parts)
        for one in trained:
            if corpus and one != corpus and (path := descent(one, corpus)):
                yield f"trained on {one} ({path})"
        if trained:
            return

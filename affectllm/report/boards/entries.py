"""The rows of a leaderboard: every run below a folder, what it scored on each task, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from affectllm.corpus.family import descent
from affectllm.errors import Malformed, NotFound
from affectllm.evaluate.logged import SOURCES
from affectllm.evaluate.scoring.paired import difference, read_object
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


@dataclass(frozen=True)
class Runs:
    """What lies below a folder.

    Args:
        runs: name → run, in the order of their paths; a name is the path below the folder.
        damaged: name → why the run cannot be read.
    """

    runs: Mapping[str, RunData]
    damaged: Mapping[str, str]


def runs_below(folder: Path) -> Runs:
    """Read every run and every evaluation alone below a folder.

    Raises:
        NotFound: when there is none.
        Malformed: when none of them can be read.
    """
    places = {_run_of(path, folder) for path in folder.rglob(SCORES) if not _is_inner(path, folder)}
    if not places:
        raise NotFound("there are no scores below this folder", where=str(folder), do="name the folder of your runs")
    runs: dict[str, RunData] = {}
    damaged: dict[str, Malformed] = {}
    for place in sorted(places):
        try:
            run = read_run(place)
            if run.evaluation is None or not any(run.evaluation.scores.values()):
                raise Malformed("there is no score in it", where=str(place), do="run the evaluation again")
            _parameters(run.evaluation)  # reads what lm-eval wrote beside the scores
            runs[run.name if place == folder else place.relative_to(folder).as_posix()] = run
        except Malformed as error:
            damaged[place.relative_to(folder).as_posix()] = error
    if not runs:
        raise next(iter(damaged.values()))
    return Runs(runs, {name: f"{error.what} ({error.where})" for name, error in damaged.items()})


def _is_inner(scores: Path, top: Path) -> bool:
    """Return whether scores are of an ablation or a reference model of a run below the top folder."""
    parts = scores.relative_to(top).parts
    return len(parts) > 2 and parts[-3] in _INNER and scores.parents[1] != top


def _run_of(scores: Path, top: Path) -> Path:
    """Return the folder of the run that a file of scores belongs to."""
    return scores.parent.parent if scores.parent.name == "eval" and scores.parent != top else scores.parent


def headline_of(runs: Mapping[str, RunData], task: str) -> str:
    """Return the metric that the board of a task ranks by: the headline of the first run that was scored on it."""
    scored = (run.evaluation.scores.get(task) for run in runs.values() if run.evaluation)
    return headline_metric(next(filter(None, scored)))


def entries(runs: Mapping[str, RunData], task: str, metric: str) -> list[Entry]:
    """Return the runs that scored a task by a metric, in the order of ``runs``."""
    return [
        _entry(name, run, run.evaluation, task, metric)
        for name, run in runs.items()
        if run.evaluation and metric in run.evaluation.scores.get(task, {})
    ]


def scored_otherwise(runs: Mapping[str, RunData], task: str, metric: str) -> list[str]:
    """Return the runs that were scored on a task, but not by the metric."""
    scores = {name: run.evaluation.scores.get(task, {}) for name, run in runs.items() if run.evaluation}
    return [name for name, own in scores.items() if own and metric not in own]


def _entry(name: str, run: RunData, evaluation: Evaluation, task: str, metric: str) -> Entry:
    details = evaluation.details.get(task, {})
    return Entry(
        name,
        evaluation.folder,
        metric,
        evaluation.scores[task][metric],
        tuple(details.get("modalities", ())),
        details.get("language", ""),
        _parameters(evaluation),
        tuple(_flags(run, evaluation, task, metric)),
    )


def _parameters(evaluation: Evaluation) -> int | None:
    name = read_object(evaluation.folder / SOURCES).get("results")
    results = read_object(evaluation.folder / name) if isinstance(name, str) else {}
    config = results.get("config")
    count = config.get("model_num_parameters") if isinstance(config, Mapping) else None
    return count if isinstance(count, int) and count > 0 else None


def _flags(run: RunData, evaluation: Evaluation, task: str, metric: str) -> Iterator[str]:
    score, details = evaluation.scores[task][metric], evaluation.details.get(task, {})
    if score["unreadable"] > _UNREAD:
        yield f"{score['unreadable']:.0%} of the answers could not be read"
    asked, released = details.get("n"), details.get("released")
    if asked and released and asked != released:
        yield f"asked {asked:,} of {released:,} items"
    yield from _shortcuts(run, evaluation, task, metric)
    yield from _kin(run, str(details.get("corpus", "")))


def _shortcuts(run: RunData, evaluation: Evaluation, task: str, metric: str) -> Iterator[str]:
    """Say which modalities alone do as well as all of them, and where that cannot be told."""
    known = known_metric(metric)
    sign = -1.0 if known is not None and known.better == "lower" else 1.0
    for name, ablation in run.ablations.items():
        if name == "full" or task not in ablation.scores:
            continue
        try:
            row = difference(evaluation.folder, ablation.folder, task, metric)
        except Malformed as error:
            yield f"not compared with {name} alone: {error.what}"
            continue
        if row is None:
            yield f"not compared with {name} alone: not the same items"
        elif row.low is None or row.high is None:
            yield f"too few clusters to tell it from {name} alone"
        elif min(sign * row.low, sign * row.high) <= 0:
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

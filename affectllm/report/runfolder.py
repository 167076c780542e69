"""Read a run folder: scores, ablations, reference models, loss history, rejections. Opens no clip."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus.roots import Roots
from affectllm.errors import Malformed, NotFound
from affectllm.metrics import Score
from affectllm.report.display import metric_name
from affectllm.run import read_manifest, refuse_damaged
from affectllm.train.checkpoints import REPLIES
from affectllm.train.method import LOSS, Curve, find_method, method_names

STAGES = ("build", "train", "eval")
FULL = "full"
HINTED = {"none": "without hints", "other": "hints of another item"}
"""Whose hints were shown → what the evaluation is called, beside those with some of the modalities."""
_AGAIN = "run the stage that writes it again"
_SCORE_KEYS = ("value", "low", "high", "n", "unreadable")


@dataclass(frozen=True)
class Evaluation:
    """One evaluation folder.

    Args:
        name: ``full``, the modalities of an ablation (``text``, ``audio``, …) or a reference model (``majority``, …).
        folder: where it lies.
        scores: task → metric → score, as ``scores.json`` has them.
        details: task → labels, confusion, per-class values, modalities, …, as ``details.json`` has them.
    """

    name: str
    folder: Path
    scores: Mapping[str, Mapping[str, Score]]
    details: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Point:
    """A value at an optimisation step."""

    step: int
    value: float


@dataclass(frozen=True)
class History:
    """One curve of what the trainer logged, and its value at the best checkpoint."""

    train: tuple[Point, ...]
    evaluation: tuple[Point, ...]
    best: Point | None
    curve: Curve = LOSS


@dataclass(frozen=True)
class RunData:
    """The data of one run for the report."""

    name: str
    folder: Path
    evaluation: Evaluation | None
    ablations: Mapping[str, Evaluation] = field(default_factory=dict)
    references: Mapping[str, Evaluation] = field(default_factory=dict)
    histories: tuple[History, ...] = ()
    manifests: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rejected: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    recipe: str | None = None
    replies: tuple[Mapping[str, Any], ...] = ()


def read_run(folder: Path) -> RunData:
    """Read the folder of ``affectllm run``, or of one evaluation alone.

    Raises:
        NotFound: when there is neither an evaluation nor a training in it.
        Malformed: when one of its files cannot be read.
    """
    alone = (folder / "scores.json").is_file()
    place = folder if alone else folder / "eval"
    stages = {"eval": folder} if alone else {stage: folder / stage for stage in STAGES}
    refuse_damaged(place)  # scores that are gone would be left out without a word
    manifests = {stage: content for stage, path in stages.items() if (content := read_manifest(path))}
    run = RunData(
        name=folder.resolve().name,
        folder=folder,
        evaluation=_evaluation(FULL, place),
        ablations=_evaluations(place / "modalities"),
        references=_evaluations(place / "reference"),
        histories=read_histories(folder / "train" / "trainer_state.json", _curves(manifests.get("train", {}))),
        manifests=manifests,
        rejected={stage: content for stage, path in stages.items() if (content := rejections(path))},
        recipe=_text(folder / "recipe.yaml"),
        replies=sampled_replies(folder / "train" / REPLIES),
    )
    if run.evaluation is None and not run.histories:
        raise NotFound(
            f"{folder} holds no scores and no training", do="give a folder that `affectllm run` or `eval` made"
        )
    return run


def read_json(path: Path) -> Any:
    """Read the JSON value of a file.

    Raises:
        Malformed: when the file is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Malformed("this is not JSON", where=str(path), do=_AGAIN) from error


def read_object(path: Path, *, of_objects: bool = False) -> dict[str, Any]:
    """Read the JSON object of a file; with ``of_objects`` each of its values must be one too.

    Raises:
        Malformed: when the file is not JSON, or holds something else.
    """
    value = read_json(path)
    if not isinstance(value, dict) or (of_objects and not all(isinstance(inner, dict) for inner in value.values())):
        message = "this is no JSON object" + (" of objects" if of_objects else "")
        raise Malformed(message, where=str(path), do=_AGAIN)
    return value


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _evaluations(folder: Path) -> dict[str, Evaluation]:
    if not folder.is_dir():
        return {}
    evaluations = {child.name: _evaluation(child.name, child) for child in sorted(folder.iterdir()) if child.is_dir()}
    return {name: evaluation for name, evaluation in evaluations.items() if evaluation}


def _evaluation(name: str, folder: Path) -> Evaluation | None:
    path = folder / "scores.json"
    if not path.is_file():
        return None
    scores = read_object(path, of_objects=True)
    for task, metrics in scores.items():
        for metric, score in metrics.items():
            if wrong := _wrong_score(score):
                raise Malformed(f"{task}, {metric}: {wrong}", where=str(path), do="run the evaluation again")
    details = folder / "details.json"
    return Evaluation(name, folder, scores, read_object(details, of_objects=True) if details.is_file() else {})


def _wrong_score(score: Any) -> str:
    """Return what is invalid in ``score``, or ""; an interval may be absent, a value may be NaN."""
    if not isinstance(score, dict):
        return f"{str(score)[:60]} is no score"
    if missing := next((key for key in _SCORE_KEYS if key not in score), ""):
        return f"no {missing}"
    numbers = {key: score[key] for key in _SCORE_KEYS if score[key] is not None or key not in ("low", "high")}
    wrong = next((key for key, value in numbers.items() if not isinstance(value, int | float)), "")
    return f"{wrong} is {str(score[wrong])[:60]}" if wrong else ""


def _curves(manifest: Mapping[str, Any]) -> tuple[Curve, ...]:
    """Return the curves of a training's method; its loss, where the method is not among ours."""
    recipe = manifest.get("inputs", {}).get("recipe", {})
    name = recipe.get("method", "sft") if isinstance(recipe, dict) else ""
    curves = find_method(name).curves if name in method_names() else (LOSS,)
    best = recipe.get("best") if isinstance(recipe, dict) else None
    key = best.get("metric") if isinstance(best, dict) else None
    if not isinstance(key, str) or key in {curve.key for curve in curves}:
        return curves
    return (*curves, Curve(key, f"{metric_name(key)} of answers to validation rows", metric_name(key)))


def read_histories(path: Path, curves: Sequence[Curve]) -> tuple[History, ...]:
    """Read the curves in the Trainer's ``trainer_state.json``, the first also where nothing was logged; none where
    there is no such file.

    Raises:
        Malformed: when the file is no log of steps.
    """
    if not path.is_file():
        return ()
    state = read_object(path)
    log = state.get("log_history", [])
    if not isinstance(log, list) or not all(
        isinstance(row, dict) and isinstance(row.get("step"), int | float) for row in log
    ):
        raise Malformed("log_history is no list of steps", where=str(path), do=_AGAIN)
    keys = dict.fromkeys(key for row in log for key in row)
    first, *others = [_history(state, log, one) for curve in curves for one in curve.each(keys)]
    return (first, *(history for history in others if history.train or history.evaluation))


def sampled_replies(path: Path, most: int = 24) -> tuple[Mapping[str, Any], ...]:
    """Return the first and the last replies that a training sampled, ``most`` together, the last first.

    Raises:
        Malformed: when a line is no reply.
    """
    if not path.is_file():
        return ()
    first: list[Mapping[str, Any]] = []
    last: deque[Mapping[str, Any]] = deque(maxlen=most // 2)
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                shown = {"step": row["step"], "id": row["id"], "reply": row["reply"], "rewards": dict(row["rewards"])}
            except (ValueError, KeyError, TypeError) as error:
                raise Malformed("this line is no sampled reply", where=f"{path}:{number}", do=_AGAIN) from error
            (first if len(first) < most - most // 2 else last).append(shown)
    return (*reversed(last), *reversed(first))


def untaught_of(manifests: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what the rewards of a run's training did not teach, as the training said it; none without rewards."""
    lines = manifests.get("train", {}).get("outputs", {}).get("untaught", [])
    return [str(line) for line in lines] if isinstance(lines, list) else []


def _history(state: Mapping[str, Any], log: Sequence[Mapping[str, Any]], curve: Curve) -> History:
    train = tuple(Point(row["step"], row[curve.key]) for row in log if curve.key in row)
    key = f"eval_{curve.key}"
    evaluation = tuple(Point(row["step"], row[key]) for row in log if key in row)
    return History(train, evaluation, _best(state, evaluation), curve)


def _best(state: Mapping[str, Any], evaluation: tuple[Point, ...]) -> Point | None:
    # `best_global_step` is what the Trainer kept; a run without checkpoint selection has none, and none is invented.
    step = state.get("best_global_step")
    return next((point for point in evaluation if point.step == step), None)


def rejections(folder: Path) -> dict[str, int]:
    """Count rejections by reason in the ``*rejected.jsonl`` files of a stage; most frequent first."""
    counts: Counter[str] = Counter()
    for path in sorted(folder.glob("*rejected.jsonl")):
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                counts[_reason(line, f"{path}:{number}")] += 1
    return dict(counts.most_common())


def _reason(line: str, where: str) -> str:
    try:
        return str(json.loads(line)["reason"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Malformed("this line is no rejection", where=where, do=_AGAIN) from error


def roots_at_hand(runs: Sequence[Path], roots: Roots) -> dict[str, Path]:
    """Return the folders of the runs' corpora, as far as known here; a report says which clips it left out."""
    manifests = [read_manifest(run / "eval") or {} for run in runs]
    names = {name for manifest in manifests for name in manifest.get("inputs", {}).get("roots", {})}
    names |= {path.name for run in runs for path in (run / "build" / "samples").glob("*")}
    at_hand, _ = roots.at_hand(sorted(names - set(roots.given)))
    return {**roots.given, **at_hand}


def given(name: str) -> str:
    """Return what the model was given in an ablation, in words."""
    return name if name in HINTED.values() else f"{name} only"

"""Tell the trackers of a training what came of it: scores and the page of the report, beside the losses they have.

During the training the library's own callbacks log to them; the scores come after it, from another process.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from affectllm.report.runfolder import RunData, given, read_run
from affectllm.run import digest, tracked_as, write_json

_TOLD = ".told.json"
_PROJECT = "huggingface"  # where the library's callbacks log, unless they are told otherwise


def tell_trackers(folder: Path, page: Path) -> None:
    """Log scores and the report's place to every tracker that the recipe names under ``trainer.report_to``.

    A tracker that cannot be reached does not undo a finished run: what it says is printed, and the same command tells
    it again. Scores that it has been told are not told twice.
    """
    run, note = read_run(folder), folder / "train" / _TOLD
    scores = _scores(run)
    known = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
    for name in _named(run):
        if name not in _LOGS or known.get(name) == digest(scores):
            continue
        try:
            _LOGS[name](run, scores, page)
        except Exception as error:  # of a tracker's client, whose kinds are its own
            print(f"{name} did not take the scores: {type(error).__name__}: {error}", file=sys.stderr)
        else:
            known[name] = digest(scores)
            write_json(note, known)


def _named(run: RunData) -> list[str]:
    recipe = run.manifests.get("train", {}).get("inputs", {}).get("recipe", {})
    named = recipe.get("trainer", {}).get("report_to", [])
    names = [named] if isinstance(named, str) else list(named)
    return list(_LOGS) if names == ["all"] else names


def _scores(run: RunData) -> dict[str, float]:
    scored = {"": run.evaluation, **{f"{given(name)}/": one for name, one in run.ablations.items()}}
    scored |= {f"{name}/": one for name, one in run.references.items()}
    return {
        f"score/{prefix}{task}/{metric}": float(score["value"])
        for prefix, one in scored.items()
        if one is not None
        for task, metrics in one.scores.items()
        for metric, score in metrics.items()
    }


def _step(run: RunData) -> int:
    points = run.histories[0].train if run.histories else ()
    return points[-1].step if points else 0


def _to_tensorboard(run: RunData, scores: Mapping[str, float], page: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    given = os.environ.get("TENSORBOARD_LOGGING_DIR")
    folders = sorted((run.folder / "train" / "runs").glob("*"), key=lambda path: path.stat().st_mtime)
    writer = SummaryWriter(given or str(folders[-1] if folders else run.folder / "train" / "runs"))
    for name, value in scores.items():
        writer.add_scalar(name, value, _step(run))
    writer.add_text("report", str(page.absolute()), _step(run))
    writer.close()


def _to_wandb(run: RunData, scores: Mapping[str, float], page: Path) -> None:
    import wandb

    project, known = os.environ.get("WANDB_PROJECT", _PROJECT), os.environ.get("WANDB_RUN_ID")
    tracked = wandb.init(project=project, name=run.name, id=known or tracked_as(run.folder), resume="allow")
    tracked.log(dict(scores))
    tracked.summary["report"] = str(page.absolute())
    tracked.finish()


def _to_trackio(run: RunData, scores: Mapping[str, float], page: Path) -> None:
    import trackio

    trainer = run.manifests["train"]["inputs"]["recipe"]["trainer"]
    trackio.init(
        project=trainer.get("project", _PROJECT), name=trainer.get("run_name", run.name), resume="allow", embed=False
    )
    trackio.log({**scores, "report": str(page.absolute())})
    trackio.finish()


_LOGS: Mapping[str, Callable[[RunData, Mapping[str, float], Path], Any]] = {
    "tensorboard": _to_tensorboard,
    "wandb": _to_wandb,
    "trackio": _to_trackio,
}

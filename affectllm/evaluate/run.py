"""Run one evaluation in a run folder: skipped when nothing has changed, resumed when it was killed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm import voice
from affectllm.errors import explained
from affectllm.evaluate import logged
from affectllm.evaluate.environment import settings
from affectllm.evaluate.harness import lm_eval_main
from affectllm.evaluate.models.endpoint_options import OPERATION
from affectllm.evaluate.models.parallel import Processes
from affectllm.evaluate.protocol import Protocol
from affectllm.evaluate.shelf import all_tasks, page_files, with_members
from affectllm.hints.attach import Hints, Shown
from affectllm.metrics import Score
from affectllm.respond.keys import refuse_secrets
from affectllm.run import Run, file_digest, is_finished, read_manifest

HEAD = "affectllm-head"
"""The lm-eval model of heads."""
# Answers may be deleted to save space.
_KEPT = ("*.json", "*.jsonl")


def evaluate(
    tasks: Sequence[str],
    model: str,
    out: Path,
    *,
    model_args: Mapping[str, Any] | None = None,
    roots: Mapping[str, Path] | None = None,
    modalities: Sequence[str] | None = None,
    lm_eval_args: Sequence[str] = (),
    inputs: Mapping[str, Any] | None = None,
    hints: Shown = "own",
) -> dict[str, dict[str, Score]]:
    """Score a model on tasks and write lm-eval's files, ``scores.json`` and ``details.json`` to ``out``.

    Args:
        tasks: names of tasks or groups.
        model: name of an lm-eval model: ``affectllm``, ``affectllm-oracle``, ``hf``, …
        out: the run folder.
        model_args: arguments of the model, for example ``{"pretrained": "tiny:<family>"}``.
        roots: corpus name → folder, where it does not lie in ``$AFFECTLLM_CORPORA``.
        modalities: show only these of each task's modalities; None shows all.
        lm_eval_args: further options of lm-eval, for example ``["--limit", "10"]``.
        inputs: what else decides the outputs, as JSON values (digests of corpora, …).
        hints: whose hints stand in the prompts of tasks that have some: ``own``, ``none``, or an ``other`` item's.

    Returns:
        ``{task: {metric: score}}``, also when the folder was finished before.

    Raises:
        AffectError: for tasks, corpora, models and options; see ``harness.lm_eval_main``.
    """
    one = Evaluation(
        out, tuple(tasks), model, dict(model_args or {}), roots or {}, modalities, lm_eval_args, inputs or {}, hints
    )
    one.run()
    written: dict[str, dict[str, Score]] = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    return written


@dataclass(frozen=True)
class Evaluation:
    """An evaluation to be run; see ``evaluate`` for its arguments. It may travel to other processes as JSON."""

    out: Path
    tasks: Sequence[str]
    model: str
    model_args: Mapping[str, Any] = field(default_factory=dict)
    roots: Mapping[str, Path] = field(default_factory=dict)
    modalities: Sequence[str] | None = None
    lm_eval_args: Sequence[str] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    hints: Shown = "own"

    def to_json(self) -> dict[str, Any]:
        """Return the arguments as JSON values."""
        places = {"out": str(self.out), "roots": {name: str(root) for name, root in self.roots.items()}}
        return {**vars(self), **places}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Evaluation:
        """Return the evaluation of ``to_json``."""
        roots = {name: Path(root) for name, root in values["roots"].items()}
        return cls(**{**values, "out": Path(values["out"]), "roots": roots})

    def finished(self) -> bool:
        """Return whether its folder holds all of it already."""
        return is_finished(self.out, self._decides())

    def take(self, finished: Path) -> None:
        """Copy another folder that holds all of it already; else do nothing."""
        if self.finished() or not is_finished(finished, self._decides()):
            return
        scratch = self.out.with_name(f".{self.out.name}.part")
        with explained(self.out):
            for place in (scratch, self.out):
                if place.exists():
                    shutil.rmtree(place)
            shutil.copytree(finished, scratch)
            scratch.rename(self.out)

    def run(self) -> None:
        """Run it in this process, or where a launch has started several, in all of them; skipped when it is finished.

        The first process keeps the folder; each keeps its own answers there.
        """
        processes = Processes()
        if processes.rank:
            processes.barrier()  # until the first has opened the folder
            if not (read_manifest(self.out) or {}).get("finished"):
                self._score()
            return
        with Run(self.out, "eval", self._decides(), _KEPT) as run:
            if not run.done:
                logged.clear(self.out, beside=True)  # an attempt that was cut off while it put its files in place
            processes.barrier()
            if not run.done:
                run.outputs["tasks"] = sorted(self._score())

    def _score(self) -> dict[str, dict[str, Score]]:
        protocol = Protocol(hints=self.hints) if self.hints != "own" else None
        with settings(self.roots, self.modalities, protocol=protocol), voice.aside():
            return lm_eval_main(_argv(self.tasks, self.model, self.model_args, self.out, self.lm_eval_args))

    def _decides(self) -> dict[str, Any]:
        deciding = dict(self.model_args)
        if self.model == "affectllm-api":
            refuse_secrets(deciding)
            # A higher limit or another number of requests at once must not throw away answers that were paid for.
            deciding = {name: value for name, value in deciding.items() if name not in OPERATION}
        return {
            "tasks": _pages(self.tasks),
            "model": self.model,
            "model_args": deciding,
            "weights": _weights(self.model, self.model_args),
            "roots": {name: str(root) for name, root in self.roots.items()},
            "modalities": list(self.modalities) if self.modalities is not None else None,
            "lm_eval_args": list(self.lm_eval_args),
            **({"hints": hints} if (hints := _hints(self.tasks, self.hints)) else {}),
            **self.inputs,
        }


def _argv(tasks: Sequence[str], model: str, options: Mapping[str, Any], out: Path, more: Sequence[str]) -> list[str]:
    argv = ["run", "--tasks", ",".join(tasks), "--model", model, "--output_path", str(out)]
    if options:
        # As JSON, since a path may hold a comma or an equals sign.
        argv += ["--model_args", json.dumps(options)]
    return [*argv, *more]


def _pages(tasks: Sequence[str]) -> dict[str, str]:
    """Return the digests of the named pages; of all pages where a name is none of ours, such as a pattern."""
    entries = all_tasks()
    files = page_files(tasks if set(tasks) <= set(entries) else entries, entries)
    return {name: file_digest(path) for name, path in files.items()}


def _hints(tasks: Sequence[str], shown: Shown) -> dict[str, Any]:
    """Return whose hints the named tasks show, and what decides each of their tables; empty where they have none."""
    entries = all_tasks()
    named = with_members(tasks, entries)
    tables = tuple(dict.fromkeys(table for name in named for table in entries[name].config.get("hints") or ()))
    return {"shown": shown, "tables": Hints(tables, shown).identity()} if tables else {}


def _weights(model: str, options: Mapping[str, Any]) -> str | None:
    """Return the digest of weights in local folders, which may change under the same name."""
    named = [str(options[key]) for key in ("pretrained", "adapter", "processor") if options.get(key)]
    if not any(Path(name).expanduser().is_dir() for name in named):
        return None
    from affectllm.model.load import fingerprint, weights_digest

    if model == HEAD:
        from affectllm.model.heads.folder import head_digest

        return head_digest(str(options.get("pretrained", "")))
    if model != "affectllm":  # another model of lm-eval, which reads its folders by rules of its own
        return fingerprint(str(options.get("pretrained", "")), options.get("adapter"))
    return weights_digest(str(options.get("pretrained", "")), options.get("adapter"), options.get("processor"))

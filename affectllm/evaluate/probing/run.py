"""Probe a model: its representations once, then every layer of every task; a killed run goes on where it was."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from affectllm.corpus.shared_samples import shared_samples
from affectllm.errors import AffectError
from affectllm.evaluate.answers import Answers
from affectllm.evaluate.environment import settings as environment
from affectllm.evaluate.probing.controls import check_controls
from affectllm.evaluate.probing.curves import Probing, one_fold, speaker_folds
from affectllm.evaluate.probing.entries import Entry, Probed, probed_tasks
from affectllm.evaluate.probing.export import check_export, export
from affectllm.evaluate.probing.sources import Settings, Source, source_of
from affectllm.evaluate.probing.store import States
from affectllm.evaluate.scoring.task_scoring import metric_of
from affectllm.run import Run, cache_folder, digest, write_json
from affectllm.voice import bar, tell

RESULT = "probe.json"


@dataclass(frozen=True)
class Probe:
    """What is probed, and how.

    Args:
        tasks: names of tasks or groups.
        settings: the model, and how its representations are made.
        out: the run folder.
        layers: numbers of layers, 0 for what goes into the first; None for all.
        folds: number of speaker-disjoint folds of the whole corpus; None for the corpus's own splits.
        limit: most items of either side; None takes all.
        controls: kinds of control tasks.
        draws: random labellings of each.
        roots: corpus name → folder, where it does not lie in ``$AFFECTLLM_CORPORA``.
        modalities: show only these of each task's modalities; None shows all.
        export: file for the vectors (``.npz``); None writes none.
    """

    tasks: Sequence[str]
    settings: Settings
    out: Path
    layers: Sequence[int] | None = None
    folds: int | None = None
    limit: int | None = None
    controls: Sequence[str] = ("item", "speaker")
    draws: int = 3
    roots: Mapping[str, Path] = field(default_factory=dict)
    modalities: Sequence[str] | None = None
    export: Path | None = None

    def run(self) -> dict[str, Any]:
        """Write ``probe.json`` to the run folder, and return it.

        Raises:
            NotFound: when a task, a corpus or the model is not there.
            AffectError: when a task has no items, one class alone, or asks for what no linear model predicts; for
                layers that the model does not have.
        """
        self._check()
        with environment(self.roots, self.modalities), shared_samples():
            tasks = probed_tasks(self.tasks, self.limit, self.folds is not None)
            for task in tasks:
                _probing(self, task, range(len(task.entries))).check()  # before a model is loaded
            source = source_of(self.settings)
            store = States(cache_folder() / "states" / digest(source.identity))
            keys = {task.name: [source.key(entry) for entry in task.entries] for task in tasks}
            with Run(self.out, "probe", self._decides(source, tasks, keys), (RESULT,)) as run:
                if not run.done:
                    lost = _represent(source, store, tasks, keys)
                    parts = {task.name: self._of_task(task, store, keys[task.name], lost) for task in tasks}
                    write_json(self.out / RESULT, self._result(source, parts))
            if self.export is not None:
                _represent(source, store, tasks, keys)
                export(self.export, tasks, store, keys, self._chosen(store))
        return _read(self.out / RESULT)

    def _check(self) -> None:
        check_controls(self.controls)
        check_export(self.export, self.tasks)
        if self.folds is not None and self.folds < 2:
            raise AffectError("--folds is at least 2")
        if self.draws < 1 or (self.limit is not None and self.limit < 2):
            raise AffectError("--draws is at least 1, and --limit at least 2")
        if any(tokens < 1 for tokens in self.settings.after):
            raise AffectError("--after takes numbers of tokens from 1 on")

    def _decides(self, source: Source, tasks: Sequence[Probed], keys: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Return what decides the result: the model, the items with their answers, and how probes are fitted."""
        items = {task.name: digest([keys[task.name], _scored_as(task)]) for task in tasks}
        how = {"layers": self.layers, "folds": self.folds, "controls": list(self.controls), "draws": self.draws}
        return {"model": self.settings.model, "source": dict(source.identity), "tasks": items, **how}

    def _of_task(self, task: Probed, store: States, keys: Sequence[str], lost: Mapping[str, str]) -> dict[str, Any]:
        rows = [row for row, key in enumerate(keys) if key in store]
        kept = [keys[row] for row in rows]
        _require(task, kept, lost)
        probing = _probing(self, task, rows)
        probing.check()
        finished, positions = Answers(self.out / "layers"), 1 + len(self.settings.after)
        layers = []
        for layer in self._chosen(store):
            key = f"{task.name}/{layer}"
            if (scores := finished.get(key)) is None:
                scores = probing.layer(partial(store.layer, kept, layer), positions)
                finished.add({key: scores})
            print(f"{task.name}: layer {layer}: {_line(task, scores)}", file=sys.stderr)
            layers.append({"layer": layer, **scores})
        reasons = Counter(lost[key] for key in keys if key in lost)
        without = [kind for kind in self.controls if kind not in layers[0]["controls"]]
        if without:
            print(f"{task.name}: no control by {', '.join(without)}, which is not known of every item", file=sys.stderr)
        facts = {**self._facts(task, probing), "controls_left_out": without}
        return {**facts, "lost": dict(reasons.most_common()), "layers": layers}

    def _facts(self, task: Probed, probing: Probing) -> dict[str, Any]:
        headline = task.metrics[0]
        return {
            "corpus": task.question.selection.corpus,
            "headline": headline,
            "better": metric_of(headline).better,
            "folds": self.folds,
            "fitted": [len(fold.train) for fold in probing.folds],
            "scored": int(sum(len(fold.held) for fold in probing.folds)),
            "cluster": task.cluster,
            "speakers": len({entry.document["speaker"] for entry in probing.entries} - {None}),
        }

    def _chosen(self, store: States) -> list[int]:
        """Return the layers that are probed.

        Raises:
            AffectError: when one is asked for that the model does not have.
        """
        every = list(range(store.layers))
        if self.layers is None:
            return every
        if strange := [layer for layer in self.layers if layer not in every]:
            message = f"{self.settings.model} has layers 1 to {every[-1]}, and 0 is what goes into the first"
            raise AffectError(f"{message}; there is no {strange[0]}", do="correct --layers")
        return sorted(set(self.layers))

    def _result(self, source: Source, parts: Mapping[str, Any]) -> dict[str, Any]:
        facts = {"model": self.settings.model, "pool": source.pool, "after": list(self.settings.after)}
        return {**facts, "draws": self.draws, "source": dict(source.identity), "tasks": dict(parts)}


def _probing(probe: Probe, task: Probed, rows: Sequence[int]) -> Probing:
    """Return the probes of the items in ``rows`` of a task's entries."""
    entries = [task.entries[row] for row in rows]
    if probe.folds is not None:
        folds = speaker_folds(task, entries, probe.folds)
    else:
        fitted = sum(row < len(task.train) for row in rows)
        folds = one_fold(fitted, len(rows) - fitted)
    return Probing(task, entries, folds, probe.controls, probe.draws)


def _represent(
    source: Source, store: States, tasks: Sequence[Probed], keys: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Compute what is not stored yet; return key → reason of the items that have no representation."""
    left: dict[str, Entry] = {}
    names: dict[int, str] = {}
    for task in tasks:
        for key, entry in zip(keys[task.name], task.entries, strict=True):
            if key not in store and key not in left:
                left[key], names[id(entry)] = entry, key
    lost: dict[str, str] = {}
    if not left:
        tell(f"represent: all {sum(map(len, keys.values())):,} items were represented before")
        return lost
    with bar(total=len(left), desc="represent", unit=" items") as shown:
        for entries, values in source.states(list(left.values())):
            pairs = [(names[id(entry)], value) for entry, value in zip(entries, values, strict=True)]
            lost |= {key: value for key, value in pairs if isinstance(value, str)}
            store.add({key: value for key, value in pairs if not isinstance(value, str)})
            shown.update(len(entries))
    if store.clipped:
        print(f"{store.clipped:,} values beyond the range of float16 were cut to it", file=sys.stderr)
    return lost


def _scored_as(task: Probed) -> dict[str, Any]:
    """Return what decides the scores of a task beside the representations of its items."""
    return {
        "golds": [entry.document["gold"] for entry in task.entries],
        "fitted": len(task.train),
        "metrics": [task.metrics, {key: dict(options) for key, options in task.scoring.options.items()}],
        "cluster": task.cluster,
        "template": f"{task.template.name}/{task.template.version}",
    }


def _require(task: Probed, kept: Sequence[str], lost: Mapping[str, str]) -> None:
    if not kept:
        reasons = ", ".join(f"{count:,} × {reason}" for reason, count in Counter(lost.values()).most_common())
        message = f"no item of {task.name} has a representation: {reasons}"
        raise AffectError(message, do="check the corpus, --modalities, and whether the model takes what the task shows")


def _line(task: Probed, scores: Mapping[str, Any]) -> str:
    headline = task.metrics[0]
    controls = "".join(f", control by {kind} {value:.3f}" for kind, value in scores["controls"].items())
    return f"{headline} {scores['scores'][headline]['value']:.3f}{controls}"


def _read(path: Path) -> dict[str, Any]:
    import json

    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result

"""Compute ``scores.json`` and ``details.json`` from lm-eval's samples files: intervals, per-class values, confusion."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed
from affectllm.evaluate.logged import SOURCES, Logged, read_results
from affectllm.evaluate.protocol import over_wordings
from affectllm.evaluate.scoring.rows import Row, clusters_of, raters_of, read_rows, wordings_of
from affectllm.evaluate.scoring.slots import of_slot
from affectllm.evaluate.scoring.suite_scores import Part, add_suites
from affectllm.evaluate.scoring.suites import Suite
from affectllm.evaluate.scoring.task_scoring import Item, Scoring, metric_of
from affectllm.labels.pictures import to_json
from affectllm.metrics import Score
from affectllm.metrics.core.over_raters import mean_over_raters
from affectllm.metrics.labels import classes, multilabel
from affectllm.run import write_json

REJECTED = "rejected.jsonl"
_WHERE_GIVEN = (
    *("no_ceiling", "questions", "protocol", "gold_space", "selection", "published", "released"),
    *("hints", "hints_given"),
)


def write_scores(folder: Path, written: Logged, suites: Sequence[Suite] = ()) -> dict[str, dict[str, Score]]:
    """Score what one run of lm-eval wrote, and write ``scores.json`` and ``details.json`` to ``folder``.

    ``sources.json`` says which of lm-eval's files they were made from. Tasks that are not ours are left out: lm-eval
    has scored them.

    Args:
        suites: groups that have a score of their own, those within others first.
    """
    scores: dict[str, dict[str, Score]] = {}
    details: dict[str, dict[str, Any]] = {}
    parts: dict[str, Part] = {}
    rejected = _rejected(folder)
    results = read_results(written.results)
    limited = bool(results.get("config", {}).get("limit"))
    members = {member for suite in suites for member in suite.members}
    for task, config in results["configs"].items():
        facts = config.get("metadata", {}).get("affectllm")
        if facts:
            rows = read_rows(written.samples[task])
            if not (own := _scores(facts, rows, task if limited else "")):
                continue
            scores[task] = own
            if task in members:
                parts[task] = Part.of(facts, rows, clusters_of(facts, rows)[0])
            version = {"task_version": results["versions"].get(task), "rejected": rejected.get(task, {})}
            details[task] = {**_details(facts, rows), **version, **_answered_by(results.get("config", {}))}
    add_suites(_complete(suites, scores) if limited else suites, scores, details, parts)
    write_json(folder / "details.json", details)
    write_json(folder / SOURCES, written.to_json())
    write_json(folder / "scores.json", scores)  # last: whoever finds it finds the others
    return scores


def _scores(facts: dict[str, Any], rows: list[Row], limited: str = "") -> dict[str, Score]:
    """Compute the metrics of a task; of a few items of it, where it is named as ``limited``, those that are defined.

    Then none where the headline is undefined.
    """
    scoring, items = Scoring.of_facts(facts), _items(rows)
    clusters, _ = clusters_of(facts, rows)
    if not (raters := raters_of(rows)):
        scored = ((key, _defined(scoring, key, items, clusters, limited)) for key in facts["metrics"])
        values = {key: score for key, score in scored if score is not None}
        return values if facts["metrics"][0] in values else {}
    ids = clusters or [row.id for row in rows]
    scores = {}
    for key in facts["metrics"]:
        gold, answers, options = scoring.inputs(key, items)
        scores[key] = mean_over_raters(metric_of(key), gold, answers, raters, ids, **options)
    return scores


def _defined(scoring: Scoring, key: str, items: list[Item], clusters: list[str] | None, limited: str) -> Score | None:
    try:
        return scoring.result(key, items, clusters).score()
    except Malformed as error:
        if not limited:
            raise
        print(f"{limited}: {key} is left out, undefined on {len(items)} items: {error.what}", file=sys.stderr)
        return None


def _complete(suites: Sequence[Suite], scores: Mapping[str, Any]) -> list[Suite]:
    """Return the suites whose members all have scores; of a few items some may have none."""
    known, complete = set(scores), []
    for suite in suites:
        if set(suite.members) <= known:
            complete.append(suite)
            known.add(suite.name)
        else:
            print(f"{suite.name} is left out: not all of its tasks have a score", file=sys.stderr)
    return complete


def _items(rows: list[Row]) -> list[Item]:
    return [row.item for row in rows]


def _answered_by(config: dict[str, Any]) -> dict[str, Any]:
    """Return what a model behind an endpoint says of itself: its traits, and that choices went by their first token."""
    return {name: config[name] for name in ("endpoint", "choices_scored_by") if name in config}


def _details(facts: dict[str, Any], rows: list[Row]) -> dict[str, Any]:
    clusters, kind = clusters_of(facts, rows)
    reasons = Counter(row.unreadable for row in rows if row.unreadable)
    copied = ("corpus", "split", "rater", "space", "template", "template_version", "language", "held_out", "modalities")
    return {
        **{name: facts[name] for name in copied},
        **{name: facts[name] for name in _WHERE_GIVEN if name in facts},
        **({"human": _panel(facts, rows)} if raters_of(rows) else {}),
        **({"wordings": _by_wording(facts, rows)} if wordings_of(rows) else {}),
        **_label_details(facts, _items(rows)),
        "pictures": _pictures(facts, _items(rows)),
        "labelled": Scoring.of_facts(facts).slots[0].shape in ("label", "set", "span"),
        "n": len(rows),
        "cluster": kind,
        "clusters": len(set(clusters)) if clusters else len(rows),
        "unreadable": dict(reasons.most_common()),
        "media_errors": sum(count for reason, count in reasons.items() if reason.startswith("media_error:")),
    }


def _panel(facts: dict[str, Any], rows: list[Row]) -> dict[str, Any]:
    """Return how many ratings, items and raters a human ceiling rests on (0 raters: votes that are only counted)."""
    names = {rater for rater in raters_of(rows) if rater}
    items = len({row.id for row in rows})
    return {"ratings": len(rows), "items": items, "raters": len(names), "unused": facts.get("unused_ratings", {})}


def _by_wording(facts: dict[str, Any], rows: list[Row]) -> dict[str, Any]:
    """Return metric → its mean over the wordings, their spread, and the worst of them."""
    scoring = Scoring.of_facts(facts)
    asked = {w: _items([row for row in rows if row.wording == w]) for w in wordings_of(rows)}
    summary = {}
    for key in facts["metrics"]:
        values = {wording: scoring.statistic(key, own).value() for wording, own in asked.items()}
        summary[key] = over_wordings(values, metric_of(key).better)
    return summary


def wordings_told(folder: Path) -> str:
    """Return lines that say how much the scores in a folder depend on the wording; empty where one was asked."""
    details = json.loads((folder / "details.json").read_text(encoding="utf-8"))
    lines = [
        f"{task} {metric}: over {len(row['values'])} wordings mean {row['mean']:.3f}, standard deviation "
        f"{row['spread']:.3f}, worst {row['worst']:.3f} (wording {row['worst_wording']})\n"
        for task, facts in details.items()
        for metric, row in facts.get("wordings", {}).items()
    ]
    return "".join(lines)


def _label_details(facts: dict[str, Any], items: list[Item]) -> dict[str, Any]:
    """Return the per-label details for the report, of the first slot with named labels."""
    for slot in Scoring.of_facts(facts).slots:
        if slot.space.names and slot.shape in ("label", "set"):
            gold, answers = slot.sides(of_slot(item.pair, slot.name) for item in items)
            return {"labels": (labels := list(slot.space.names)), **_DETAILS[slot.shape](gold, answers, labels)}
    return {}


def _of_labels(gold: list[Any], answers: list[Any], labels: list[str]) -> dict[str, Any]:
    return {
        "confusion": classes.confusion(gold, answers, labels),
        "per_class": classes.per_class(gold, answers, labels),
    }


def _of_sets(gold: list[Any], answers: list[Any], labels: list[str]) -> dict[str, Any]:
    return {"per_class": multilabel.per_class(gold, answers, labels)}


_DETAILS = {"label": _of_labels, "set": _of_sets}


def _pictures(facts: dict[str, Any], items: list[Item]) -> list[dict[str, Any]]:
    """Return what the form of each slot shows of its gold values and readings."""
    shown = []
    for slot in Scoring.of_facts(facts).slots:
        golds, readings = ([of_slot(item.pair, slot.name)[side] for item in items] for side in (0, 1))
        pictures = slot.how.pictures(golds, readings, slot.space)
        shown += [{"slot": slot.name, **to_json(picture)} for picture in pictures]
    return shown


def _rejected(folder: Path) -> dict[str, dict[str, int]]:
    """Count the samples that were not asked: task → reason → count."""
    path = folder / REJECTED
    by_task: dict[str, Counter[str]] = {}
    if path.is_file():
        with path.open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                by_task.setdefault(row["task"], Counter())[row["reason"]] += 1
    return {task: dict(counts.most_common()) for task, counts in by_task.items()}

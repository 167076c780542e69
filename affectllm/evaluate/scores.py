"""From lm-eval's samples files to ``scores.json`` and ``details.json``: intervals, per-class values, confusion."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from affectllm.evaluate.logged import SOURCES, Logged, read_results, read_samples
from affectllm.metrics import METRICS, Score, classes, multilabel
from affectllm.run import write_json

REJECTED = "rejected.jsonl"


def write_scores(folder: Path, written: Logged) -> dict[str, dict[str, Score]]:
    """Score what one run of lm-eval wrote, and leave ``scores.json`` and ``details.json`` in ``folder``.

    ``sources.json`` says which of lm-eval's files they were made from. Tasks that are not ours are left out: lm-eval
    has scored them.
    """
    scores: dict[str, dict[str, Score]] = {}
    details: dict[str, dict[str, Any]] = {}
    rejected = _rejected(folder)
    results = read_results(written.results)
    for task, config in results["configs"].items():
        facts = config.get("metadata", {}).get("affectllm")
        if facts:
            # Several processes leave their shares one after another; the intervals must not depend on that.
            rows = sorted(read_samples(written.samples[task]), key=lambda row: row["doc_id"])
            scores[task] = _scores(facts, rows)
            version = {"task_version": results["versions"].get(task), "rejected": rejected.get(task, {})}
            details[task] = {**_details(facts, rows), **version}
    write_json(folder / "details.json", details)
    write_json(folder / SOURCES, written.to_json())
    write_json(folder / "scores.json", scores)  # last: whoever finds it finds the others
    return scores


def _scores(facts: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Score]:
    gold, predicted = _pairs(facts, rows)
    clusters, _ = _clusters(facts, rows)
    given = {"labels": facts["labels"], "clusters": clusters}
    return {name: METRICS[name](gold, predicted, **given).score() for name in facts["metrics"]}


def _pairs(facts: dict[str, Any], rows: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    def shape(value: Any) -> Any:
        return [value] if facts["form"] == "set" and isinstance(value, str) else value

    return [shape(row["doc"]["gold"]) for row in rows], [shape(row["reading"]) for row in rows]


def _clusters(facts: dict[str, Any], rows: list[dict[str, Any]]) -> tuple[list[str] | None, str | None]:
    """The cluster of each item and what the clusters are; None where none is known.

    An item whose speaker or dialogue is unknown is a cluster of its own.
    """
    kind = facts["cluster"]
    if kind is None or all(row["doc"][kind] is None for row in rows):
        return None, None
    return [row["doc"][kind] or f"item {row['doc']['id']}" for row in rows], kind


def _details(facts: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    gold, predicted = _pairs(facts, rows)
    clusters, kind = _clusters(facts, rows)
    reasons = Counter(row["unreadable"] for row in rows if row["unreadable"])
    copied = ("corpus", "split", "rater", "space", "template", "template_version", "language", "held_out", "modalities")
    return {
        **{name: facts[name] for name in copied},
        **_label_details(facts, gold, predicted),
        "n": len(rows),
        "cluster": kind,
        "clusters": len(set(clusters)) if clusters else len(rows),
        "unreadable": dict(reasons.most_common()),
        "media_errors": sum(count for reason, count in reasons.items() if reason.startswith("media_error:")),
    }


def _label_details(facts: dict[str, Any], gold: list[Any], predicted: list[Any]) -> dict[str, Any]:
    labels = facts["labels"]
    if facts["form"] == "choice":
        return {
            "labels": labels,
            "confusion": classes.confusion(gold, predicted, labels),
            "per_class": classes.per_class(gold, predicted, labels),
        }
    if facts["form"] == "set":
        return {"labels": labels, "per_class": multilabel.per_class(gold, predicted, labels)}
    return {}


def _rejected(folder: Path) -> dict[str, dict[str, int]]:
    """Task → reason → how many samples were not asked."""
    path = folder / REJECTED
    found: dict[str, Counter[str]] = {}
    if path.is_file():
        with path.open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                found.setdefault(row["task"], Counter())[row["reason"]] += 1
    return {task: dict(counts.most_common()) for task, counts in found.items()}

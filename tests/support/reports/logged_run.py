"""An evaluation as lm-eval and we leave it: facts of the corpus, likelihoods, several wordings, the worst of texts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from made_run import score, write, write_lines

LABELS = ("anger", "joy", "fear")
TASK = "toy_moods"
HOSTILE = "</script><script>document.title='hacked'</script>\u2028'\"\\`${1}<!-- __proto__"
FACTS = {
    **{"space": "toy_3", "form": "choice", "labels": list(LABELS), "metrics": ["uar", "accuracy"]},
    "cluster": "speaker",
}


def logged(
    count: int,
    *,
    skill: float | Callable[[dict[str, Any]], float] = 0.7,
    seed: int = 0,
    likelihoods: bool = False,
    text: str = "",
) -> list[dict[str, Any]]:
    """Rows of a samples file: twelve speakers, of whom half are female; each speaks at two levels.

    Args:
        skill: how likely an answer is right, for all items or by what is known of one.
        likelihoods: whether choices are compared, as sure as they are right.
        text: stands in every field that a corpus or a model fills.
    """
    draw, rows = random.Random(seed), []
    for number in range(count):
        who = number % 12
        about = {"sex": "female" if who % 2 else "male", "level": ("low", "high")[number // 12 % 2]}
        about |= {"language": "en", "characters": str(20 + number), "note": f"{text}note"}
        gold = LABELS[number % 3]
        able = skill(about) if callable(skill) else skill
        reading = gold if draw.random() < able else LABELS[(number + draw.choice((1, 2))) % 3]
        if number % 10 == 9:
            reading = None
        content = [
            {"type": "audio", "corpus": "toy", "path": f"clips/{number}{text}.wav"},
            {"type": "text", "text": f"{text}Which mood is number {number}?"},
        ]
        doc = {"id": f"{text}item {number:03d}", "corpus": "toy", "speaker": f"{text}s{who}", "dialogue": None}
        doc |= {"messages": [{"role": "user", "content": content}], "gold": gold, "about": about}
        row = {"doc_id": number, "reading": reading, "unreadable": None if reading else "no_label", "filter": "none"}
        reply = f"{text}It is {reading}." if reading else f"{text}Who knows?"
        if likelihoods:
            doc["choices"] = list(LABELS)
            likely = [[str(-0.2 if label == reading else -1.5 - draw.random()), "False"] for label in LABELS]
            rows.append({**row, "doc": doc, "filtered_resps": likely})
        else:
            rows.append({**row, "doc": doc, "filtered_resps": [reply]})
    return rows


def make_logged(folder: Path, rows: Sequence[dict[str, Any]], task: str = TASK, **details: Any) -> Path:
    """Write an evaluation of rows, with the confusion matrix and the tables that are theirs."""
    columns = [*LABELS, None]
    table = [[sum(r["doc"]["gold"] == g and r["reading"] == p for r in rows) for p in columns] for g in LABELS]
    per_class = {
        label: {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": sum(table[place])}
        for place, label in enumerate(LABELS)
    }
    own = {"labels": list(LABELS), "confusion": table, "per_class": per_class, "labelled": True, "cluster": "speaker"}
    write(folder / "details.json", {task: {**own, "corpus": "toy", "n": len(rows), **details}})
    write_lines(folder / f"samples_{task}.jsonl", rows)
    write(folder / "results.json", {"configs": {task: {"metadata": {"affectllm": FACTS}}}})
    write(folder / "sources.json", {"results": "results.json", "samples": {task: f"samples_{task}.jsonl"}})
    share = sum(row["reading"] == row["doc"]["gold"] for row in rows) / len(rows)
    write(folder / "scores.json", {task: {name: score(share, len(rows)) for name in FACTS["metrics"]}})
    return folder

"""Run the steps of a page over rows, and keep what each of them made."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.annotate.models import Model
from affectllm.annotate.row import Item, Row
from affectllm.annotate.step import Context, Question, Step
from affectllm.corpus import Rejection, Sample
from affectllm.respond.responder import Reply
from affectllm.voice import bar, tell

STEPS = "steps"


@dataclass
class Outcome:
    """What came out of the steps.

    Args:
        rows: that are left.
        rejections: of the source and of every step.
        counts: name of a step → rows that it left, rejections and gaps by reason.
    """

    rows: list[Row]
    rejections: list[Rejection]
    counts: dict[str, Any] = field(default_factory=dict)


def begun(items: Sequence[Sample | Rejection]) -> Outcome:
    """Return the rows before the first step."""
    rows = [Row(item) for item in items if isinstance(item, Sample)]
    return Outcome(rows, [item for item in items if isinstance(item, Rejection)])


def run_steps(
    steps: Sequence[Step], outcome: Outcome, models: Mapping[str, Model], context: Context, keep: Path | None
) -> Outcome:
    """Run the steps one after another.

    Args:
        keep: folder in which the output of each is written; None for a shard, of which the answers are all.
    """
    for number, step in enumerate(steps, 1):
        items = step.over(outcome.rows, context) if step.whole else _by_row(step, outcome.rows, models, context)
        rows = [item for item in items if isinstance(item, Row)]
        rejections = [item for item in items if isinstance(item, Rejection)]
        counts = outcome.counts | {step.name: _counts(step, rows, rejections, context)}
        outcome = Outcome(rows, outcome.rejections + rejections, counts)
        if keep is not None:
            _write(keep / STEPS / f"{number:02}-{step.name}.jsonl", items)
        tell(f"{step.name}: {_in_words(outcome.counts[step.name])}")
    return outcome


def run_shard(
    steps: Sequence[Step], rows: list[Row], number: int, count: int, models: Mapping[str, Model], context: Context
) -> str:
    """Ask what every ``count``-th row needs, from the one with this number on.

    A step that needs all rows is taken from the answers that all shards gave to the steps before it, where they did.

    Returns:
        The name of a step that waits for other shards, behind which something is to be asked; empty where none does.
    """
    left = list(steps)
    while any(not step.whole for step in left):
        place = next((place for place, step in enumerate(left) if step.whole), len(left))
        asking, behind = left[:place], left[place + 1 :]
        run_steps(asking, Outcome(rows[number::count], []), models, context, None)
        if all(step.whole for step in behind):
            break
        known = _from_kept(asking, rows, models, context)
        if known is None:
            return left[place].name
        rows, left = [one for one in left[place].over(known, context) if isinstance(one, Row)], behind
    return ""


def _from_kept(
    steps: Sequence[Step], rows: list[Row], models: Mapping[str, Model], context: Context
) -> list[Row] | None:
    """Return what steps make of all rows by answers that are kept, or None where one is not."""
    for step in steps:
        questions = [asked for row in rows for asked in step.asks(row, context)]
        if not all(models[asked.model].knows(asked) for asked in questions):
            return None
        rows = [item for item in _by_row(step, rows, models, context) if isinstance(item, Row)]
    return rows


def _by_row(step: Step, rows: Sequence[Row], models: Mapping[str, Model], context: Context) -> list[Item]:
    questions = [step.asks(row, context) for row in rows]
    replies = iter(_answered([one for asked in questions for one in asked], models, step.name))
    items: list[Item] = []
    for row, asked in zip(rows, questions, strict=True):
        items += step.take(row, [next(replies) for _ in asked], context)
    return items


def _answered(questions: Sequence[Question], models: Mapping[str, Model], name: str) -> list[Reply]:
    """Return the replies in order; each model is asked as many together as it takes."""
    replies: dict[int, Reply] = {}
    with bar(total=len(questions), desc=name, unwanted=not questions, unit=" answers") as shown:
        for model in dict.fromkeys(one.model for one in questions):
            places = [place for place, one in enumerate(questions) if one.model == model]
            window = models[model].answering.window
            for start in range(0, len(places), window):
                part = places[start : start + window]
                answers = models[model].replies([questions[place] for place in part])
                replies |= dict(zip(part, answers, strict=True))
                shown.update(len(part))
    return [replies[place] for place in range(len(questions))]


def _counts(step: Step, rows: Sequence[Row], rejections: Sequence[Rejection], context: Context) -> dict[str, Any]:
    own = (f"{step.name}/", step.name)
    gaps = Counter(
        reason for row in rows for name, reason in row.gaps.items() if name == own[1] or name.startswith(own[0])
    )
    counts: dict[str, Any] = {"rows": len(rows)}
    if rejections:
        counts["rejected"] = dict(Counter(one.reason for one in rejections).most_common())
    if gaps:
        counts["without"] = dict(gaps.most_common())
    return counts | ({"facts": context.facts[step.name]} if step.name in context.facts else {})


def _in_words(counts: Mapping[str, Any]) -> str:
    parts = [f"{counts['rows']:,} rows"]
    for key, words in (("rejected", "rejected"), ("without", "without a note")):
        if key in counts:
            parts.append(f"{words}: " + ", ".join(f"{n:,} × {reason}" for reason, n in counts[key].items()))
    if "facts" in counts:
        parts.append(json.dumps(counts["facts"], ensure_ascii=False))
    return "; ".join(parts)


def _write(path: Path, items: Sequence[Item]) -> None:
    """Write the output of a step; the file appears under its name when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.part")
    with scratch.open("w", encoding="utf-8") as stream:
        for item in items:
            row = item.to_json() if isinstance(item, Row) else {"rejected": item.to_json()}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    scratch.replace(path)

"""Choose examples with their clips: some right, some wrong, some unreadable, selected by a hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.report.clips import Gallery, Player
from affectllm.report.display import annotation
from affectllm.report.replies import (
    Outcome,
    Replies,
    Reply,
    choose,
    find_replies,
    is_labelled,
    read_replies,
    samples_file,
)
from affectllm.report.runfolder import RunData

_MEDIA = ("video", "audio", "image")


@dataclass(frozen=True)
class Answer:
    """One run's answer: its reply, the reading of it, and whether that was right."""

    run: str
    reply: str | None
    reading: str
    unreadable: str | None
    outcome: Outcome


@dataclass(frozen=True)
class Example:
    """One question with its clips, right answer and every run's answer; and what is said, where that was not shown."""

    id: str
    speaker: str | None
    asked: str
    players: tuple[Player, ...]
    gold: str
    outcome: Outcome
    answers: tuple[Answer, ...]
    transcript: str = ""


@dataclass(frozen=True)
class Gathered:
    """The examples of a task, and per run (name, replies in all, unreadable ones by reason)."""

    examples: tuple[Example, ...]
    reasons: tuple[tuple[str, int, Mapping[str, int]], ...]


def gather(runs: Sequence[RunData], task: str, gallery: Gallery, many: int) -> Gathered:
    """Read the runs' samples files of ``task`` and select a few examples of each outcome.

    Args:
        many: how many correct and how many wrong examples; half as many unreadable ones.
    """
    limits: dict[Outcome, int] = {"correct": many, "wrong": many, "unreadable": (many + 1) // 2, "reply": many}
    by_run: dict[str, Replies] = {}
    for run in runs:
        if run.evaluation and (path := samples_file(run.evaluation.folder, task)):
            labelled = is_labelled(run.evaluation.details.get(task, {}))
            by_run[run.name] = choose(read_replies(path, labelled=labelled), limits)
    if not by_run:
        return Gathered((), ())
    first = next(iter(by_run))
    chosen = [reply for replies in by_run[first].examples.values() for reply in replies]
    others = {name: _same_questions(runs, name, task, chosen) for name in by_run if name != first}
    examples = tuple(_example(reply, first, others, gallery) for reply in chosen)
    return Gathered(examples, tuple((name, replies.total, replies.reasons) for name, replies in by_run.items()))


def _same_questions(runs: Sequence[RunData], name: str, task: str, chosen: Sequence[Reply]) -> dict[str, Reply]:
    run = next(run for run in runs if run.name == name)
    assert run.evaluation is not None
    path = samples_file(run.evaluation.folder, task)
    assert path is not None
    labelled = is_labelled(run.evaluation.details.get(task, {}))
    return find_replies(path, frozenset(reply.id for reply in chosen), labelled=labelled)


def _example(reply: Reply, first: str, others: Mapping[str, Mapping[str, Reply]], gallery: Gallery) -> Example:
    answers = [_answer(first, reply)]
    answers += [_answer(name, replies[reply.id]) for name, replies in others.items() if reply.id in replies]
    parts = [part for message in reply.messages for part in _parts(message) if part.get("type") in _MEDIA]
    return Example(
        id=reply.id,
        speaker=reply.speaker,
        asked=reply.prompt or _asked(reply.messages),
        players=tuple(gallery.player(part) for part in parts),
        gold=annotation(reply.gold),
        outcome=reply.outcome,
        answers=tuple(answers),
        transcript=reply.about.get("transcript", ""),
    )


def _answer(run: str, reply: Reply) -> Answer:
    return Answer(
        run, reply.text, annotation(reply.reading) if reply.reading is not None else "", reply.unreadable, reply.outcome
    )


def _parts(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _asked(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of the conversation, without a final assistant turn (that would be the answer)."""
    asked = messages[:-1] if messages and messages[-1]["role"] == "assistant" else messages
    lines = []
    for message in asked:
        text = "\n".join(str(part["text"]) for part in _parts(message) if part.get("type") == "text")
        lines.append(text if message["role"] == "user" else f"[{message['role']}] {text}")
    return "\n\n".join(lines)

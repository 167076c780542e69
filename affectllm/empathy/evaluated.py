"""Replies that evaluations have logged, of several systems beside each other, with the dialogue that they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.roots import Roots
from affectllm.empathy.replies_page import EmpathyPage, Row, text_or_none
from affectllm.errors import Malformed
from affectllm.report.replies import Reply, read_replies, samples_file
from affectllm.report.runfolder import read_object

SCORES = "scores.json"
REPLY, EMOTION = "reply", "emotion"
"""The slots of a chain of empathy that are a reply and an emotion."""


@dataclass(frozen=True)
class Evaluated:
    """Replies of evaluations.

    Args:
        rows: items that every system was asked.
        left_out: items that only some were asked.
        files: system → the logged samples.
    """

    rows: list[Row]
    left_out: int
    files: Mapping[str, Path]


def read_evaluations(page: EmpathyPage, base: Path, roots: Roots) -> Evaluated:
    """Join the logged replies of each system by their items; what was said before is looked up in the corpus.

    Raises:
        Malformed: when a folder has no logged replies, or several tasks; when two corpora, or no common item.
        MissingCorpus: when nobody says where the corpus lies.
    """
    files = {
        name: logged_file(base / Path(folder).expanduser(), page.tasks.get(name, ""), f"tasks: {{{name}: …}}")
        for name, folder in page.evaluations.items()
    }
    logged = {name: {one.id: one for one in read_replies(path, labelled=False)} for name, path in files.items()}
    asked = {item: one for its in logged.values() for item, one in its.items()}
    if len(corpora := sorted({one.corpus for one in asked.values()})) != 1:
        raise Malformed(f"the replies are about {', '.join(corpora) or 'nothing'}", do="judge one corpus at a time")
    shared = [item for item in asked if all(item in its for its in logged.values())]
    if not shared:
        raise Malformed("no item was asked of every system", do="evaluate them on the same task")
    known = samples_of(corpora[0], set(shared), roots)
    rows = [_row(page, known[item], {name: its[item] for name, its in logged.items()}) for item in shared]
    return Evaluated(rows, len(asked) - len(shared), files)


def logged_file(folder: Path, task: str, named_by: str) -> Path:
    """Return the samples that an evaluation has logged.

    Args:
        task: of the evaluation; may be empty where it has one.
        named_by: the key of the page that names it.

    Raises:
        Malformed: when there are several tasks, or no logged replies.
    """
    scored = read_object(folder / SCORES) if (folder / SCORES).is_file() else {}
    tasks = [task] if task else list(scored)
    if len(tasks) != 1:
        message = f"the evaluation has {', '.join(scored) or 'no scores'}"
        raise Malformed(message, where=str(folder), do=f"name its task under {named_by}")
    path = samples_file(folder, tasks[0])
    if path is None:
        raise Malformed(f"there are no logged replies to {tasks[0]}", where=str(folder), do="evaluate it again")
    return path


def samples_of(corpus: str, wanted: set[str], roots: Roots) -> dict[str, Sample]:
    """Return the samples of a corpus by their ids.

    Raises:
        Malformed: when one of them is not there.
        MissingCorpus: when nobody says where the corpus lies.
    """
    items = load_builder(corpus).samples(roots.find(corpus))
    known = {one.id: one for one in items if isinstance(one, Sample) and one.id in wanted}
    if lacking := sorted(wanted - set(known)):
        message = f"{corpus} has no {lacking[0]!r}, and {len(lacking) - 1} others that were asked"
        raise Malformed(message, do="give the corpus as it was evaluated, by --root")
    return known


def _row(page: EmpathyPage, sample: Sample, replies: Mapping[str, Reply]) -> Row:
    gold = next(iter(replies.values())).gold
    said = [*(f"{turn.speaker}: {turn.text}" for turn in sample.context), sample.text or ""]
    felt = sample.annotation(page.emotion.get("space", ""), page.emotion.get("rater", ""))
    emotion = felt.value if felt else gold.get(EMOTION) if isinstance(gold, Mapping) else None
    return Row(
        id=sample.id,
        context="\n".join(said),
        reference=text_or_none(_reply_in(gold)) or "",
        emotion=text_or_none(emotion) or "",
        cluster=sample.dialogue or sample.id,
        replies={name: text_or_none(words_of(one)) for name, one in replies.items()},
    )


def words_of(reply: Reply) -> Any:
    """Return what was said: of a chain, the slot that is the reply."""
    if isinstance(reply.gold, Mapping):
        return _reply_in(reply.reading) if isinstance(reply.reading, Mapping) else None
    return reply.text


def _reply_in(value: Any) -> Any:
    return value.get(REPLY) if isinstance(value, Mapping) else value

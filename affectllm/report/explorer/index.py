"""Write the index of a task's examples, and the files with what each of them says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affectllm.report.explorer.columns import Answered, Column, slot_of
from affectllm.report.explorer.files import write_script
from affectllm.report.explorer.rows import Chunk, Clips, modality_of
from affectllm.report.replies import OUTCOMES, Reply, is_labelled, read_replies, samples_file
from affectllm.report.runfolder import Evaluation, RunData

CHUNK = 200
"""Examples of one file: a page of the list needs one or two of them."""
_CHOICES = 40  # values of a fact among which a reader chooses
_KEPT_BACK = ("transcript", "characters", "seconds")  # told of each example, and no choice

Key = tuple[str, int | None]


@dataclass(frozen=True)
class Listed:
    """The examples of a task that lie beside the page.

    Args:
        task: its name.
        count: of the examples.
        runs: that answered them.
        parts: names of the parts of right answers that have several, such as dimensions.
    """

    task: str
    count: int
    runs: tuple[str, ...]
    parts: frozenset[str] = frozenset()


def write_task(runs: Sequence[RunData], task: str, folder: Path, clips: Clips) -> Listed | None:
    """Write every example of a task into ``folder``: ``index.js`` and ``0.js``, ``1.js``, …

    The examples are those of the first run that logged any; what other runs answered to the same questions stands
    beside.

    Returns:
        None where no run logged examples.
    """
    logged = [(run.name, run.evaluation, path) for run in runs if run.evaluation and (path := _samples(run, task))]
    if not logged:
        return None
    folder.mkdir(parents=True)
    (first, evaluation, path), *others = logged
    answers = [{one.key: _answer_of(one) for one in _replies(other, task, place)} for _, other, place in others]
    index = _Index([first, *(name for name, *_ in others)], evaluation.details.get(task, {}).get("labels") or [])
    chunk, number = Chunk(), 0
    for reply in _replies(evaluation, task, path):
        replies = [reply, *(by_key.get(reply.key) for by_key in answers)]
        index.add(replies)
        chunk.add(replies, clips)
        if len(chunk) == CHUNK:
            write_script(folder / f"{number}.js", chunk.to_json(clips))
            chunk, number = Chunk(), number + 1
    if len(chunk):
        write_script(folder / f"{number}.js", chunk.to_json(clips))
    write_script(folder / "index.js", index.to_json())
    return Listed(task, index.size, tuple(index.runs), index.parts)


def _samples(run: RunData, task: str) -> Path | None:
    return samples_file(run.evaluation.folder, task) if run.evaluation else None


def _replies(evaluation: Evaluation, task: str, path: Path) -> Iterator[Reply]:
    return read_replies(path, labelled=is_labelled(evaluation.details.get(task, {})))


def _answer_of(reply: Reply) -> Reply:
    """Return a reply without what was asked, which stands in the first run already: all of them are in memory."""
    return replace(reply, messages=(), about={}, prompt=None)


class _Index:
    """Columns of all examples: who, what was right, and what each run answered."""

    def __init__(self, runs: Sequence[str], labels: Sequence[str]) -> None:
        self.runs, self.size = list(runs), 0
        self._labels = list(labels)
        self._ids: list[str] = []
        self._wordings: list[int | None] = []
        self._columns = {"speaker": Column("speaker"), "modality": Column("modality")}
        self._gold: Answered | None = None
        self._given: list[Answered] = []
        self._outcomes: list[list[str]] = [[] for _ in runs]
        self._reasons = [Column("reason") for _ in runs]

    def add(self, replies: Sequence[Reply | None]) -> None:
        """Append an example; None stands for a run that was not asked."""
        asked = next(reply for reply in replies if reply)
        if self._gold is None:
            slot = slot_of(asked.gold, self._labels)
            self._gold, self._given = Answered(self._labels, slot), [Answered(self._labels, slot) for _ in replies]
        self._ids.append(asked.id)
        self._wordings.append(asked.wording)
        self._gold.add(asked.gold)
        self._add_facts({**asked.about, "speaker": asked.speaker, "modality": modality_of(asked)})
        for place, reply in enumerate(replies):
            self._given[place].add(reply.reading if reply else None)
            self._outcomes[place].append(str(OUTCOMES.index(reply.outcome)) if reply else "-")
            self._reasons[place].add(reply.unreadable if reply else None)
        self.size += 1

    @property
    def parts(self) -> frozenset[str]:
        """Names of the parts of the right answers."""
        return self._gold.names if self._gold else frozenset()

    def _add_facts(self, facts: Mapping[str, str | None]) -> None:
        for name, value in facts.items():
            if name in _KEPT_BACK:
                continue
            if name not in self._columns:
                self._columns[name] = Column(name, _CHOICES)
                self._columns[name].fill(self.size)
            self._columns[name].add(value)
        for column in self._columns.values():
            column.fill(self.size + 1)

    def to_json(self) -> dict[str, Any]:
        """Return what the page's script filters by."""
        answers = [
            {"outcomes": "".join(outcomes), "reasons": reasons.to_json(), **given.to_json()}
            for given, outcomes, reasons in zip(self._given, self._outcomes, self._reasons, strict=True)
        ]
        facts = [[name, column.to_json()] for name, column in self._columns.items() if column.telling]
        return {
            "count": self.size,
            "chunk": CHUNK,
            "runs": self.runs,
            "labels": self._labels,
            "ids": self._ids,
            "wordings": self._wordings if any(one is not None for one in self._wordings) else None,
            "facts": facts,
            "gold": self._gold.to_json() if self._gold else None,
            "answers": answers,
        }

"""What is probed of a task: the items that a probe is fitted on and those that it is scored on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.selection import ALL
from affectllm.errors import AffectError
from affectllm.evaluate.documents import Document, document, lacks
from affectllm.evaluate.models.features import Shown, shown_of
from affectllm.evaluate.models.linear import refuse_unfit
from affectllm.evaluate.question import Question
from affectllm.evaluate.scoring.task_scoring import Scoring
from affectllm.evaluate.task import AffectTask
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.instruct import Template
from affectllm.run import digest


@dataclass(frozen=True)
class Entry:
    """One item.

    Args:
        document: what a model is asked, with the gold answer, see ``documents.document``.
        shown: the same for an encoder, which reads no question.
        text: what is said or written, shown or not; None where unknown.
    """

    document: Document
    shown: Shown
    text: str | None

    @property
    def id(self) -> str:
        """The id of the sample."""
        return str(self.document["id"])


@dataclass(frozen=True)
class Probed:
    """A task as it is probed.

    Args:
        name: of the task.
        question: what it asks.
        scoring: its slots and the options of its metrics.
        metrics: their keys, the headline first.
        cluster: what intervals resample, ``speaker`` or ``dialogue``; None for items.
        train, test: the items that the probe is fitted on, and those that it is scored on. In folds all of them are
            in ``test``.
    """

    name: str
    question: Question
    scoring: Scoring
    metrics: tuple[str, ...]
    cluster: str | None
    train: Sequence[Entry]
    test: Sequence[Entry]

    @property
    def template(self) -> Template:
        """The template of the task."""
        return self.question.template

    @cached_property
    def entries(self) -> list[Entry]:
        """All items, those for training first."""
        return [*self.train, *self.test]


def probed_tasks(names: Sequence[str], limit: int | None, in_folds: bool) -> list[Probed]:
    """Return the tasks that are probed; patterns and groups count for their tasks.

    Args:
        limit: most items of either side, drawn by their ids alone; None takes all.
        in_folds: whether all items of the corpus that the task can ask are in ``test``.

    Raises:
        NotFound: when there is no such task, or its corpus is not there.
        AffectError: when a task has no items to learn from, or asks for what no linear model predicts.
    """
    manager = AffectTaskManager()
    loaded = manager.load(manager.match_tasks(list(names)))["tasks"]
    probed = []
    for name, task in loaded.items():
        if not isinstance(task, AffectTask):
            raise AffectError(f"{name} is no task of affectllm, and has no training samples to fit a probe on")
        probed.append(_probed(name, task, limit, in_folds))
    return probed


def _probed(name: str, task: AffectTask, limit: int | None, in_folds: bool) -> Probed:
    question, columns = task.question, task.scoring.columns()
    refuse_unfit(question.template)
    if in_folds:
        question = replace(question, selection=replace(question.selection, split=ALL, fold=None))
    test = _entries(question.scored(), question.template, columns)
    train = [] if in_folds else _entries(question.training(), question.template, columns)
    if not in_folds and not train:
        message = f"{name} has no training sample: a probe has nothing to be fitted on"
        raise AffectError(message, do="pass --folds 5 for speaker-disjoint folds of the whole corpus")
    page = task.page
    sides = [_drawn(side, limit) for side in (train, test)]
    return Probed(name, question, task.scoring, tuple(page.metrics), page.cluster, *sides)


def _entries(items: Iterable[Sample | Rejection], template: Template, columns: Sequence[str]) -> list[Entry]:
    return [
        Entry(document(item, template, None, columns), shown_of(item, template), item.text)
        for item in items
        if not isinstance(item, Rejection) and template.reject(item) is None and lacks(item, columns) is None
    ]


def _drawn(entries: list[Entry], limit: int | None) -> list[Entry]:
    """Return ``limit`` of the entries in their order, the same ones whatever else there is to choose."""
    if limit is None or len(entries) <= limit:
        return entries
    chosen = set(sorted(range(len(entries)), key=lambda row: digest(entries[row].id))[:limit])
    return [entry for row, entry in enumerate(entries) if row in chosen]


def groups_of(entries: Sequence[Entry], kind: str | None) -> list[str] | None:
    """Return the speaker or dialogue of each entry, an unknown one a group of its own; None where none is known."""
    if kind is None or not any(entry.document[kind] for entry in entries):
        return None
    return [str(entry.document[kind] or f"item {entry.id}") for entry in entries]


def facts_of(entry: Entry) -> Mapping[str, Any]:
    """Return the attributes of an item that metrics need."""
    facts: Mapping[str, Any] = entry.document.get("facts", {})
    return facts

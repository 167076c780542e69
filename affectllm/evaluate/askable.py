"""What an evaluation would refuse, told before the training that it comes after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from affectllm.corpus import Rejection
from affectllm.evaluate import environment
from affectllm.evaluate.documents import documents, no_documents, require_some
from affectllm.evaluate.page import TaskPage
from affectllm.evaluate.question import Question
from affectllm.evaluate.scoring.slots import scored_slots
from affectllm.evaluate.scoring.task_scoring import Scoring
from affectllm.evaluate.shelf import members_of


def check_askable(tasks: Sequence[str], roots: Mapping[str, Path], ablations: Sequence[Sequence[str]] = ()) -> None:
    """Read of each task as much as it takes to find an item that can be asked.

    Args:
        tasks: tasks or groups of ours; members that are lm-eval's own are passed over.
        roots: corpus → folder.
        ablations: modalities that are shown alone, each of which a task must have some of.

    Raises:
        AffectError: with the reasons, when there is no such item, or an ablation leaves nothing to show.
        NotFound: when a task, or a table of hints of one, is nowhere.
    """
    for entry in members_of(tasks):
        page = TaskPage.take(dict(entry.config), entry.where)
        for shown in (None, *ablations):
            with environment.settings(roots, shown):
                question = Question.of_page(page, environment.protocol(), entry.name, entry.where())
                if shown is None:
                    _find_one(question, page, entry.name)


def _find_one(question: Question, page: TaskPage, task: str) -> None:
    facts = Scoring(scored_slots(question.template.slots, page.score_labels), page.metric_options).columns()
    rejected = list[Rejection]()
    for item in question.scored():
        asked, left_out = documents([item], question.template, facts=facts)
        if asked:
            return
        rejected += left_out
    require_some(no_documents(), rejected, task, question.folder)

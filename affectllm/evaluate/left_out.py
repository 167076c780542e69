"""Documents of the human ceiling: each rating of an item in turn is the answer, and the others' rule the gold value.

Where raters are known the score is the mean over them; a rater who is left out of a small panel is held against few
others, so the ceiling is biased downwards: gold of two raters is noisier than that of three (see ``docs/human.md``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.panel import Panel, Rating
from affectllm.evaluate.documents import AnyDocuments, Document, document, lacks, no_documents
from affectllm.evaluate.page import TaskPage
from affectllm.evaluate.shelf import find_task, task_sources
from affectllm.instruct import Template
from affectllm.labels.form import Refused

ONE_RATER = "the corpus keeps one answer an item for this rater, so there is no human ceiling"
MAPPED = "its gold answers are mapped to other labels, and single ratings are not"
SEVERAL_SLOTS = "a question with several answers has no human ceiling: ratings of one person are not kept together"


def no_ceiling(panel: Panel | None, page: TaskPage) -> str:
    """Return why a task has no human ceiling; empty where it has one."""
    if page.also:
        return SEVERAL_SLOTS
    if page.map is not None:
        return MAPPED
    return "" if panel else ONE_RATER


def without_ceiling(names: Sequence[str]) -> dict[str, str]:
    """Return of our tasks, and of the members of groups, those without a human ceiling, and why; opens no corpus.

    Raises:
        NotFound: when a name is neither a task nor a group of ours.
    """
    reasons = {}
    for name in task_sources(names):
        entry = find_task(name)
        page = TaskPage.take(dict(entry.config), entry.where)
        reasons[name] = no_ceiling(load_builder(page.corpus).CARD.panel(page.space, page.rater), page)
    return {name: reason for name, reason in reasons.items() if reason}


@dataclass
class LeftOut:
    """The documents of the raters of one task, and what could not be used.

    Args:
        documents: one a rating, with ``human`` (its words) and ``rater`` (empty where ratings are only counted).
        rejected: items of which no rating can be used.
        unused: reason → ratings that are not scored.
    """

    documents: AnyDocuments = field(default_factory=no_documents)
    rejected: list[Rejection] = field(default_factory=list)
    unused: Counter[str] = field(default_factory=Counter)


def leave_one_out(
    items: Iterable[Sample | Rejection], template: Template, panel: Panel, facts: Sequence[str] = ()
) -> LeftOut:
    """Make the documents of the ratings of every scored item that the task asks; ``facts`` as in ``documents``."""
    result = LeftOut()
    for item in items:
        if isinstance(item, Rejection):
            result.rejected.append(item)
        elif reason := lacks(item, facts) or _add(item, template, panel, result, facts):
            result.rejected.append(Rejection(item.id, reason, item.source, f"not asked by {template.name}"))
    return result


def _add(sample: Sample, template: Template, panel: Panel, result: LeftOut, facts: Sequence[str]) -> str | None:
    """Add the documents of one sample, or return why it has none."""
    if reason := template.reject(sample):
        return reason
    ratings = panel.of_sample(sample)
    if len(ratings) < 2:
        result.unused["no_other_rating"] += len(ratings)
        return "one_rating" if ratings else "no_ratings"
    before = len(result.documents)
    for reason, one in _documents(sample, template, panel, ratings, facts):
        if one is None:
            result.unused[reason] += 1
        else:
            result.documents.append(one)
    return None if len(result.documents) > before else "no_rating_usable"


def _documents(
    sample: Sample, template: Template, panel: Panel, ratings: list[Rating], facts: Sequence[str]
) -> Iterator[tuple[str, Document | None]]:
    """Yield of each rating its document, or why there is none."""
    for place, own in enumerate(ratings):
        others = panel.rule([one.value for number, one in enumerate(ratings) if number != place])
        against = panel.answered(sample, others)
        if reason := template.reject(against):
            yield f"others_{reason}", None
            continue
        answer = template.prepare(panel.answered(sample, _single(own.value, template)))
        if isinstance(answer, Refused) and answer.reason != "outside_space":
            yield answer.reason, None
            continue
        # A vote for what is no answer to the question, such as "no face", is an answer that is not the gold one.
        words = "" if isinstance(answer, Refused) else template.answer_of(answer)
        yield "", {**document(against, template, facts=facts), "human": words, "rater": own.rater}


def _single(value: Any, template: Template) -> Any:
    """Return the only name of a rating that may hold several, where the question asks for one."""
    one = template.space.kind == "category" and isinstance(value, (list, tuple)) and len(value) == 1
    return value[0] if one else value

"""What a task asks: a template over the samples of a corpus that it selects, with their gold answers mapped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.builder import Builder, load_builder
from affectllm.corpus.mapped import mapped
from affectllm.corpus.roots import Roots
from affectllm.corpus.selection import Selection, scored
from affectllm.corpus.shared_samples import samples_of
from affectllm.corpus.windows import Windows, windowed
from affectllm.errors import AffectError, placed, told_at
from affectllm.evaluate import environment
from affectllm.evaluate.hinted import checked_hints
from affectllm.evaluate.page import TaskPage
from affectllm.evaluate.protocol import Protocol
from affectllm.hints.attach import NO_HINTS, Hints
from affectllm.instruct import Template, load_template
from affectllm.labels import LabelSpace
from affectllm.labels.gold_maps import GoldMap, find_gold_map


@dataclass(frozen=True)
class Question:
    """A template and the samples that it is asked of.

    Args:
        template: asks and reads.
        selection: which samples are scored.
        headline: key of the task's first metric.
        gold_map: from the corpus's label space to that of the template; None where they are the same.
        windows: into which recordings with a trace are cut; None asks about each whole.
        hints: that stand in the prompts.
    """

    template: Template
    selection: Selection
    headline: str
    gold_map: GoldMap | None = None
    windows: Windows | None = None
    hints: Hints = NO_HINTS

    @classmethod
    def of_page(cls, page: TaskPage, protocol: Protocol, task: str, where: str) -> Self:
        """Return what the page of a task asks in this process: of all modalities, or of those that may be shown.

        Raises:
            Malformed: when a map, or what frames hints, is not there.
            NotFound: when the corpus has no such label space or rater, or a template or a table of hints is nowhere.
            AffectError: when none of the task's modalities may be shown.
        """
        with told_at(where):
            builder = load_builder(page.corpus)
        gold_map = _gold_map(page, builder, where)
        template = _template(page, builder, gold_map, task, where)
        hints = checked_hints(page, protocol, where)
        return cls(template, page.selection, page.metrics[0], gold_map, page.windows, hints)

    @property
    def folder(self) -> Path:
        """The folder of the corpus on this machine.

        Raises:
            MissingCorpus: when it is not there.
        """
        return Path(Roots.parse().find(self.selection.corpus))

    def scored(self) -> Iterator[Sample | Rejection]:
        """Yield the samples that are scored, and what the corpus rejects."""
        samples = samples_of(self.selection.corpus, self.folder, self.selection.only_split)
        return self._mapped(scored(samples, self.selection))

    def training(self) -> Iterator[Sample]:
        """Yield the samples that a model may learn from, and that the template can ask."""
        samples = samples_of(self.selection.corpus, self.folder)
        usable = (one for one in samples if not isinstance(one, Rejection) and self.selection.trains(one))
        for item in self._mapped(usable):
            if not isinstance(item, Rejection) and self.template.reject(item) is None:
                yield item

    def _mapped(self, items: Iterator[Sample | Rejection] | Iterator[Sample]) -> Iterator[Sample | Rejection]:
        if self.hints.tables:
            items = (one if isinstance(one, Rejection) else self.hints.attached(one) for one in items)
        if self.windows is not None:
            items = windowed(items, self.windows, self.template.space, self.template.rater)
        if self.gold_map is None:
            return iter(items)
        return mapped(items, self.gold_map, self.template.rater, f"not asked by {self.template.name}")


def _gold_map(page: TaskPage, builder: Builder, where: str) -> GoldMap | None:
    if page.map is None:
        return None
    with told_at(where, AffectError):
        return find_gold_map(builder.CARD.space(page.space, where), page.map)


def _template(page: TaskPage, builder: Builder, gold_map: GoldMap | None, task: str, where: str) -> Template:
    space, rater = _bound(builder, (page.space, page.rater), where)
    space = space if page.focus is None else space.focused(page.focus)
    space = space if gold_map is None else gold_map.target
    also = {slot: _bound(builder, bound, where) for slot, bound in page.also.items()}
    with placed(where), told_at(where):
        template = load_template(
            page.template,
            space=space,
            rater=rater,
            modalities=_shown_modalities(page, task),
            also=also,
            language=page.language,
            held_out=page.held_out or environment.held_out(),
            system=environment.protocol().system,
        )
    return template.by_each_name() if page.score_by else template


def _bound(builder: Builder, bound: tuple[str, str], where: str) -> tuple[LabelSpace, str]:
    space, rater = bound
    return builder.CARD.space(space, where), builder.CARD.rater(rater, where)


def _shown_modalities(page: TaskPage, task: str) -> tuple[str, ...]:
    allowed = environment.modalities()
    if allowed is None:
        return page.modalities
    if shown := tuple(modality for modality in page.modalities if modality in allowed):
        return shown
    has = ", ".join(page.modalities)
    raise AffectError(
        f"the task has {has}, and none of them may be shown",
        where=task,
        do="change --modalities, or eval.ablations of the recipe",
    )

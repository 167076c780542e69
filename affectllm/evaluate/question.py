"""What a task asks: a template over the samples of a corpus that it selects, with their gold answers mapped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.mapped import mapped
from affectllm.corpus.roots import Roots
from affectllm.corpus.selection import Selection, scored
from affectllm.corpus.shared_samples import samples_of
from affectllm.corpus.windows import Windows, windowed
from affectllm.hints.attach import NO_HINTS, Hints
from affectllm.instruct import Template
from affectllm.labels.gold_maps import GoldMap


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

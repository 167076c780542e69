"""Corpus cards: declared metadata of a corpus, for the audit, the docs and the licence checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from affectllm import registry
from affectllm.corpus.panel import Panel
from affectllm.corpus.sample import SPLITS
from affectllm.errors import NotFound
from affectllm.labels import LabelSpace

Access = Literal["open", "request", "eula"]


@dataclass(frozen=True)
class CorpusCard:
    """The metadata of a corpus: source, licence, label spaces, and the sizes that its builder promises.

    Args:
        name: the builder's file name without ``.py``.
        title: the name that papers use.
        citation: author, title, venue, year in one line.
        url: where it is published.
        obtain: how one gets it and how the folder must look, in a sentence or two for an error message.
        licence: SPDX identifier, or the name of the licence.
        access: ``open`` (download), ``request`` (form or e-mail) or ``eula`` (signed agreement).
        redistribution: whether records derived from it may be published.
        commercial: whether commercial use is allowed.
        languages: BCP-47 tags.
        modalities: subset of ``text``, ``audio``, ``video``, ``image``.
        spaces: every label space in which its samples are annotated.
        raters: who annotated: rater name → one sentence.
        counts: promised samples per split, as far as a release fixes them.
        total: promised samples in all, where the split is ours or only the sum is published.
        split_policy: where the splits come from, in one sentence.
        defects: known bad items: clip path or sample id → reason.
        speaker_disjoint: whether no speaker occurs in two splits.
        built_from: names of corpora whose items it contains.
        known: rejections of the intact release by their reason, where the audit would take them for losses, or where
            their number is known: reason → how many.
        panels: the single ratings that its samples keep behind an answer, and how the answer was made of them.
        max_seconds: clips longer than this are reported by the audit; None where it has no clips.
        notes: pitfalls and what the builder repairs, a sentence each.
    """

    name: str
    title: str
    citation: str
    url: str
    obtain: str
    licence: str
    access: Access
    redistribution: bool
    commercial: bool
    languages: tuple[str, ...]
    modalities: tuple[str, ...]
    spaces: tuple[LabelSpace, ...]
    raters: Mapping[str, str]
    counts: Mapping[str, int]
    split_policy: str
    defects: Mapping[str, str] = field(default_factory=dict)
    speaker_disjoint: bool = False
    built_from: tuple[str, ...] = ()
    total: int | None = None
    known: Mapping[str, int] = field(default_factory=dict)
    panels: tuple[Panel, ...] = ()
    max_seconds: float | None = None
    notes: tuple[str, ...] = ()

    def promised(self) -> str:
        """Return the promised sizes in words: of each split, or the total."""
        if self.counts:
            return " / ".join(f"{split} {self.counts[split]:,}" for split in SPLITS if split in self.counts)
        return f"{self.total:,} in all" if self.total else "not published"

    def space(self, name: str, where: str = "") -> LabelSpace:
        """Return the label space called ``name``.

        Args:
            where: file and line that names it, for the error.

        Raises:
            NotFound: with those that the card declares.
        """
        spaces = {space.name: space for space in self.spaces}
        if name not in spaces:
            message = f"{self.name} has no label space {name!r}"
            raise NotFound(message, where=where, do=registry.suggestion(name, spaces))
        return spaces[name]

    def panel(self, space: str, rater: str) -> Panel | None:
        """Return the panel behind the answer of a rater in a label space, None where single ratings are not kept."""
        return next((panel for panel in self.panels if (panel.space, panel.rater) == (space, rater)), None)

    def rater(self, name: str, where: str = "") -> str:
        """Return ``name`` when annotations are by such a rater; arguments and errors as of ``space``."""
        if name not in self.raters:
            message = f"{self.name} has no rater called {name!r}"
            raise NotFound(message, where=where, do=registry.suggestion(name, self.raters))
        return name

"""A kind of hints: which options it takes, and how it makes a line of words of each sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from affectllm import registry
from affectllm.corpus import Sample
from affectllm.hints.table import Hint
from affectllm.imported import member
from affectllm.train.method import Bound
from affectllm.yaml_page import Page


@dataclass(frozen=True)
class Work:
    """What a kind makes hints of.

    Args:
        samples: all samples of the corpus, in its order.
        root: the folder of the corpus.
        options: as the kind's ``options`` describes them.
        kept: folder in which what was found in each clip stays for later runs.
        tables: folder to which relative paths of the page lead.
        folder: the run folder, for what takes long and is not worth keeping for other runs.
        where: key of the page → ``file:line``, for errors.
        unused: reason → how much of what the page names gave no hint and belongs to no sample alone: lines of other
            items, lost frames; the kind counts it.
    """

    samples: Sequence[Sample]
    root: Path
    options: Any
    kept: Path
    tables: Path
    folder: Path
    where: Callable[[str], str] = lambda key: ""
    unused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Source:
    """Who finds hints: a model or a tool, with the version of all that decides its words.

    Args:
        kind: name of the kind.
        name: of the model or tool.
        version: of it, and of the rules by which its numbers become words.
        language: BCP-47 tag of the words.
    """

    kind: str
    name: str
    version: str
    language: str = "en"

    def hint(self, sample: Sample, words: str, values: Any = None, *, seen: bool = False) -> Hint:
        """Return what was found in a sample."""
        at = (sample.corpus, sample.id, sample.split)
        return Hint(*at, self.kind, words, self.name, self.version, "", self.language, seen, values)

    def none(self, sample: Sample, reason: str, values: Any = None) -> Hint:
        """Return that nothing was found in a sample, and why."""
        at = (sample.corpus, sample.id, sample.split)
        return Hint(*at, self.kind, None, self.name, self.version, reason, self.language, False, values)


@dataclass(frozen=True)
class Kind:
    """One kind of hints.

    Args:
        title: what it tells.
        options: dataclass of its options on a page.
        find: yields one hint for every sample, in order.
        depends: options → what else decides the hints, as JSON values: pages that the options name; None for nothing.
        bounds: option → between which values its number, or each of its numbers, makes sense.
        check: raises ``Malformed`` for options that do not go together, as the page is read; opens nothing.
    """

    title: str
    options: type
    find: Callable[[Work], Iterator[Hint]]
    depends: Callable[[Any], Any] = lambda options: None
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    check: Callable[[Any, Page], None] = lambda options, page: None


def kind_names() -> list[str]:
    """Return the names of all kinds; imports none."""
    return list(registry.names("hint_kinds"))


def find_kind(name: str) -> Kind:
    """Return the kind called ``name``.

    Raises:
        NotFound: when there is none.
        Malformed: when its file cannot be imported or holds no ``KIND``.
    """
    return cast(Kind, member("hint_kinds", name, "KIND", Kind))

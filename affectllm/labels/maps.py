"""Maps from one label space to another, for scores across corpora, each with its citation and its losses.

A map is a many-to-one table of names. A label without a counterpart stays without one: guessing a near label would
invent answers. ``loses`` lists what a map drops and merges, ``apply_all`` counts what it drops of the labels at hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from affectllm.errors import Malformed
from affectllm.labels.space import LabelSpace


@dataclass(frozen=True)
class Losses:
    """The labels that a map drops, merges and never reaches.

    Args:
        dropped: source labels without a counterpart, in the order of the source.
        merged: target label → the source labels that become it, where these are several.
        unreached: target labels that no source label becomes: they never occur in mapped gold, so a mean over all
            target labels would count classes that cannot be right.
    """

    dropped: tuple[str, ...]
    merged: Mapping[str, tuple[str, ...]]
    unreached: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"drops {', '.join(self.dropped)}"] if self.dropped else []
        parts += [f"merges {', '.join(names)} into {target}" for target, names in self.merged.items()]
        parts += [f"never gives {', '.join(self.unreached)}"] if self.unreached else []
        return "; ".join(parts) or "loses nothing"


@dataclass(frozen=True)
class LabelMap:
    """A many-to-one table from the labels of one space to those of another.

    Args:
        source, target: the two spaces.
        pairs: source label → target label; a source label that is not there has no counterpart.
        source_citation: where the map is published.
    """

    source: LabelSpace
    target: LabelSpace
    pairs: Mapping[str, str]
    source_citation: str

    def __post_init__(self) -> None:
        for names, space in ((self.pairs.keys(), self.source), (self.pairs.values(), self.target)):
            if strange := sorted(set(names) - set(space.names)):
                raise Malformed(f"{strange[0]!r} is not in {space.name}", where=self.name, do="use names of the space")

    @property
    def name(self) -> str:
        """``source→target``."""
        return f"{self.source.name}→{self.target.name}"

    @property
    def loses(self) -> Losses:
        """The source labels that are dropped or merged, and the target labels that are never reached."""
        sources: dict[str, list[str]] = {}
        for label in self.source.names:
            if label in self.pairs:
                sources.setdefault(self.pairs[label], []).append(label)
        return Losses(
            dropped=tuple(label for label in self.source.names if label not in self.pairs),
            merged={target: tuple(labels) for target, labels in sources.items() if len(labels) > 1},
            unreached=tuple(label for label in self.target.names if label not in sources),
        )

    def apply(self, label: str) -> str | None:
        """Return the counterpart of ``label`` (or of a word form of it), None where it has none.

        Raises:
            Malformed: when ``label`` is not in the source space; a typing error is no label without a counterpart.
        """
        name = self.source.resolve(label)
        if name is None:
            raise Malformed(f"{label!r} is not in {self.source.name}", where=self.name, do="check the labels")
        return self.pairs.get(name)

    def apply_all(self, labels: Iterable[str]) -> tuple[list[str | None], dict[str, int]]:
        """Return the counterpart of each label, and how often each source label was dropped for lack of one."""
        sources = list(labels)
        mapped = [self.apply(label) for label in sources]
        lost = Counter(self.source.resolve(label) for label, to in zip(sources, mapped, strict=True) if to is None)
        return mapped, {str(name): count for name, count in lost.items()}

    def apply_sets(self, sets: Iterable[Collection[str]]) -> tuple[list[frozenset[str]], dict[str, int]]:
        """Return the counterparts of the labels of each set, and how often each source label was dropped.

        A set all of whose labels are lost becomes the empty set, which says "no emotion" and not "unknown": leave such
        items out where the two must not be mixed.
        """
        mapped, lost = [], Counter[str]()
        for labels in sets:
            targets, missed = self.apply_all(labels)
            mapped.append(frozenset(label for label in targets if label is not None))
            lost.update(missed)
        return mapped, dict(lost)

    def then(self, other: LabelMap) -> LabelMap:
        """Compose this map with ``other``; what either drops is dropped."""
        if self.target != other.source:
            raise Malformed(f"{self.name} does not end where {other.name} begins", do="chain maps that meet")
        pairs = {label: other.pairs[to] for label, to in self.pairs.items() if to in other.pairs}
        return LabelMap(self.source, other.target, pairs, f"{self.source_citation}; {other.source_citation}")

"""Maps of gold answers into the space that a task asks in: published maps of labels, signs of numbers, open words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from affectllm.errors import Malformed
from affectllm.labels.annotation import Value
from affectllm.labels.cited_maps import find_map
from affectllm.labels.maps import LabelMap
from affectllm.labels.space import LabelSpace
from affectllm.labels.taxonomies import SENTIMENT_3

POLARITY, WORDS = "polarity", "words"
"""Targets of ``gold: {map: …}`` that are no space of a published map; ``SPACE_words`` are the words of one that is."""
_WORDS_OF = f"_{WORDS}"
_POLARITY = replace(SENTIMENT_3, name=POLARITY)


class GoldMap(Protocol):
    """A map of the answers in one label space to those of another."""

    @property
    def source(self) -> LabelSpace:
        """The space of the answers that it takes."""

    @property
    def target(self) -> LabelSpace:
        """The space of those that it gives."""

    @property
    def name(self) -> str:
        """``source→target``."""

    def value(self, value: Value) -> Value | None:
        """Return the counterpart of an answer; None where it has none."""


@dataclass(frozen=True)
class OfLabels:
    """A published map of labels; of sets, the counterparts of their labels."""

    source: LabelSpace
    label_map: LabelMap

    @property
    def target(self) -> LabelSpace:
        """The map's target, as a space of sets where the source is one."""
        return replace(self.label_map.target, kind=self.source.kind)

    @property
    def name(self) -> str:
        """``source→target``."""
        return self.label_map.name

    def value(self, value: Value) -> Value | None:
        """Map a label, a set, or a vote that tied.

        A set keeps the counterparts of its labels; one that has none left has no counterpart, unless it was empty. A
        tied vote needs a counterpart for each of its labels: what is left of it would be no majority.
        """
        if isinstance(value, str):
            return self.label_map.apply(value)
        targets = [self.label_map.apply(str(name)) for name in value]
        left = tuple(dict.fromkeys(target for target in targets if target is not None))
        if self.source.kind == "set":
            return left if left or not value else None
        if None in targets:
            return None
        return left[0] if len(left) == 1 else left


@dataclass(frozen=True)
class ToPolarity:
    """The sign of the one number of a space of dimensions: positive or negative; 0 is neither, and has none.

    MER-UniBench and the binary scores of MOSI and MOSEI leave 0 out of the gold values, while "neutral" may be
    answered, and is wrong.
    """

    source: LabelSpace
    target: LabelSpace = _POLARITY

    def __post_init__(self) -> None:
        if self.source.kind != "dimension" or len(self.source.names) != 1:
            raise Malformed(f"{self.source.name} is no single number, so it has no polarity")

    @property
    def name(self) -> str:
        """``source→polarity``."""
        return f"{self.source.name}→{POLARITY}"

    def value(self, value: Value) -> Value | None:
        """Return the sign as a word."""
        assert isinstance(value, Mapping)
        number = value.get(self.source.names[0], 0.0)
        return None if number == 0 else "positive" if number > 0 else "negative"


@dataclass(frozen=True)
class ToWords:
    """Labels as open words, for tasks that ask for emotions in one's own words and compare them by wheels.

    Args:
        source: the space of the labels.
        through: a map to other labels, such as "happy" for "happiness" or four classes for ten, which are the words.
    """

    source: LabelSpace
    through: OfLabels | None = None

    def __post_init__(self) -> None:
        if self.source.kind not in ("category", "set"):
            raise Malformed(f"{self.source.name} has no labels that could be open words")

    @property
    def target(self) -> LabelSpace:
        """An open space of its own."""
        labels = self.through.target if self.through else self.source
        return LabelSpace(f"{labels.name}_{WORDS}", "open", (), source=labels.source)

    @property
    def name(self) -> str:
        """``source→source_words``."""
        return f"{self.source.name}→{self.target.name}"

    def value(self, value: Value) -> Value | None:
        """Return the labels, separated by commas; a tied vote and an empty set have no words."""
        labels = self.through.value(value) if self.through else value
        if isinstance(labels, str):
            return labels
        return ", ".join(map(str, labels)) if self.source.kind == "set" and labels else None


def find_gold_map(source: LabelSpace, target: str) -> GoldMap:
    """Return the map of answers in ``source`` to ``target``: a label space of a published map, or a target above.

    Raises:
        NotFound: when there is no such map; names those that begin at ``source``.
        Malformed: when the published map is of other labels than ``source`` has, or has no meaning for its kind.
    """
    if target == POLARITY:
        return ToPolarity(source)
    if target == WORDS:
        return ToWords(source)
    if target.endswith(_WORDS_OF):
        return ToWords(source, _of_labels(source, target.removesuffix(_WORDS_OF)))
    return _of_labels(source, target)


def _of_labels(source: LabelSpace, target: str) -> OfLabels:
    label_map = find_map(source.name, target)
    if set(label_map.source.names) != set(source.names):
        other = sorted(set(label_map.source.names) ^ set(source.names))
        raise Malformed(f"{label_map.name} is of other labels than the corpus has: {', '.join(other[:5])}")
    return OfLabels(source, label_map)

"""Count the clusters of gold, of the answer and of both, for many items at once.

Every distinct label is mapped once, and every distinct value (a set of labels) is counted once; items are then looked
up as numbers. So an answer that is given to every item costs no more than one item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from affectllm.metrics.core.counts import ratio
from affectllm.metrics.wheels.mapping import Route

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Labels = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Side:
    """The labels of one side (gold or answers).

    Args:
        value: the number of each item's value, ``[n]``; equal values have equal numbers.
        owner, label: the labels of all values in one row: value ``owner[k]`` holds label number ``label[k]``, each
            label once.
        size: how many values there are.
    """

    value: Array
    owner: Array
    label: Array
    size: int

    def per_item(self, chosen: Array | None = None) -> Array:
        """Count the labels of each item, ``[n]``; only those of the vocabulary that are ``chosen``, where given."""
        import numpy as np

        owner = self.owner if chosen is None else self.owner[chosen[self.label]]
        return np.bincount(owner, minlength=self.size)[self.value]


@dataclass(frozen=True)
class Pairs:
    """Gold labels and answers over one vocabulary."""

    gold: Side
    predicted: Side
    vocabulary: list[str]


@dataclass(frozen=True)
class Counts:
    """Per item: clusters in gold, in the answer and in both, ``[n]`` each."""

    gold: Array
    predicted: Array
    both: Array

    @property
    def precision(self) -> Array:
        """Per item, 0 where the answer has no cluster."""
        return ratio(self.both, self.predicted)

    @property
    def recall(self) -> Array:
        """Per item, 0 where gold has no cluster."""
        return ratio(self.both, self.gold)

    @property
    def f(self) -> Array:
        """Per item, 2·|g∩p| / (|g|+|p|), 0 where both are empty."""
        return ratio(2 * self.both, self.gold + self.predicted)


def pairs(gold: Labels, predicted: Labels) -> Pairs:
    """Encode the labels of both sides as numbers of one vocabulary."""
    numbers: dict[str, int] = {}
    sides = [_side(labels, numbers) for labels in (gold, predicted)]
    return Pairs(sides[0], sides[1], list(numbers))


def _side(labels: Labels, numbers: dict[str, int]) -> Side:
    import numpy as np

    values: dict[tuple[str, ...], int] = {}
    value = np.fromiter((values.setdefault(tuple(item), len(values)) for item in labels), np.int64, len(labels))
    once = [dict.fromkeys(labels_of) for labels_of in values]
    owner = np.repeat(np.arange(len(once)), np.fromiter(map(len, once), np.int64, len(once)))
    label = np.array([numbers.setdefault(label, len(numbers)) for names in once for label in names], np.int64)
    return Side(value, owner, label, len(once))


def cluster_numbers(labels: Sequence[str], route: Route, alone: Route | None) -> tuple[Array, Array]:
    """Return the cluster of each label as a number, −1 for none; and whether the tables map it.

    Args:
        alone: the name of the own cluster of a label that leads nowhere; None, where it has none.
    """
    import numpy as np

    numbers: dict[str, int] = {}
    clusters = [route(label) for label in labels]
    names = [cluster or (f"\0{alone(label)}" if alone else "") for label, cluster in zip(labels, clusters, strict=True)]
    codes = [numbers.setdefault(name, len(numbers)) if name else -1 for name in names]
    return np.array(codes, np.int64), np.array([bool(cluster) for cluster in clusters], bool)


def counts(paired: Pairs, codes: Array) -> Counts:
    """Count the clusters per item under one mapping; labels with number −1 do not count."""
    import numpy as np

    width = int(codes.max(initial=0)) + 1
    keys = [_keys(side, codes, width) for side in (paired.gold, paired.predicted)]
    sizes = [np.bincount(each // width, minlength=side.size) for each, side in zip(keys, _sides(paired), strict=True)]
    per_item = [size[side.value] for size, side in zip(sizes, _sides(paired), strict=True)]
    items, clusters = _expanded(paired.gold.value, keys[0] % width, sizes[0])
    hits = _among(paired.predicted.value[items] * width + clusters, keys[1])
    both = np.bincount(items[hits], minlength=len(paired.gold.value))
    return Counts(per_item[0], per_item[1], both)


def _sides(paired: Pairs) -> tuple[Side, Side]:
    return paired.gold, paired.predicted


def _keys(side: Side, codes: Array, width: int) -> Array:
    """Return value and cluster in one number, each pair once, sorted."""
    import numpy as np

    clusters = codes[side.label]
    mapped = clusters >= 0
    return np.unique(side.owner[mapped] * width + clusters[mapped])


def _expanded(value: Array, clusters: Array, sizes: Array) -> tuple[Array, Array]:
    """Return item and cluster of every cluster of every item, from the flat list of the clusters of the values."""
    import numpy as np

    starts, lengths = np.cumsum(sizes) - sizes, sizes[value]
    items = np.repeat(np.arange(len(value)), lengths)
    within = np.arange(len(items)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return items, clusters[starts[value][items] + within]


def _among(values: Array, sorted_values: Array) -> Array:
    """Return which of ``values`` occur in ``sorted_values``."""
    import numpy as np

    if not len(sorted_values):
        return np.zeros(len(values), bool)
    places = np.minimum(np.searchsorted(sorted_values, values), len(sorted_values) - 1)
    return np.asarray(sorted_values[places] == values)

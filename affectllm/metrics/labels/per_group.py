"""Means over groups of items, such as folds or speakers, of a metric of labels that is computed in each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.labels.classes import accuracy, macro_f1, uar

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Labels = Sequence[str]
Groups = Sequence[Hashable]
_EMOBOX = (
    "Ma et al., EmoBox: Multilingual Multi-corpus Speech Emotion Recognition Toolkit and Benchmark, Interspeech 2024"
)


@metric(
    "uar_per_group", form="label", range=(0.0, 1.0), source=_EMOBOX, columns=("groups",), title="UAR, mean of groups"
)
def uar_per_group(gold: list[str], predicted: list[str | None], *, labels: Labels = (), groups: Groups = ()) -> Sums:
    """Unweighted average recall of each group, such as each fold, then their mean, in which all weigh the same.

    Formula: ``1/G Σ_g uar_g``; ``groups`` holds the group of each item. ``per_class`` holds the value of each group.
    Edge cases: as ``uar``; a class that a group lacks is no class of its mean; without ``groups`` all are one.
    """
    return _mean_of_groups(uar.function, gold, predicted, labels, groups)


@metric("accuracy_per_group", form="label", range=(0.0, 1.0), source=_EMOBOX, columns=("groups",))
def accuracy_per_group(
    gold: list[str], predicted: list[str | None], *, labels: Labels = (), groups: Groups = ()
) -> Sums:
    """Share of correct answers of each group, such as each fold, then their mean, in which all weigh the same.

    Formula: ``1/G Σ_g accuracy_g``; ``groups`` holds the group of each item. ``per_class`` holds that of each group.
    Edge cases: as ``accuracy``; without ``groups`` all items are one.
    """
    return _mean_of_groups(accuracy.function, gold, predicted, labels, groups)


@metric("macro_f1_per_group", form="label", range=(0.0, 1.0), source=_EMOBOX, columns=("groups",))
def macro_f1_per_group(
    gold: list[str], predicted: list[str | None], *, labels: Labels = (), groups: Groups = ()
) -> Sums:
    """Macro F1 of each group, such as each fold, then their mean, in which all weigh the same.

    Formula: ``1/G Σ_g macro_f1_g``; ``groups`` holds the group of each item. ``per_class`` holds that of each group.
    Edge cases: as ``macro_f1``; without ``groups`` all items are one.
    """
    return _mean_of_groups(macro_f1.function, gold, predicted, labels, groups)


def _mean_of_groups(each: Any, gold: list[str], predicted: list[str | None], labels: Labels, groups: Groups) -> Sums:
    """Compute the sums of each group beside those of the others, and the mean of what the groups make of theirs."""
    import numpy as np

    names = list(labels) or sorted({*gold, *(answer for answer in predicted if answer is not None)})
    belongs: list[Hashable] = list(groups) if len(groups) else ["all"] * len(gold)
    present = list(dict.fromkeys(belongs))
    counts = Counter(belongs)
    whole = each(gold, predicted, labels=names)
    width = whole.table.shape[1]
    table = np.zeros((len(gold), width * len(present)))
    for place, group in enumerate(present):
        rows = [row for row, own in enumerate(belongs) if own == group]
        table[rows, place * width : (place + 1) * width] = whole.table[rows]

    def reduce(totals: Array) -> Array:
        parts = totals.reshape(*totals.shape[:-1], len(present), width)
        met = parts.any(-1)  # a resample may lack a group
        values = np.where(met, np.nan_to_num(whole.reduce(parts)), 0.0)
        return np.where(met.any(-1), values.sum(-1) / np.maximum(met.sum(-1), 1), np.nan)

    def of_groups() -> dict[str, dict[str, float]]:
        values = whole.reduce(table.sum(0).reshape(len(present), width))
        sizes = [counts[group] for group in present]
        return {str(g): {"value": float(v), "support": n} for g, v, n in zip(present, values, sizes, strict=True)}

    return Sums(table, reduce, per_class=of_groups, coverage={"groups": float(len(present))})

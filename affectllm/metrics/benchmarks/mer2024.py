"""The open-vocabulary score of MER2024: two sets of labels, in which synonyms were grouped item by item beforehand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.label_sets import parse_labels, parse_set
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.wheels.counts import cluster_numbers, counts, pairs
from affectllm.metrics.wheels.f1 import AS_SETS

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Groups = list[list[str]]


@metric(
    "mer2024_ov",
    form="raw",
    also=("set",),
    range=(0.0, 1.0),
    source="Lian et al., MER 2024, main-ov.py, calculate_openset_overlap_rate_mer2024",
    compat={"mertools": "groups are read as the published script does, and are neither put in lower case nor stripped"},
    columns=("synonyms",),
    controls_as=AS_SETS,
)
def mer2024_ov(
    gold: list[Any], predicted: list[Any], *, synonyms: Sequence[Any] | None = None, compat: str | None = None
) -> Sums:
    """Mean of precision and recall of label sets, in which every label stands for the first one of its synonym group.

    Formula: ``½ (1/n Σ_i |g_i ∩ p_i| / |p_i| + 1/n Σ_i |g_i ∩ p_i| / |g_i|)``.
    Args: ``synonyms`` gives the groups of each item, as lists of lists or as text such as ``[['happy', 'glad'], …]``;
    without it each label is its own. The published groups were written by GPT-3.5, so they are part of the score.
    Edge cases: an unreadable or empty answer scores 0; an item without gold labels is left out (``skipped_items``),
    where the published script divides by zero; a label in two groups belongs to the later one.
    """
    import numpy as np

    groups = [_heads(value, compat) for value in synonyms] if synonyms is not None else [{}] * len(gold)
    sides = [_grouped(values, groups, parse_set if compat else parse_labels) for values in (gold, predicted)]
    paired = pairs(sides[0], sides[1])
    each = counts(paired, cluster_numbers(paired.vocabulary, str, None)[0])
    scored = each.gold > 0
    if not scored.any():
        raise Malformed("no item has a gold label", do="check the column of the gold labels")
    table = np.stack([each.precision, each.recall, scored], axis=1) * scored[:, None]
    precision, recall, n = table.sum(0).tolist()
    return Sums(
        table,
        _score,
        coverage={
            "skipped_items": float(len(gold) - n),
            "labels_per_item": float(each.predicted.mean()),
            "grouped_items": float(sum(bool(heads) for heads in groups)),
        },
        details={"precision": precision / n, "recall": recall / n},
        n=int(n),
    )


def _score(totals: Array) -> Array:
    import numpy as np

    n = np.where(totals[..., 2] > 0, totals[..., 2], np.nan)
    return np.asarray((totals[..., 0] + totals[..., 1]) / 2 / n)


def _grouped(
    values: Sequence[Any], groups: Sequence[dict[str, str]], parse: Callable[[Any], list[str]]
) -> list[list[str]]:
    named = ([label.lower() for label in parse(value)] for value in values)
    return [[heads.get(label, label) for label in labels] for labels, heads in zip(named, groups, strict=True)]


def _heads(value: Any, compat: str | None) -> dict[str, str]:
    """Map each label to the first label of its group."""
    groups = parse_groups(value) if compat else [[_plain(label) for label in group] for group in _read(value)]
    return {label: group[0] for group in groups for label in group}


def _plain(label: str) -> str:
    return label.lower().strip()


def _read(value: Any) -> Groups:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return [piece for group in parse_groups(value) if (piece := _split(group))]
    if value is None or value != value:
        return []
    if not isinstance(value, (list, tuple)) or not all(isinstance(group, (list, tuple, set)) for group in value):
        raise Malformed(
            f"{value!r:.80} is no list of synonym groups", do="give a list of lists of labels for each item"
        )
    return [sorted(group) if isinstance(group, set) else [str(label) for label in group] for group in value if group]


def _split(group: list[str]) -> list[str]:
    """Split labels without quotation marks at commas; the published reading returns them as one piece."""
    return [label for piece in group for label in map(str.strip, piece.split(",")) if label]


def parse_groups(value: Any) -> Groups:
    """Parse groups in text such as ``[['happy', 'glad'], ['sad']]``, exactly as the published script does.

    The text is cut at every bracket and each piece at every quotation mark; blank pieces and lone commas go.
    """
    if not isinstance(value, str):
        return _read(value)
    inside = (piece for piece in re.split(r"[\[\]]", value) if piece.strip() not in ("", ","))
    groups = ([label for label in re.split("['\"]", piece) if label.strip() not in ("", ",")] for piece in inside)
    return [group for group in groups if group]

"""Control answers that need no understanding of the items, as baselines for a score.

``majority`` always gives the most frequent gold value (the mean of numbers), ``chance`` draws uniformly from the labels
(from the range of numbers, from the gold values of other forms), ``say_all`` names every label, ``empty`` says nothing,
``shuffled`` gives the gold answers in another order, so it knows how often each one occurs but not where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def control_answers(form: str, gold: Sequence[Any], labels: Sequence[str], seed: int) -> dict[str, list[Any]]:
    """Map the controls that ``form`` has to one answer per item.

    Args:
        form: name of the form.
        gold: checked gold values.
        labels: the label space; where it is empty, the labels in ``gold``.
        seed: of ``chance`` and ``shuffled``.
    """
    import numpy as np

    if form in ("raw", "ratings", "sequence") or not gold:
        return {}  # nothing to answer, or only the metric knows what an answer is
    random = np.random.default_rng(seed)
    if form in ("ranked", "scores", "probability"):
        return _graded(form, gold, _labels_of(gold, labels), random)
    shuffled = [gold[row] for row in random.permutation(len(gold))]
    return {
        "majority": [_majority(form, gold)] * len(gold),
        "chance": _chance(form, gold, labels, random),
        **({"say_all": _say_all(form, gold, labels)} if form in ("label", "set") else {}),
        "empty": [None] * len(gold),
        "shuffled": [truth[0] for truth in shuffled] if form == "text" else shuffled,
    }


def _graded(form: str, gold: Sequence[Any], labels: Sequence[str], random: np.random.Generator) -> dict[str, list[Any]]:
    """Return controls that score or rank every label: by its frequency, by chance, by the labels of another item."""
    sets = [{truth} if isinstance(truth, str) else set(truth) for truth in gold]
    counts = {label: float(sum(label in truth for truth in sets)) for label in labels}
    others = [sets[row] for row in random.permutation(len(sets))]
    numbers = random.random((len(gold), len(labels))).tolist()
    graded: dict[str, list[dict[str, float]]] = {
        "majority": [counts] * len(gold),
        "chance": [dict(zip(labels, row, strict=True)) for row in numbers],
        "shuffled": [{label: counts[label] * 1e-9 + (label in other) for label in labels} for other in others],
    }
    if form == "scores":
        graded["say_all"] = [dict.fromkeys(labels, 1.0)] * len(gold)
    shape: Callable[[Mapping[str, float]], Any] = {"ranked": _order, "probability": _shares}.get(form, dict)
    return {**{name: list(map(shape, rows)) for name, rows in graded.items()}, "empty": [None] * len(gold)}


def _order(weights: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(sorted(weights, key=lambda label: (-weights[label], label)))


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    whole = sum(weights.values()) or 1.0
    return {label: weight / whole for label, weight in weights.items()}


def _majority(form: str, gold: Sequence[Any]) -> Any:
    if form == "number":
        return sum(gold) / len(gold)
    if form in ("vector", "distribution"):
        names = sorted({name for truth in gold for name in truth})
        return {name: sum(truth.get(name, 0.0) for truth in gold) / len(gold) for name in names}
    if form == "text":
        return Counter(truth[0] for truth in gold).most_common(1)[0][0]
    if form == "set":  # an empty set is no answer; the most frequent label is
        counts = Counter(label for truth in gold for label in truth)
        return frozenset([min(counts, key=lambda label: (-counts[label], label))]) if counts else frozenset()
    counts = Counter(gold)
    return min(counts, key=lambda label: (-counts[label], label))


def _chance(form: str, gold: Sequence[Any], labels: Sequence[str], random: np.random.Generator) -> list[Any]:
    if form == "number":
        return list(map(float, random.uniform(min(gold), max(gold), len(gold))))
    if form in ("label", "set"):
        candidates = _labels_of(gold, labels) or [""]  # sets may all be empty
        named = [candidates[number] for number in random.integers(0, len(candidates), len(gold))]
        alone = {label: frozenset(filter(None, [label])) for label in candidates}
        return [alone[label] for label in named] if form == "set" else list(named)
    drawn = [gold[number] for number in random.integers(0, len(gold), len(gold))]
    return [truth[0] for truth in drawn] if form == "text" else drawn


def _say_all(form: str, gold: Sequence[Any], labels: Sequence[str]) -> list[Any]:
    """Return the set of all labels; where one label is asked for, None, since naming them all cannot be read."""
    return [frozenset(_labels_of(gold, labels)) if form == "set" else None] * len(gold)


def _labels_of(gold: Sequence[Any], labels: Sequence[str]) -> list[str]:
    if labels:
        return list(labels)
    return sorted({label for truth in gold for label in ([truth] if isinstance(truth, str) else truth)})

"""Metrics of several labels at once. An unreadable answer is None: it finds no label and shares none with the gold set.

Every function takes ``gold`` (one set of labels per item) and ``predicted`` (one set or None per item) and returns a
number in [0, 1].

Raises (all functions): ``Malformed`` when there is nothing to score or the lengths differ.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.check import check_lengths, class_row

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Sets = Sequence[Collection[str]]
Answers = Sequence[Collection[str] | None]


def micro_f1(gold: Sets, predicted: Answers) -> float:
    """``2·Σtp / (2·Σtp + Σfp + Σfn)`` over all labels; 1 where nothing was to be found and nothing was claimed."""
    from sklearn.metrics import f1_score

    truth, answers = _indicators(gold, predicted, _union(gold, predicted))
    if not truth.any() and not answers.any():
        return 1.0
    return float(f1_score(_square(truth), _square(answers), average="micro", zero_division=0))


def macro_f1(gold: Sets, predicted: Answers) -> float:
    """Mean of F1 over the labels that occur in ``gold``; where none does: 1 if nothing was claimed, else 0."""
    from sklearn.metrics import f1_score

    truth, answers = _indicators(gold, predicted, _union(gold, predicted))
    present = [index for index in range(truth.shape[1]) if truth[:, index].any()]
    if not present:
        return float(not answers.any())
    return float(f1_score(_square(truth), _square(answers), labels=present, average="macro", zero_division=0))


def jaccard(gold: Sets, predicted: Answers) -> float:
    """Mean over items of ``|g ∩ p| / |g ∪ p|``, 1 if both are empty, 0 if the answer is unreadable.

    Source: Mohammad et al., SemEval-2018 Task 1, where it is called the accuracy of E-c.
    """
    from sklearn.metrics import jaccard_score

    truth, answers = _indicators(gold, predicted, _union(gold, predicted))
    items = [index for index, answer in enumerate(predicted) if answer is not None]
    if not items:
        return 0.0
    if not truth.shape[1]:
        return len(items) / len(gold)
    scores = jaccard_score(_square(truth[items]), _square(answers[items]), average="samples", zero_division=1)
    return float(scores) * len(items) / len(gold)


def per_class(gold: Sets, predicted: Answers, labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """``{label: {precision, recall, f1, support}}`` for every label of ``labels``; 0 where a ratio is 0/0."""
    from sklearn.metrics import precision_recall_fscore_support

    truth, answers = _indicators(gold, predicted, labels)
    columns = precision_recall_fscore_support(_square(truth), _square(answers), zero_division=0)
    return {label: class_row(*(column[i] for column in columns)) for i, label in enumerate(labels)}


def _square(indicators: Array) -> Array:
    # A single column would be read as one binary label instead of a set; a label that never occurs changes nothing.
    import numpy as np

    return indicators if indicators.shape[1] > 1 else np.pad(indicators, ((0, 0), (0, 1)))


def _union(gold: Sets, predicted: Answers) -> list[str]:
    return sorted({label for labels in (*gold, *(answer or () for answer in predicted)) for label in labels})


def _indicators(gold: Sets, predicted: Answers, labels: Sequence[str]) -> tuple[Array, Array]:
    import numpy as np

    check_lengths(gold, predicted)
    positions = {label: index for index, label in enumerate(labels)}
    if strange := sorted(set(_union(gold, predicted)) - set(labels)):
        raise Malformed(f"labels outside the label space: {', '.join(strange[:5])}", do="read answers with a template")
    both = []
    for side in (gold, [answer or () for answer in predicted]):
        indicators = np.zeros((len(gold), len(labels)), np.int8)
        for row, names in enumerate(side):
            indicators[row, [positions[name] for name in names]] = 1
        both.append(indicators)
    return both[0], both[1]


def table(gold: Sets, predicted: Answers, labels: Sequence[str]) -> Array:
    """Per item: tp, fp and fn of every label, its Jaccard value and a one; ``[n, 3·L + 2]``. See ``bootstrap``."""
    import numpy as np

    truth, answers = _indicators(gold, predicted, labels)
    both, either = (truth & answers).sum(1), (truth | answers).sum(1)
    overlap = np.where(either == 0, 1.0, both / np.maximum(either, 1))
    overlap[[answer is None for answer in predicted]] = 0
    counts = [truth & answers, answers & ~truth & 1, truth & ~answers & 1, overlap[:, None], np.ones((len(gold), 1))]
    return np.concatenate(counts, axis=1).astype(np.float32)


def from_sums(name: str, sums: Array) -> Array:
    """The metric called ``name`` for many summed tables at once: ``[..., 3·L + 2]`` → ``[...]``."""
    import numpy as np

    if name == "jaccard":
        return np.asarray(sums[..., -2] / np.maximum(sums[..., -1], 1))
    found, false, missed = np.moveaxis(sums[..., :-2].reshape(*sums.shape[:-1], 3, -1), -2, 0)
    if name == "micro_f1":
        return _ratio(found.sum(-1), false.sum(-1), missed.sum(-1), empty=1)
    present = found + missed > 0
    mean = (_ratio(found, false, missed, empty=0) * present).sum(-1) / np.maximum(present.sum(-1), 1)
    return np.where(present.any(-1), mean, 1.0 * (false.sum(-1) == 0))


def _ratio(found: Array, false: Array, missed: Array, empty: int) -> Array:
    import numpy as np

    whole = 2 * found + false + missed
    return np.where(whole == 0, empty, 2 * found / np.maximum(whole, 1))

"""Metrics of single labels. An unreadable answer is None and is never correct: it counts as a class of its own.

Every function takes ``gold`` (one label per item) and ``predicted`` (one label or None per item, in the same order) and
returns a number in [0, 1]. Labels that occur only in ``predicted`` are wrong answers; no mean runs over them, as in
R1-Omni's evaluation (see Zhao et al., 2025, https://arxiv.org/abs/2503.05379) and unlike evaluators in which an
unreadable answer becomes one more class with recall 0.

Raises (all functions): ``Malformed`` when there is nothing to score or the lengths differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.check import check_lengths, class_row

if TYPE_CHECKING:
    import numpy as np

Labels = Sequence[str]
Answers = Sequence[str | None]


def accuracy(gold: Labels, predicted: Answers) -> float:
    """Share of correct answers, ``Σ_c n_c/N · recall_c``; papers on DFEW and MAFW call it WAR."""
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(*_indices(gold, predicted)[:2]))


def uar(gold: Labels, predicted: Answers) -> float:
    """Unweighted average recall: the mean of ``tp_c / n_c`` over the classes that occur in ``gold``.

    Source: Schuller et al., The INTERSPEECH 2009 Emotion Challenge.
    """
    from sklearn.metrics import recall_score

    truth, answers, present = _indices(gold, predicted)
    return float(recall_score(truth, answers, labels=present, average="macro", zero_division=0))


def macro_f1(gold: Labels, predicted: Answers) -> float:
    """Mean over the classes in ``gold`` of ``2·tp / (2·tp + fp + fn)``; a class that is never found has F1 = 0."""
    return _f1(gold, predicted, "macro")


def weighted_f1(gold: Labels, predicted: Answers) -> float:
    """``Σ_c n_c/N · F1_c``, the headline of MELD (Poria et al., 2019) and of the MER challenges."""
    return _f1(gold, predicted, "weighted")


def per_class(gold: Labels, predicted: Answers, labels: Labels) -> dict[str, dict[str, float]]:
    """``{label: {precision, recall, f1, support}}`` for every label of ``labels``; 0 where a ratio is 0/0."""
    from sklearn.metrics import precision_recall_fscore_support

    truth, answers, _ = _indices(gold, predicted, labels)
    columns = precision_recall_fscore_support(truth, answers, labels=range(len(labels)), zero_division=0)
    return {label: class_row(*(column[i] for column in columns)) for i, label in enumerate(labels)}


def confusion(gold: Labels, predicted: Answers, labels: Labels) -> list[list[int]]:
    """Counts: one row per gold label, one column per predicted label in the order of ``labels``, last the unreadable.

    Raises:
        Malformed: when ``gold`` or ``predicted`` holds a label that is not in ``labels``.
    """
    from sklearn.metrics import confusion_matrix

    truth, answers, _ = _indices(gold, predicted, labels)
    square = confusion_matrix(truth, answers, labels=range(len(labels) + 1))
    rows: list[list[int]] = square[: len(labels)].tolist()
    return rows


def _f1(gold: Labels, predicted: Answers, average: str) -> float:
    from sklearn.metrics import f1_score

    truth, answers, present = _indices(gold, predicted)
    return float(f1_score(truth, answers, labels=present, average=average, zero_division=0))


def _indices(gold: Labels, predicted: Answers, labels: Labels | None = None) -> tuple[list[int], list[int], list[int]]:
    """Gold and answers as positions in ``labels`` (unreadable: one past the end), and the positions in ``gold``."""
    check_lengths(gold, predicted)
    known = list(labels) if labels is not None else sorted({*gold, *(answer for answer in predicted if answer)})
    positions: dict[str | None, int] = {label: index for index, label in enumerate(known)}
    positions[None] = len(known)
    if strange := sorted({str(label) for label in (*gold, *predicted) if label not in positions}):
        raise Malformed(f"labels outside the label space: {', '.join(strange[:5])}", do="read answers with a template")
    truth = [positions[label] for label in gold]
    return truth, [positions[answer] for answer in predicted], sorted(set(truth))


def table(gold: Labels, predicted: Answers, labels: Labels) -> np.ndarray[Any, Any]:
    """One flattened confusion matrix per item, ``[n, L·(L+1)]``: what the bootstrap sums. See ``bootstrap``."""
    import numpy as np

    truth, answers, _ = _indices(gold, predicted, labels)
    cells = np.zeros((len(gold), len(labels) * (len(labels) + 1)), np.float32)
    cells[np.arange(len(gold)), np.array(truth) * (len(labels) + 1) + np.array(answers)] = 1
    return cells


def from_sums(name: str, sums: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The metric called ``name`` for many summed tables at once: ``[..., L·(L+1)]`` → ``[...]``."""
    import numpy as np

    size = isqrt(sums.shape[-1])  # L² < L·(L+1) < (L+1)²
    matrix = sums.reshape(*sums.shape[:-1], size, size + 1)
    found, support = np.diagonal(matrix, axis1=-2, axis2=-1), matrix.sum(-1)
    total, present = np.maximum(support.sum(-1), 1), np.maximum((support > 0).sum(-1), 1)
    if name == "accuracy":
        return np.asarray(found.sum(-1) / total)
    recall = found / np.maximum(support, 1)
    if name == "uar":
        return np.asarray(recall.sum(-1) / present)
    f1 = 2 * found / np.maximum(support + matrix[..., :size].sum(-2), 1)
    if name == "macro_f1":
        return np.asarray((f1 * (support > 0)).sum(-1) / present)
    return np.asarray((f1 * support).sum(-1) / total)

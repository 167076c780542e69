"""Calibration of confidence: a probability per label and item, against one gold label.

Probabilities sum to 1 or less, since a model may name its best labels only; a label without one has 0. The confidence
of an answer is its largest probability. An unreadable answer (None) counts as full confidence in a wrong label, the
worst that an answer can do; ``invalid="drop"`` leaves it out instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import indicators, label_names, mean_of_items, per_part, ratio
from affectllm.metrics.core.metric import Sums, metric

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Probabilities = Sequence[dict[str, float] | None]
FLOOR = 1e-12
_GUO = "Guo et al., On calibration of modern neural networks, ICML 2017"


@metric(
    "ece",
    form="probability",
    range=(0.0, 1.0),
    source=_GUO + "; adaptive: Nguyen and O'Connor, EMNLP 2015",
    better="lower",
)
def ece(gold: list[str], predicted: Probabilities, *, bins: int = 15, adaptive: bool = False) -> Sums:
    """Expected calibration error: how far confidence is from accuracy, over bins of confidence.

    Formula: ``Σ_b n_b/N · |accuracy_b − confidence_b|`` over ``bins`` of equal width, each without its lower end and
    with its upper; ``adaptive`` bins hold about equally many items, equal confidences staying together.
    Edge cases: bins without items do not count; where labels tie for the largest probability, the first by name is the
    answer. ``per_class`` holds the reliability diagram, ``details.maximum`` the largest gap of a bin.
    """
    return _binned(gold, predicted, bins, adaptive, lambda gap, share: (abs(gap) * share).sum(-1))


@metric(
    "reliability",
    form="probability",
    range=(0.0, 1.0),
    source="Murphy, A new vector partition of the probability score, J. of Applied Meteorology 12(4), 1973",
    better="lower",
)
def reliability(gold: list[str], predicted: Probabilities, *, bins: int = 15, adaptive: bool = False) -> Sums:
    """Reliability term of the Brier score of confidence; ``per_class`` holds the data of the reliability diagram.

    Formula: ``Σ_b n_b/N · (accuracy_b − confidence_b)²``, bins as in ``ece``.
    Edge cases: as ``ece``.
    """
    return _binned(gold, predicted, bins, adaptive, lambda gap, share: (gap**2 * share).sum(-1))


@metric(
    "brier",
    form="probability",
    range=(0.0, 2.0),
    source="Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78(1), 1950",
    better="lower",
)
def brier(gold: list[str], predicted: Probabilities, *, labels: Sequence[str] = ()) -> Sums:
    """Brier score: squared error of the probabilities of all labels; mean over items.

    Formula: ``1/N Σ_i Σ_c (p_ic − 1[y_i = c])²``, as Brier defined it for several classes: between 0 and 2. Libraries
    that halve it say so.
    Edge cases: an unreadable answer has 2.
    """
    import numpy as np

    names = label_names(labels, gold, *(answer for answer in predicted if answer))
    truth, probabilities = indicators([(label,) for label in gold], names), [answer or {} for answer in predicted]
    shares = np.array([[answer.get(name, 0.0) for name in names] for answer in probabilities])
    readable = np.array([bool(answer) for answer in probabilities])
    return mean_of_items(np.where(readable, ((shares - truth) ** 2).sum(1), 2.0))


@metric(
    "nll", form="probability", range=(0.0, inf), source="Good, Rational decisions, JRSS B 14(1), 1952", better="lower"
)
def nll(gold: list[str], predicted: Probabilities, *, floor: float = FLOOR) -> Sums:
    """Negative log likelihood of the gold label, in nats; mean over items.

    Formula: ``−1/N Σ_i ln max(p_i(y_i), floor)``.
    Edge cases: probabilities below ``floor``, unreadable answers among them, cost ``−ln floor`` instead of infinitely
    much; ``details.floored`` counts them, and the value depends on ``floor`` where there are any.
    """
    import numpy as np

    if not 0 < floor < 1:
        raise Malformed(f"floor is {floor}", do="choose a small probability above 0")
    shares = np.array([(answer or {}).get(label, 0.0) for label, answer in zip(gold, predicted, strict=True)])
    return mean_of_items(-np.log(np.clip(shares, floor, 1.0)), details={"floored": float((shares < floor).sum())})


def confidences(gold: Sequence[str], predicted: Probabilities) -> tuple[Array, Array, Array]:
    """Return per item the largest probability, whether its label is right, and whether the answer was readable."""
    import numpy as np

    best = [_best(answer) if answer else (None, 1.0) for answer in predicted]
    right = [label == truth for truth, (label, _) in zip(gold, best, strict=True)]
    readable = np.array([bool(answer) for answer in predicted])
    return np.array([share for _, share in best]), np.array(right, float), readable


def _best(answer: dict[str, float]) -> tuple[str, float]:
    label = min(answer, key=lambda name: (-answer[name], name))
    return label, answer[label]


def _binned(gold: list[str], predicted: Probabilities, bins: int, adaptive: bool, value: Any) -> Sums:
    import numpy as np

    if bins < 1:
        raise Malformed(f"bins is {bins}", do="choose a whole number from 1")
    confidence, right, _ = confidences(gold, predicted)
    edges = np.unique(np.quantile(confidence, np.linspace(0, 1, bins + 1))) if adaptive else np.linspace(0, 1, bins + 1)
    size = max(1, len(edges) - 1)
    which = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, size - 1)
    table, rows = np.zeros((len(gold), 3, size)), np.arange(len(gold))
    for column, numbers in enumerate((np.ones(len(gold)), confidence, right)):
        table[rows, column, which] = numbers

    def gaps(sums: Array) -> tuple[Array, Array]:
        count, sure, correct = np.moveaxis(sums.reshape(*sums.shape[:-1], 3, size), -2, 0)
        return ratio(correct - sure, count), ratio(count, count.sum(-1, keepdims=True), np.nan)

    flat = table.reshape(len(gold), -1)
    totals = flat.sum(0)
    return Sums(
        flat,
        lambda sums: value(*gaps(sums)),
        per_class=lambda: _diagram(edges, totals.reshape(3, size)),
        details={"maximum": float(abs(gaps(totals)[0]).max())},
    )


def _diagram(edges: Array, totals: Array) -> dict[str, dict[str, float]]:
    """Map the bins that hold items, as ``low–high``, to confidence, accuracy and count."""
    import numpy as np

    count, sure, correct = totals
    met = np.flatnonzero(count)
    upper = np.append(edges[1:], edges[-1])
    names = [f"{edges[i]:.4f}–{upper[i]:.4f}" for i in met]
    return per_part(names, confidence=sure[met] / count[met], accuracy=correct[met] / count[met], count=count[met])

"""Selective prediction: accuracy when the least confident answers are withheld.

Confidence is the largest probability of an answer. An unreadable answer is the least confident of all and wrong, so it
is withheld first. Items of equal confidence enter together, each as the mean of them, so their order does not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.confidence.calibration import Probabilities, confidences
from affectllm.metrics.core.metric import Rows, metric

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_GEIFMAN = "Geifman and El-Yaniv, Selective classification for deep neural networks, NeurIPS 2017"
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@metric(
    "aurc",
    form="probability",
    range=(0.0, 1.0),
    source=_GEIFMAN + "; area: Geifman, Uziel, El-Yaniv, ICLR 2019",
    better="lower",
)
def aurc(gold: list[str], predicted: Probabilities) -> Rows:
    """Area under the risk-coverage curve: the error rate of the k most confident answers, mean over all k.

    Formula: ``1/N Σ_k (errors among the k most confident) / k``.
    ``per_class`` holds the abstention-coverage curve, ``details.best`` the area if right answers were always surer.
    Edge cases: 0 where every answer is right, the error rate where confidence says nothing.
    """
    import numpy as np

    ranked = _Ranked(gold, predicted)
    correct = np.sort(ranked.right)[::-1]
    best = float((1 - correct.cumsum() / np.arange(1, len(correct) + 1)).mean())
    result = Rows(lambda rows: float(1 - ranked.curve(rows).mean()), details={"best": best})
    result.per_class = ranked.points
    return result


@metric("selective_accuracy", form="probability", range=(0.0, 1.0), source=_GEIFMAN)
def selective_accuracy(gold: list[str], predicted: Probabilities, *, coverage: float = 0.8) -> Rows:
    """Accuracy of the most confident share of answers.

    Formula: accuracy of the ``ceil(coverage · N)`` most confident answers. ``per_class`` holds the whole curve.
    Edge cases: at coverage 1 this is accuracy; an error for a coverage outside 0 to 1.
    """
    if not 0 < coverage <= 1:
        raise Malformed(f"coverage is {coverage}", do="choose a share above 0, up to 1")
    ranked = _Ranked(gold, predicted)
    result = Rows(lambda rows: float(ranked.curve(rows)[_last(coverage, len(rows))]))
    result.per_class = ranked.points
    return result


def _last(share: float, items: int) -> int:
    from math import ceil

    return max(ceil(share * items - 1e-9), 1) - 1


class _Ranked:
    def __init__(self, gold: list[str], predicted: Probabilities) -> None:
        import numpy as np

        confidence, self.right, readable = confidences(gold, predicted)
        levels = np.unique(np.where(readable, confidence, -1.0), return_inverse=True)[1]
        self.levels = levels.max() - levels  # 0 is the surest

    def curve(self, rows: Array) -> Array:
        """Return the accuracy of the 1, 2, … N most confident of the items ``rows``."""
        import numpy as np

        levels, right = self.levels[rows], self.right[rows]
        count = np.bincount(levels)
        mean = np.bincount(levels, right) / np.maximum(count, 1)
        return np.repeat(mean, count).cumsum() / np.arange(1, len(rows) + 1)

    def points(self) -> dict[str, dict[str, float]]:
        """Map coverages to accuracy and number of answers."""
        import numpy as np

        curve = self.curve(np.arange(len(self.right)))
        lasts = {share: _last(share, len(curve)) for share in SHARES}
        return {f"{share:.0%}": {"accuracy": float(curve[k]), "n": float(k + 1)} for share, k in lasts.items()}

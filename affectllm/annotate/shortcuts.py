"""Whether statements can be judged without their clips: a text-only model, cross-validated by sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.errors import Malformed

_FOLDS = 5
_Z = 1.96
_ROUNDS = 40
_BOTH = (True, False)


@dataclass(frozen=True)
class Control:
    """How well text alone tells true statements from false ones.

    Args:
        accuracy: of TF-IDF and logistic regression, on samples that it was not fitted to.
        low, high: Wilson's 95 % interval around it, for as many independent samples as there are.
        n: statements.
        majority: share of the commoner judgement, what an answer without any text scores.
    """

    accuracy: float
    low: float
    high: float
    n: int
    majority: float

    @property
    def at_chance(self) -> bool:
        """Whether text alone is no better than the commoner judgement; worse it may be: see ``text_only``."""
        return self.low <= self.majority

    def to_json(self) -> dict[str, Any]:
        """Return the figures, rounded."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in vars(self).items()}


def text_only(
    texts: Sequence[str], truths: Sequence[bool], samples: Sequence[str], blocks: Sequence[str] = ()
) -> tuple[Control, list[bool]]:
    """Return the control, and for each statement whether text alone judged it right.

    Where every text is true of one clip and false of another, a model that saw one of the two expects the wrong
    judgement of the other, so that it may score below a half: that is no shortcut.

    Args:
        samples: identifier of the clip of each statement: those of one clip are held out together.
        blocks: of each statement, in which every text is true as often as false; held out together in place of the
            clips that lie in them. Empty where there are none.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline

    truth, clips = np.array(truths), len(set(samples))
    groups = np.unique(np.array(blocks or samples), return_inverse=True)[1]
    majority = max(truth.mean(), 1 - truth.mean()) if len(truth) else 0.0
    held = int(groups.max()) + 1 if len(groups) else 0
    if held < 2 or truth.all() or not truth.any():
        return Control(float(majority), 0.0, 1.0, len(truth), float(majority)), [False] * len(truth)
    right = np.zeros(len(truth), bool)
    for fit, held_out in GroupKFold(min(_FOLDS, held)).split(truth, groups=groups):
        if len(set(truth[fit])) < 2:
            continue
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
        model = make_pipeline(words, LogisticRegression(C=10.0, max_iter=200))
        model.fit([texts[place] for place in fit], truth[fit])
        right[held_out] = model.predict([texts[place] for place in held_out]) == truth[held_out]
    low, high = _wilson(float(right.mean()), clips)
    control = Control(float(right.mean()), low, high, len(truth), float(majority))
    return control, [bool(one) for one in right]


def _wilson(share: float, n: int) -> tuple[float, float]:
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    return middle - half, middle + half


def without_shortcuts(
    texts: Sequence[str],
    truths: Sequence[bool],
    samples: Sequence[str],
    rebalance: bool,
    where: str,
    blocks: Sequence[str] = (),
) -> tuple[list[int], Control, Control]:
    """Return the places of the statements to keep, and the controls before and after.

    Args:
        rebalance: whether statements that text alone judges right are dropped until it is at chance, as many true ones
            as false ones; else they are refused.
        where: the step, for the error.

    Raises:
        Malformed: when text alone is above chance, and may not or cannot be brought down.
    """
    kept = list(range(len(texts)))
    first, right = text_only(texts, truths, samples, blocks)
    control = first
    for _ in range(_ROUNDS):
        if control.at_chance or not rebalance:
            break
        easy = {
            truth: [p for p, judged in zip(kept, right, strict=True) if judged and truths[p] == truth]
            for truth in _BOTH
        }
        count = max(1, min(map(len, easy.values())) // 4)
        dropped = {place for places in easy.values() for place in places[:count]}
        kept = [place for place in kept if place not in dropped]
        chosen = ([texts[p] for p in kept], [truths[p] for p in kept], [samples[p] for p in kept])
        control, right = text_only(*chosen, [blocks[p] for p in kept] if blocks else ())
    if not control.at_chance:
        message = f"text alone judges {control.accuracy:.0%} of the statements right ({control.low:.0%} or more)"
        raise Malformed(message, where=where, do="write others, or shortcuts: rebalance to drop those that it tells")
    return kept, first, control

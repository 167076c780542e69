"""The small model behind hints of emotions: logistic regression on TF-IDF, clip statistics or a frozen encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from affectllm.corpus import Sample
from affectllm.evaluate.models.features import Describer, Features, encoded, shown_of
from affectllm.instruct import Template
from affectllm.model.pooled import PooledEncoder

_STRENGTH = 10.0  # weak regularisation: else shares of many labels are all alike; classes are not weighed


@dataclass(frozen=True)
class Finding:
    """What the small model says of one sample.

    Args:
        shares: label → its probability, the most likely first.
        causes: words of the sample that speak most for the likeliest label, the strongest first.
    """

    shares: dict[str, float]
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SmallModel:
    """How models are fitted; each call of ``findings`` fits its own, features and all.

    Args:
        template: shows the samples.
        root: folder of the corpus.
        encoder: a frozen one whose states are the features; None for TF-IDF and clip statistics.
        causes: how many cause words are wanted.
    """

    template: Template
    root: Path
    encoder: PooledEncoder | None = None
    causes: int = 0

    def findings(self, train: Sequence[Sample], labels: Sequence[str], asked: Sequence[Sample]) -> list[Finding]:
        """Fit on ``train`` alone, and return what the model says of ``asked``."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier

        describer = encoded(self.encoder) if self.encoder else Describer()
        features = Features([shown_of(one, self.template) for one in train], self.root, describer)
        inputs = features.of([shown_of(one, self.template) for one in asked])
        names = sorted(set(labels))
        if len(names) == 1:
            return [Finding({names[0]: 1.0}) for _ in asked]
        # One model a label: on words ten times as fast as one of all labels.
        model = OneVsRestClassifier(LogisticRegression(C=_STRENGTH, solver="liblinear"))
        model.fit(features.train, list(labels))
        return [
            Finding(_ordered(model.classes_, row), self._causes(features, model, inputs[place], row))
            for place, row in enumerate(model.predict_proba(inputs))
        ]

    def _causes(self, features: Features, model: Any, row: Any, shares: np.ndarray) -> tuple[str, ...]:
        """Return the sample's words whose weight in the row speaks most for the likeliest label, and not against it."""
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        words = features.vocabulary
        if not self.causes or not words:
            return ()
        weights = _weights(model, int(np.argmax(shares)))
        row = row.tocsr()
        told = [
            (value * weights[at], words[at]) for at, value in zip(row.indices, row.data, strict=True) if at < len(words)
        ]
        chosen = [word for value, word in sorted(told, key=lambda pair: (-pair[0], pair[1])) if value > 0]
        # Pronouns and the like tell labels apart, and name no cause; of other languages than English they stay.
        single = [word for word in chosen if " " not in word and word not in ENGLISH_STOP_WORDS]
        return tuple(single[: self.causes])


def _weights(model: Any, label: int) -> np.ndarray:
    """Return the weights of the features for a label; of two labels one row stands for both."""
    if len(model.estimators_) == 1:
        return np.asarray(model.estimators_[0].coef_[0] * (1 if label else -1))
    return np.asarray(model.estimators_[label].coef_[0])


def _ordered(names: Sequence[str], shares: Sequence[float]) -> dict[str, float]:
    pairs = sorted(zip(map(str, names), map(float, shares), strict=True), key=lambda pair: (-pair[1], pair[0]))
    return dict(pairs)

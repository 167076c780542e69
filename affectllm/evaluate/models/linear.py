"""Linear models of the shallow reference: logistic regression and ridge, with options chosen on the training split."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from affectllm.metrics import METRICS

_STRENGTHS, _WEIGHTS = (0.1, 1.0, 10.0), ("balanced", None)
_FOLDS, _MOST = 3, 3_000  # of the cross-validation that chooses among them, and its items
Options = dict[str, Any]
USUAL: Options = {"C": 0.1, "class_weight": "balanced"}


def best_options(train: Any, labels: Sequence[str], headline: str) -> Options:
    """Return the regularisation and class weights of the highest ``headline`` in three-fold cross-validation.

    A metric of all items alike (weighted F1) and one of all classes alike (UAR) want unlike class weights; a baseline
    that is not fitted for the metric would be no baseline. Of more than 3,000 items a stratified part decides. Where a
    class has fewer items than folds, or the metric is not of labels, the usual options stand.
    """
    from sklearn.model_selection import StratifiedKFold, train_test_split

    metric, truths = METRICS[headline.rpartition(".")[2]], np.asarray(labels, dtype=object)
    counts = np.unique(truths.astype(str), return_counts=True)[1]
    if metric.form.name != "label" or len(counts) < 2 or counts.min() < _FOLDS:
        return USUAL
    rows = np.arange(len(truths))
    if len(rows) > _MOST:
        rows, _ = train_test_split(rows, train_size=_MOST, random_state=0, stratify=truths.astype(str))
    folds = list(StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(rows, truths[rows].astype(str)))
    names = sorted(set(map(str, truths)))

    def value(options: Options) -> float:
        answers = np.empty(len(rows), dtype=object)
        for fitted, held in folds:
            answers[held] = classified(train[rows[fitted]], truths[rows[fitted]], train[rows[held]], options)
        result = metric.statistic(list(truths[rows]), list(answers), labels=names).value()
        return -result if metric.better == "lower" else result

    tried = [{"C": strength, "class_weight": weights} for strength, weights in product(_STRENGTHS, _WEIGHTS)]
    return max(tried, key=value)


def classified(train: Any, labels: Sequence[Any], inputs: Any, options: Options = USUAL) -> np.ndarray:
    """Fit logistic regression and return its label of each row of ``inputs``."""
    from sklearn.linear_model import LogisticRegression

    if len(set(labels)) == 1:
        return np.full(inputs.shape[0], labels[0], dtype=object)
    predicted: np.ndarray = LogisticRegression(max_iter=2_000, **options).fit(train, list(labels)).predict(inputs)
    return predicted


def likely(train: Any, holds: Sequence[bool], inputs: Any) -> np.ndarray:
    """Fit logistic regression and return the probability that a label holds, for each row of ``inputs``."""
    from sklearn.linear_model import LogisticRegression

    if len(set(holds)) == 1:
        return np.full(inputs.shape[0], float(holds[0]))
    model = LogisticRegression(max_iter=2_000, **USUAL).fit(train, list(holds))
    chances: np.ndarray = model.predict_proba(inputs)[:, list(model.classes_).index(True)]
    return chances


def regressed(train: Any, numbers: Sequence[float], inputs: Any) -> np.ndarray:
    """Fit ridge regression, its penalty chosen by leaving one out, and return its number of each row of ``inputs``."""
    from sklearn.linear_model import RidgeCV

    known = np.isfinite(numbers)
    if not known.any():
        return np.zeros(inputs.shape[0])
    model = RidgeCV(alphas=(0.1, 1.0, 10.0, 100.0, 1_000.0))
    predicted: np.ndarray = model.fit(train[known], np.asarray(numbers)[known]).predict(inputs)
    return predicted

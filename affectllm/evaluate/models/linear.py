"""Linear models of the shallow reference and of probes: logistic and ridge regression, options chosen in training."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import product
from typing import Any

import numpy as np

from affectllm.errors import AffectError
from affectllm.instruct import Template
from affectllm.instruct.slots import Slot
from affectllm.metrics import METRICS

Options = dict[str, Any]
_SHAPES = ("label", "set", "number", "vector", "scores")
_FOLDS, _MOST = 3, 3_000  # of the cross-validation that chooses among options, and its items
USUAL: Options = {"C": 0.1, "class_weight": "balanced"}
TRIED = tuple(
    {"C": strength, "class_weight": weights} for strength, weights in product((0.1, 1.0, 10.0), ("balanced", None))
)
_PENALTIES = (0.1, 1.0, 10.0, 100.0, 1_000.0)


def refuse_unfit(template: Template) -> None:
    """Make sure that a linear model can predict what a template asks for.

    Raises:
        AffectError: when it asks for what has no classes and no numbers: open words, spans, options of each item.
    """
    for slot in template.slots:
        ranked = slot.how.shape(slot.space) == "scores" and slot.space.kind != "set"
        if slot.how.free or ranked or slot.how.own_space is not None or slot.how.shape(slot.space) not in _SHAPES:
            message = f"a linear model predicts labels, sets and numbers, and {template.name} asks for others"
            raise AffectError(message, do="choose another task, or another model")


def best_options(
    train: Any,
    labels: Sequence[str],
    headline: str,
    tried: Sequence[Options] = TRIED,
    groups: Sequence[Hashable] | None = None,
    skip_rare: bool = False,
) -> Options:
    """Return the regularisation and class weights of the highest ``headline`` in three-fold cross-validation.

    A metric of all items alike (weighted F1) and one of all classes alike (UAR) want unlike class weights; a baseline
    that is not fitted for the metric would be no baseline. Of more than 3,000 items a stratified part decides. Where a
    class has fewer items than folds, or the metric is not of labels, the usual options stand.

    Args:
        tried: what is chosen of.
        groups: of each item; those of one group (a speaker) are never on both sides of a fold.
        skip_rare: choose without the classes that have fewer items than there are folds, as long as two are left.
    """
    metric, truths = METRICS[headline.rpartition(".")[2]], np.asarray(labels, dtype=object)
    rows = _few(truths.astype(str), skip_rare)
    if metric.form.name != "label" or rows is None:
        return USUAL
    folds = list(_folds(rows, truths.astype(str), groups))
    names = sorted(set(map(str, truths)))

    def value(options: Options) -> float:
        answers = np.empty(len(rows), dtype=object)
        for fitted, held in folds:
            answers[held] = classified(train[rows[fitted]], truths[rows[fitted]], train[rows[held]], options)
        result = metric.statistic(list(truths[rows]), list(answers), labels=names).value()
        return -result if metric.better == "lower" else result

    return max(tried, key=value)


def _few(labels: np.ndarray, skip_rare: bool) -> np.ndarray | None:
    """Return the rows on which options are chosen; None where classes have fewer items than there are folds."""
    from sklearn.model_selection import train_test_split

    names, counts = np.unique(labels, return_counts=True)
    frequent = names[counts >= _FOLDS]
    if len(frequent) < 2 or (len(frequent) < len(names) and not skip_rare):
        return None
    rows = np.flatnonzero(np.isin(labels, frequent))
    if len(rows) > _MOST:
        rows, _ = train_test_split(rows, train_size=_MOST, random_state=0, stratify=labels[rows])
    return rows


def _folds(rows: np.ndarray, labels: np.ndarray, groups: Sequence[Hashable] | None) -> Any:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    own = None if groups is None else np.asarray([str(groups[row]) for row in rows])
    if own is None or len(set(own)) < _FOLDS:
        return StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(rows, labels[rows])
    return StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0).split(rows, labels[rows], own)


def predicted(
    slot: Slot,
    truths: Sequence[Any],
    train: Any,
    inputs: Any,
    options: Options,
    penalties: Sequence[float] = _PENALTIES,
    whole: bool | None = None,
) -> list[Any]:
    """Fit on ``train`` and return the value of a slot, as its form's answers are, for each row of ``inputs``.

    Args:
        truths: of the rows of ``train``.
        options: of logistic regression, for labels and sets.
        penalties: that ridge regression chooses of, for numbers.
        whole: whether numbers are rounded; None where all of ``truths`` are whole.
    """
    shape, names = slot.how.shape(slot.space), slot.space.names
    if shape == "label":
        return list(classified(train, truths, inputs, options))
    if shape == "set":
        columns = [classified(train, [name in truth for truth in truths], inputs, options) for name in names]
        return [[name for name, one in zip(names, row, strict=True) if one] for row in zip(*columns, strict=True)]
    if shape == "scores":
        chances = [likely(train, [name in truth for truth in truths], inputs, options) for name in names]
        return [dict(zip(names, map(float, row), strict=True)) for row in zip(*chances, strict=True)]
    numbers = [regressed(train, [_number(truth, name) for truth in truths], inputs, penalties) for name in names]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*numbers, strict=True)]
    low, high = slot.space.bounds or (-np.inf, np.inf)
    if whole is None:
        whole = all(float(value) == round(value) for truth in truths for value in _values(truth))
    return [
        {name: float(np.clip(round(value) if whole else value, low, high)) for name, value in row.items()}
        for row in rows
    ]


def _values(truth: Any) -> list[float]:
    return [value for value in truth.values() if value is not None] if isinstance(truth, dict) else [truth]


def _number(truth: Any, name: str) -> float:
    value = truth.get(name) if isinstance(truth, dict) else truth
    return np.nan if value is None else float(value)


def classified(train: Any, labels: Sequence[Any], inputs: Any, options: Options = USUAL) -> np.ndarray:
    """Fit logistic regression and return its label of each row of ``inputs``."""
    from sklearn.linear_model import LogisticRegression

    if len(set(labels)) == 1:
        return np.full(inputs.shape[0], labels[0], dtype=object)
    predicted: np.ndarray = (
        LogisticRegression(**{"max_iter": 2_000, **options}).fit(train, list(labels)).predict(inputs)
    )
    return predicted


def likely(train: Any, holds: Sequence[bool], inputs: Any, options: Options = USUAL) -> np.ndarray:
    """Fit logistic regression and return the probability that a label holds, for each row of ``inputs``."""
    from sklearn.linear_model import LogisticRegression

    if len(set(holds)) == 1:
        return np.full(inputs.shape[0], float(holds[0]))
    model = LogisticRegression(**{"max_iter": 2_000, **options}).fit(train, list(holds))
    chances: np.ndarray = model.predict_proba(inputs)[:, list(model.classes_).index(True)]
    return chances


def regressed(train: Any, numbers: Sequence[float], inputs: Any, penalties: Sequence[float] = _PENALTIES) -> np.ndarray:
    """Fit ridge regression, of several penalties the best by leaving one out; return its number of each input row."""
    from sklearn.linear_model import Ridge, RidgeCV

    known = np.isfinite(numbers)
    if not known.any():
        return np.zeros(inputs.shape[0])
    model = RidgeCV(alphas=penalties) if len(penalties) > 1 else Ridge(alpha=penalties[0])
    predicted: np.ndarray = model.fit(train[known], np.asarray(numbers)[known]).predict(inputs)
    return predicted

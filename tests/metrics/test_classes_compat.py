"""One label an item, as published evaluators score it, and what strict mode refuses of them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from affectllm.errors import Malformed, NotFound
from affectllm.metrics.labels import classes

SPACE = ("anger", "joy", "fear")
NONE = "∅"  # how the oracle is told of an unreadable answer
pairs = st.lists(st.tuples(st.sampled_from(SPACE), st.sampled_from((*SPACE, "calm", None))), min_size=1, max_size=40)


def value(metric, gold, answers, **options) -> float:
    return metric.statistic(gold, answers, **options).value()


def sides(items) -> tuple[list, list, list]:
    """Gold, answers, and answers as scikit-learn takes them."""
    gold, answers = map(list, zip(*items, strict=True))
    return gold, answers, [NONE if answer is None else answer for answer in answers]


# ── published evaluators ─────────────────────────────────────────────────────────────────────────────────────────────


@given(pairs)
def test_defect_d9_unreadable_is_a_class_of_emotion_qwens_uar_and_not_of_ours(items) -> None:
    gold, answers, filled = sides(items)
    expected = sk.recall_score(gold, filled, average="macro", zero_division=0)
    assert value(classes.uar, gold, answers, compat="emotion_qwen") == pytest.approx(expected)


def test_defect_d9_by_hand() -> None:
    gold, answers = ["joy", "joy", "anger", "anger"], ["joy", None, "anger", "anger"]
    assert value(classes.uar, gold, answers, compat="emotion_qwen") == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert value(classes.uar, gold, answers) == pytest.approx((1 / 2 + 1) / 2)


def test_defect_d14_emobench_m_drops_what_it_cannot_read_so_silence_raises_the_score() -> None:
    gold, answers = ["joy", "joy", "anger", "anger"], ["joy", None, "anger", "happy!"]
    silent = ["joy", None, "anger", None]
    for metric in (classes.accuracy, classes.weighted_f1, classes.weighted_precision, classes.weighted_recall):
        result = metric(gold, answers, labels=("joy", "anger"), compat="emobench_m")
        assert (result.value, result.n, result.coverage["dropped"]) == (1, 2, 0.5)
        if metric is not classes.weighted_precision:  # which asks only what the given answers are worth
            assert value(metric, gold, silent, labels=("joy", "anger")) < 1
    assert value(classes.accuracy, gold, silent) == 0.5
    with pytest.raises(Malformed, match="no item is left"):
        classes.accuracy(["joy"], [None], compat="emobench_m")


@given(pairs.filter(lambda items: any(answer for _, answer in items)))
def test_defect_d14_is_scikit_learn_on_the_items_that_are_left(items) -> None:
    gold, answers, _ = sides(items)
    left = [(g, a) for g, a in zip(gold, answers, strict=True) if a is not None]
    expected = sk.f1_score(*zip(*left, strict=True), average="weighted", zero_division=0)
    assert value(classes.weighted_f1, gold, answers, compat="emobench_m") == pytest.approx(expected)


@given(pairs)
def test_defect_d15_emoclip_counts_rows_without_support(items) -> None:
    readable = [(gold, answer or "calm") for gold, answer in items]
    gold, answers, _ = sides(readable)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = sk.confusion_matrix(gold, answers, normalize="true")
    assert value(classes.uar, gold, answers, compat="emoclip") == pytest.approx(matrix.diagonal().mean())


def test_defect_d15_by_hand() -> None:
    gold, answers, space = ["joy", "joy", "anger"], ["joy", "fear", "anger"], ("joy", "anger", "fear", "calm")
    assert value(classes.uar, gold, answers, compat="emoclip") == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert value(classes.uar, gold, answers, compat="emoclip", labels=space) == pytest.approx((1 / 2 + 1 + 0 + 0) / 4)
    assert value(classes.uar, gold, answers, labels=space) == pytest.approx((1 / 2 + 1) / 2)


@given(pairs)
def test_mmaffben_counts_absent_labels_as_perfect(items) -> None:
    gold, answers, _ = sides(items)
    space = [*SPACE, "calm", "awe"]
    rows = [[[int(label == side) for label in space] for side in both] for both in (gold, answers)]
    expected = sk.f1_score(np.array(rows[0]), np.array(rows[1]), average="macro", zero_division=1)
    score = value(classes.macro_f1, gold, answers, labels=space, compat="mmaffben")
    assert score == pytest.approx(expected)
    assert score >= 1 / len(space)  # awe is on neither side and counts as perfect


@given(pairs)
def test_mmaffben_counts_unreadable_sentiment_as_a_class(items) -> None:
    gold, answers, filled = sides(items)
    expected = sk.f1_score(gold, filled, average="macro", zero_division=0)
    assert value(classes.macro_f1, gold, answers, compat="mmaffben_sentiment") == pytest.approx(expected)


def test_a_compat_mode_belongs_to_the_metrics_that_name_it() -> None:
    with pytest.raises(NotFound, match="no compat mode 'emoclip'"):
        classes.accuracy(["a"], ["a"], compat="emoclip")
    with pytest.raises(Malformed, match="policy of its own"):
        classes.uar(["a"], ["a"], compat="emoclip", invalid="drop")

"""Single-label metrics: values worked out by hand, properties, agreement with scikit-learn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.errors import Malformed
from affectllm.metrics import labels

GOLD = ["anger", "anger", "anger", "anger", "joy", "joy"]
ANSWERS = ["anger", "anger", "joy", None, "joy", "fear"]
SPACE = ("anger", "joy", "fear")
METRICS = [labels.accuracy, labels.uar, labels.macro_f1, labels.weighted_f1]
pairs = st.lists(st.tuples(st.sampled_from(SPACE), st.sampled_from((*SPACE, None))), min_size=1, max_size=40)


def test_values_worked_out_by_hand() -> None:
    # anger: 2 of 4 found, 2 claimed → recall 1/2, precision 1, F1 2/3; joy: 1 of 2 found, 2 claimed → F1 1/2.
    assert labels.accuracy(GOLD, ANSWERS) == pytest.approx(3 / 6)
    assert labels.uar(GOLD, ANSWERS) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert labels.macro_f1(GOLD, ANSWERS) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert labels.weighted_f1(GOLD, ANSWERS) == pytest.approx(4 / 6 * 2 / 3 + 2 / 6 * 1 / 2)


def test_an_unreadable_answer_is_wrong_and_no_class_of_the_mean() -> None:
    assert labels.uar(["a", "b"], ["a", None]) == 0.5
    assert labels.accuracy(["a", "b"], [None, None]) == 0


def test_macro_and_micro_differ_on_unbalanced_classes() -> None:
    gold, answers = ["a"] * 9 + ["b"], ["a"] * 10
    assert labels.accuracy(gold, answers) == 0.9
    assert labels.uar(gold, answers) == 0.5


def test_confusion_has_a_last_column_for_unreadable() -> None:
    assert labels.confusion(GOLD, ANSWERS, SPACE) == [[2, 1, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_per_class_names_every_label_of_the_space() -> None:
    rows = labels.per_class(GOLD, ANSWERS, SPACE)
    assert rows["anger"] == pytest.approx({"precision": 1, "recall": 0.5, "f1": 2 / 3, "support": 4})
    assert rows["fear"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}


@pytest.mark.parametrize("metric", METRICS)
def test_nothing_to_score_and_unequal_lengths_are_errors(metric) -> None:
    with pytest.raises(Malformed, match="nothing to score"):
        metric([], [])
    with pytest.raises(Malformed, match="2 gold values but 1"):
        metric(["a", "b"], ["a"])


def test_a_label_outside_the_space_is_an_error() -> None:
    with pytest.raises(Malformed, match="surprise"):
        labels.confusion(["anger"], ["surprise"], SPACE)


@given(pairs)
def test_bounds_and_order_independence(items) -> None:
    gold, answers = map(list, zip(*items, strict=True))
    turned_gold, turned_answers = map(list, zip(*items[::-1], strict=True))
    for metric in METRICS:
        value = metric(gold, answers)
        assert 0 <= value <= 1
        assert value == pytest.approx(metric(turned_gold, turned_answers))
        assert metric(gold, gold) == 1


@given(pairs, st.permutations(SPACE))
def test_names_do_not_matter(items, names) -> None:
    renamed = {**dict(zip(SPACE, names, strict=True)), None: None}
    gold, answers = map(list, zip(*items, strict=True))
    for metric in METRICS:
        assert metric(gold, answers) == pytest.approx(metric([renamed[g] for g in gold], [renamed[a] for a in answers]))


@given(pairs)
def test_summed_tables_give_the_same_values(items) -> None:
    gold, answers = map(list, zip(*items, strict=True))
    sums = labels.table(gold, answers, SPACE).sum(0)
    for metric in METRICS:
        assert labels.from_sums(metric.__name__, sums) == pytest.approx(metric(gold, answers), abs=1e-6)


def test_many_tables_at_once_equal_one_by_one() -> None:
    tables = np.random.default_rng(0).integers(0, 9, (5, 4, 12)).astype(float)
    for metric in METRICS:
        together = labels.from_sums(metric.__name__, tables)
        for i, j in itertools.product(range(5), range(4)):
            assert together[i, j] == pytest.approx(labels.from_sums(metric.__name__, tables[i, j]))

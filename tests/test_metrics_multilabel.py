"""Multi-label metrics: values worked out by hand, properties, the edge cases that evaluators disagree on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.errors import Malformed
from affectllm.metrics import multilabel

SPACE = ("joy", "love", "fear")
METRICS = [multilabel.micro_f1, multilabel.macro_f1, multilabel.jaccard]
some = st.frozensets(st.sampled_from(SPACE))
pairs = st.lists(st.tuples(some, st.one_of(some, st.none())), min_size=1, max_size=30)


def test_values_worked_out_by_hand() -> None:
    gold = [{"joy", "love"}, {"fear"}, {"joy"}]
    answers = [{"joy"}, {"fear", "love"}, None]
    # joy: tp 1, fn 1 → 2/3; love: fp 1, fn 1 → 0; fear: tp 1 → 1. Sums: tp 2, fp 1, fn 2.
    assert multilabel.micro_f1(gold, answers) == pytest.approx(4 / 7)
    assert multilabel.macro_f1(gold, answers) == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert multilabel.jaccard(gold, answers) == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)


def test_jaccard_of_empty_sets_is_one_but_not_for_an_unreadable_answer() -> None:
    assert multilabel.jaccard([set(), set()], [set(), set()]) == 1
    assert multilabel.jaccard([set(), {"joy"}], [set(), set()]) == 0.5
    assert multilabel.jaccard([set()], [None]) == 0
    assert multilabel.jaccard([set(), {"joy"}], [None, {"joy"}]) == 0.5


def test_nothing_to_find_and_nothing_claimed_is_perfect() -> None:
    assert multilabel.micro_f1([set()], [set()]) == multilabel.macro_f1([set()], [set()]) == 1
    assert multilabel.micro_f1([set()], [{"joy"}]) == multilabel.macro_f1([set()], [{"joy"}]) == 0


def test_per_class_counts_each_label_by_itself() -> None:
    rows = multilabel.per_class([{"joy", "love"}, {"joy"}], [{"joy"}, None], SPACE)
    assert rows["joy"] == pytest.approx({"precision": 1, "recall": 0.5, "f1": 2 / 3, "support": 2})
    assert rows["love"]["recall"] == rows["fear"]["support"] == 0


def test_a_label_outside_the_space_is_an_error() -> None:
    with pytest.raises(Malformed, match="hate"):
        multilabel.per_class([{"hate"}], [{"joy"}], SPACE)


@given(pairs)
def test_bounds_order_perfection(items) -> None:
    gold, answers = map(list, zip(*items, strict=True))
    turned_gold, turned_answers = map(list, zip(*items[::-1], strict=True))
    for metric in METRICS:
        assert 0 <= metric(gold, answers) <= 1
        assert metric(gold, answers) == pytest.approx(metric(turned_gold, turned_answers))
        assert metric(gold, gold) == 1


@given(pairs)
def test_summed_tables_give_the_same_values(items) -> None:
    gold, answers = map(list, zip(*items, strict=True))
    sums = multilabel.table(gold, answers, SPACE).sum(0)
    for metric in METRICS:
        assert multilabel.from_sums(metric.__name__, sums) == pytest.approx(metric(gold, answers), abs=1e-6)

"""Several labels an item, as sets and as scores: by hand, scikit-learn as oracle, edges, published evaluators."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from affectllm.errors import Malformed
from affectllm.metrics.labels import multilabel, ranking
from affectllm.metrics.labels.classes import macro_f1, micro_f1

SPACE = ("fear", "joy", "love")
SETS = [
    multilabel.jaccard,
    multilabel.multilabel_micro_f1,
    multilabel.multilabel_macro_f1,
    multilabel.multilabel_samples_f1,
    multilabel.subset_accuracy,
]
some = st.frozensets(st.sampled_from(SPACE))
pairs = st.lists(st.tuples(some, st.one_of(some, st.none())), min_size=1, max_size=30)
grades = st.fixed_dictionaries({label: st.sampled_from([0.0, 0.1, 0.5, 0.9]) for label in SPACE})
scored = st.lists(st.tuples(some, grades), min_size=2, max_size=25)


def value(metric, gold, answers, **options) -> float:
    return metric.statistic(gold, answers, **options).value()


def columns(sets) -> np.ndarray:
    """Sets as scikit-learn takes them; an unreadable answer has no label, and SPACE is padded by one that never is."""
    return np.array([[int(label in (labels or ())) for label in (*SPACE, "never")] for labels in sets])


def unzip(items) -> tuple[list, list]:
    gold, answers = map(list, zip(*items, strict=True))
    return gold, answers


# ── sets ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_values_worked_out_by_hand() -> None:
    gold = [{"joy", "love"}, {"fear"}, {"joy"}]
    answers = [{"joy"}, {"fear", "love"}, None]
    # joy: tp 1, fn 1 → 2/3; love: fp 1, fn 1 → 0; fear: tp 1 → 1. Sums: tp 2, fp 1, fn 2.
    assert value(multilabel.multilabel_micro_f1, gold, answers) == pytest.approx(4 / 7)
    assert value(multilabel.multilabel_macro_f1, gold, answers) == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert value(multilabel.jaccard, gold, answers) == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert value(multilabel.multilabel_samples_f1, gold, answers) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert value(multilabel.hamming_loss, gold, answers) == pytest.approx((1 / 3 + 1 / 3 + 1) / 3)
    assert value(multilabel.subset_accuracy, gold, answers) == 0
    assert value(multilabel.subset_accuracy, gold, [*gold[:2], None]) == pytest.approx(2 / 3)


@given(pairs)
def test_scikit_learn_says_the_same_of_readable_answers(items) -> None:
    gold, answers = unzip([(truth, answer or frozenset()) for truth, answer in items])
    truth, predicted = columns(gold), columns(answers)
    expected = sk.jaccard_score(truth, predicted, average="samples", zero_division=1)
    assert value(multilabel.jaccard, gold, answers) == pytest.approx(expected)
    each = sk.f1_score(truth, predicted, average="samples", zero_division=1)
    assert value(multilabel.multilabel_samples_f1, gold, answers) == pytest.approx(each)
    micro = sk.f1_score(truth, predicted, average="micro", zero_division=1)
    assert value(multilabel.multilabel_micro_f1, gold, answers) == pytest.approx(micro)
    present = [column for column in range(len(SPACE)) if truth[:, column].any()]
    if present:
        macro = sk.f1_score(truth, predicted, labels=present, average="macro", zero_division=0)
        assert value(multilabel.multilabel_macro_f1, gold, answers) == pytest.approx(macro)
    loss = sk.hamming_loss(truth[:, :-1], predicted[:, :-1])
    assert value(multilabel.hamming_loss, gold, answers, labels=SPACE) == pytest.approx(loss)
    assert value(multilabel.subset_accuracy, gold, answers) == pytest.approx(sk.accuracy_score(truth, predicted))


@given(pairs)
def test_bounds_order_and_perfection(items) -> None:
    gold, answers = unzip(items)
    for metric in SETS:
        score = value(metric, gold, answers)
        assert 0 <= score <= 1
        assert score == pytest.approx(value(metric, gold[::-1], answers[::-1]))
        assert value(metric, gold, gold) == 1
    assert value(multilabel.hamming_loss, gold, gold) == 0
    assert 0 <= value(multilabel.hamming_loss, gold, answers) <= 1


@given(pairs)
def test_an_unreadable_answer_is_never_better_than_an_empty_one(items) -> None:
    gold, answers = unzip(items)
    empty = [answer or frozenset() for answer in answers]
    for metric in SETS:
        assert value(metric, gold, answers) <= value(metric, gold, empty) + 1e-12
    assert value(multilabel.hamming_loss, gold, answers) >= value(multilabel.hamming_loss, gold, empty) - 1e-12


def test_empty_sets_are_answers_and_unreadable_ones_are_not() -> None:
    jaccard, micro, macro = multilabel.jaccard, multilabel.multilabel_micro_f1, multilabel.multilabel_macro_f1
    assert value(jaccard, [set(), set()], [set(), set()]) == 1
    assert value(jaccard, [set(), {"joy"}], [set(), set()]) == 0.5
    assert value(jaccard, [set()], [None]) == 0
    assert value(jaccard, [set(), {"joy"}], [None, {"joy"}]) == 0.5
    assert value(micro, [set()], [set()]) == value(macro, [set()], [set()]) == 1
    assert value(micro, [set()], [{"joy"}]) == value(macro, [set()], [{"joy"}]) == 0
    assert value(micro, [set(), set()], [None, set()]) == value(macro, [set(), set()], [None, set()]) == 0.5
    assert value(multilabel.hamming_loss, [set()], [set()]) == 0


def test_results_say_how_many_labels_are_named() -> None:
    result = multilabel.jaccard([["joy"], ["joy", "fear"]], [list(SPACE), None], labels=SPACE)
    assert result.coverage == {
        "labels": 3,
        "labels_in_gold": 2,
        "labels_per_item_gold": 1.5,
        "labels_per_item_answered": 3,
    }
    assert result.per_class["joy"] == pytest.approx({"precision": 1, "recall": 0.5, "f1": 2 / 3, "support": 2})
    assert result.controls["say_all"] == pytest.approx((1 / 3 + 2 / 3) / 2)


def test_the_names_of_single_label_metrics_take_sets_too() -> None:
    gold, answers = [["joy", "love"], ["fear"]], [["joy"], ["fear", "love"]]
    assert macro_f1(gold, answers).value == multilabel.multilabel_macro_f1(gold, answers).value
    assert micro_f1(gold, answers).value == multilabel.multilabel_micro_f1(gold, answers).value


def test_per_class_counts_each_label_by_itself() -> None:
    rows = multilabel.per_class([{"joy", "love"}, {"joy"}], [{"joy"}, None], SPACE)
    assert rows["joy"] == pytest.approx({"precision": 1, "recall": 0.5, "f1": 2 / 3, "support": 2})
    assert rows["love"]["recall"] == rows["fear"]["support"] == 0
    with pytest.raises(Malformed, match="hate"):
        multilabel.per_class([{"hate"}], [{"joy"}], SPACE)


# ── published evaluators ─────────────────────────────────────────────────────────────────────────────────────────────


@given(pairs)
def test_defect_d13_mmaffben_calls_weighted_jaccard_accuracy_and_ours_is_that_of_semeval(items) -> None:
    gold, answers = unzip(items)
    truth, predicted = columns(gold), columns(answers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sk.jaccard_score(truth, predicted, average="weighted")
    assert value(multilabel.jaccard, gold, answers, compat="mmaffben") == pytest.approx(expected)
    items_alone = [len(g & (a or set())) / len(g | (a or set())) if g | (a or set()) else 1 for g, a in items]
    semeval = sum(share for share, answer in zip(items_alone, answers, strict=True) if answer is not None) / len(gold)
    assert value(multilabel.jaccard, gold, answers) == pytest.approx(semeval)


@given(pairs)
def test_defect_d13_mmaffben_counts_labels_that_never_occur_as_perfect(items) -> None:
    gold, answers = unzip(items)
    space = (*SPACE, "never")
    expected = sk.f1_score(columns(gold), columns(answers), average="macro", zero_division=1)
    score = value(multilabel.multilabel_macro_f1, gold, answers, labels=space, compat="mmaffben")
    assert score == pytest.approx(expected)
    assert score >= 1 / len(space)


def test_defect_d13_by_hand() -> None:
    gold, answers = [{"joy"}, {"joy"}, {"fear"}], [{"joy"}, {"joy"}, {"joy"}]
    # joy: tp 2, fp 1 → 2/3, weight 2/3; fear: 0. Items: 1, 1, 0.
    assert value(multilabel.jaccard, gold, answers, compat="mmaffben") == pytest.approx(2 / 3 * 2 / 3)
    assert value(multilabel.jaccard, gold, answers) == pytest.approx(2 / 3)
    f1 = multilabel.multilabel_macro_f1
    assert value(f1, gold, answers, labels=SPACE, compat="mmaffben") == pytest.approx((0.8 + 0 + 1) / 3)
    assert value(f1, gold, answers, labels=SPACE) == pytest.approx((0.8 + 0) / 2)


# ── scores ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _matrices(items) -> tuple[list, list, np.ndarray, np.ndarray]:
    gold, answers = unzip(items)
    truth = columns(gold)[:, :-1]
    return gold, answers, truth, np.array([[answer[label] for label in SPACE] for answer in answers])


@given(scored)
def test_scikit_learn_says_the_same_of_curves(items) -> None:
    gold, answers, truth, scores = _matrices(items)
    some_positive = [c for c in range(3) if truth[:, c].any()]
    both = [c for c in some_positive if not truth[:, c].all()]
    if some_positive:
        expected = np.mean([sk.average_precision_score(truth[:, c], scores[:, c]) for c in some_positive])
        assert value(ranking.mean_average_precision, gold, answers) == pytest.approx(expected)
        curves = [sk.precision_recall_curve(truth[:, c], scores[:, c])[:2] for c in some_positive]
        area = np.mean([sk.auc(recall, precision) for precision, recall in curves])
        assert value(ranking.pr_auc_macro, gold, answers) == pytest.approx(area)
    if both:
        expected = np.mean([sk.roc_auc_score(truth[:, c], scores[:, c]) for c in both])
        assert value(ranking.roc_auc_macro, gold, answers) == pytest.approx(expected)


@given(scored)
def test_scikit_learn_says_the_same_of_rankings(items) -> None:
    gold, answers, truth, scores = _matrices(items)
    loss, depth = sk.label_ranking_loss(truth, scores), sk.coverage_error(truth, scores)
    assert value(ranking.ranking_loss, gold, answers, labels=SPACE) == pytest.approx(loss)
    assert value(ranking.coverage_error, gold, answers, labels=SPACE) == pytest.approx(depth)


def test_scores_worked_out_by_hand() -> None:
    gold = [{"joy"}, {"fear"}, {"joy", "fear"}]
    answers = [{"joy": 0.9, "fear": 0.2}, {"joy": 0.8, "fear": 0.3}, {"joy": 0.7, "fear": 0.1}]
    # joy, by score: hit, miss, hit → AP = (1/1 + 2/3)/2; fear: hit (0.3), miss (0.2), hit (0.1) → the same.
    assert value(ranking.mean_average_precision, gold, answers) == pytest.approx((1 + 2 / 3) / 2)
    # Recall 0.5 at precision 1, then 0.5 at 1/2, then 1 at 2/3: 0.5·1 + 0.5·(1/2 + 2/3)/2.
    assert value(ranking.pr_auc_macro, gold, answers) == pytest.approx(0.5 + 0.5 * (1 / 2 + 2 / 3) / 2)
    assert value(ranking.roc_auc_macro, gold, answers) == pytest.approx(1 / 2)
    assert value(ranking.top1_hit, gold, answers) == pytest.approx(2 / 3)
    assert value(ranking.ranking_loss, gold, answers) == pytest.approx(1 / 3)
    result = ranking.coverage_error(gold, answers)
    assert result.value == pytest.approx((1 + 2 + 2) / 3) and result.details["best"] == pytest.approx(4 / 3)


def _complete(items) -> bool:
    """Every label is gold somewhere, and every item has one."""
    return set().union(*(gold for gold, _ in items)) == set(SPACE) and all(gold for gold, _ in items)


@given(scored.filter(_complete))
def test_perfect_scores_are_best_and_unreadable_ones_never_better(items) -> None:
    gold, answers, truth, _ = _matrices(items)
    perfect = [{label: float(label in labels) for label in SPACE} for labels in gold]
    silent = [None, *answers[1:]]
    for metric in (ranking.pr_auc_macro, ranking.mean_average_precision, ranking.top1_hit):
        assert value(metric, gold, perfect) == 1
        assert 0 <= value(metric, gold, answers) <= 1
    rankings = [ranking.top1_hit] if truth.all(0).all() else [ranking.top1_hit, ranking.roc_auc_macro]
    for metric in rankings:  # precision can gain where a tie breaks
        assert 0 <= value(metric, gold, silent) <= value(metric, gold, answers) + 1e-12
    for metric in (ranking.ranking_loss, ranking.coverage_error):
        assert value(metric, gold, silent) >= value(metric, gold, answers) - 1e-12
        assert value(metric, gold, perfect) == pytest.approx(truth.sum(1).mean() if "cover" in metric.name else 0)


def test_constant_scores_are_chance_for_auc_and_the_base_rate_for_precision() -> None:
    gold = [{"joy"}] * 3 + [{"fear"}] * 7
    flat = [{"joy": 0.5, "fear": 0.5}] * 10
    assert value(ranking.roc_auc_macro, gold, flat) == 0.5
    assert value(ranking.mean_average_precision, gold, flat) == pytest.approx((0.3 + 0.7) / 2)
    assert value(ranking.top1_hit, gold, flat) == 0.5


def test_labels_without_a_positive_are_left_out_and_told() -> None:
    result = ranking.mean_average_precision([{"joy"}, set()], [{"joy": 1.0, "fear": 0.2}, {"joy": 0.0, "fear": 0.1}])
    assert result.value == 1 and result.coverage == {"labels": 2, "labels_scored": 1}
    assert result.per_class == {"joy": {"average_precision": 1, "support": 1}}
    with pytest.raises(Malformed, match="no label has the items"):
        ranking.mean_average_precision([set()], [{"joy": 1.0}])
    with pytest.raises(Malformed, match="no label has the items"):
        ranking.roc_auc_macro([{"joy"}], [{"joy": 1.0}])


def test_missing_labels_rank_last_and_nothing_readable_ranks_all_wrong() -> None:
    gold = [{"joy"}, {"fear"}]
    assert value(ranking.top1_hit, gold, [{"joy": -3.0}, {"joy": -3.0}]) == 0.5
    assert value(ranking.top1_hit, [{"joy"}, {"fear"}], [{"joy": -3.0}, {"fear": -3.0}]) == 1
    silent = [None, {}]
    assert value(ranking.roc_auc_macro, gold, silent) == 0
    assert value(ranking.ranking_loss, gold, silent) == 1
    assert value(ranking.coverage_error, gold, silent) == 2
    assert value(ranking.top1_hit, gold, silent) == 0


def test_weights_of_gold_become_labels_at_a_threshold() -> None:
    weights = [{"joy": 0.5, "fear": 0.4}, {"joy": 0.2, "fear": 0.9}]
    answers = [{"joy": 0.9, "fear": 0.1}, {"joy": 0.3, "fear": 0.7}]
    sets = [{"joy"}, {"fear"}]
    statistic = ranking.mean_average_precision.function(weights, answers)
    assert statistic.compute(np.arange(2)) == value(ranking.mean_average_precision, sets, answers) == 1
    assert list(statistic.per_class()) == ["fear", "joy"]  # 0.5 is a label, 0.4 is none
    assert ranking.top1_hit.function(weights, answers).value() == 1
    assert ranking.top1_hit.function(weights, answers, threshold=0.6).value() == 0.5


def test_scores_outside_the_labels_are_an_error() -> None:
    with pytest.raises(Malformed, match="hate"):
        ranking.top1_hit([{"joy"}], [{"hate": 1.0}], labels=SPACE)


# ── writer and reader ────────────────────────────────────────────────────────────────────────────────────────────────


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([-1.0, 0.0, 0.5, 2.0])), min_size=2, max_size=30)
)
def test_writer_reader_gap_is_the_area_under_the_roc_curve(items) -> None:
    gold, scores = unzip(items)
    if len(set(gold)) < 2:
        with pytest.raises(Malformed, match="gold must hold 0"):
            ranking.writer_reader_gap(gold, scores)
        return
    assert value(ranking.writer_reader_gap, gold, scores) == pytest.approx(sk.roc_auc_score(gold, scores))
    assert value(ranking.writer_reader_gap, gold, gold) == 1
    assert value(ranking.writer_reader_gap, gold, [3.0] * len(gold)) == 0.5
    assert value(ranking.writer_reader_gap, gold, [-score for score in gold]) == 0

"""Confidence: torchmetrics and scikit-learn as oracles, curves by hand; and the same items under two conditions."""

from __future__ import annotations

import inspect
import warnings
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk
from torchmetrics.functional.classification import multiclass_calibration_error

from affectllm.errors import Malformed
from affectllm.metrics.confidence import calibration, robustness, selective

SPACE = ("anger", "fear", "joy")
METRICS = [calibration.ece, calibration.reliability, calibration.brier, calibration.nll, selective.aurc]
weights = st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any)
shares = weights.map(lambda row: {label: part / sum(row) for label, part in zip(SPACE, row, strict=True)})
items_of = st.lists(st.tuples(st.sampled_from(SPACE), shares), min_size=1, max_size=25)


def value(metric, gold, answers, **options) -> float:
    return metric.statistic(gold, answers, **options).value()


def sides(items) -> tuple[list, list, np.ndarray]:
    gold, answers = map(list, zip(*items, strict=True))
    return gold, answers, np.array([[answer[label] for label in SPACE] for answer in answers])


def drawn(seed: int, n: int = 400) -> tuple[list, list, np.ndarray]:
    """Probabilities with no ties, and labels drawn from them: calibrated."""
    random = np.random.default_rng(seed)
    table = random.dirichlet([0.7] * 3, n)
    gold = [SPACE[int(random.choice(3, p=row))] for row in table]
    return gold, [dict(zip(SPACE, map(float, row), strict=True)) for row in table], table


# ── calibration ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(
    "labels" not in inspect.signature(sk.brier_score_loss).parameters, reason="scikit-learn below 1.7: two classes"
)
@given(items_of)
def test_scikit_learn_says_the_same(items) -> None:
    gold, answers, table = sides(items)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        brier = sk.brier_score_loss(gold, table, labels=list(SPACE), scale_by_half=False)
        floored = np.clip(table, 1e-6, 1)
        nll = -np.mean([np.log(row[SPACE.index(label)]) for label, row in zip(gold, floored, strict=True)])
    assert value(calibration.brier, gold, answers) == pytest.approx(brier)
    assert value(calibration.nll, gold, answers, floor=1e-6) == pytest.approx(nll)
    if (table > 0).all():
        assert value(calibration.nll, gold, answers) == pytest.approx(sk.log_loss(gold, table, labels=list(SPACE)))


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_torchmetrics_says_the_same_of_the_calibration_error(bins) -> None:
    gold, answers, table = drawn(0)
    target = torch.tensor([SPACE.index(label) for label in gold])
    oracle = multiclass_calibration_error(torch.tensor(table), target, num_classes=3, n_bins=bins, norm="l1")
    assert value(calibration.ece, gold, answers, bins=bins) == pytest.approx(float(oracle), abs=1e-6)


def test_calibration_error_worked_out_by_hand() -> None:
    gold = ["joy", "joy", "joy", "fear"]
    answers = [{"joy": 0.9}, {"joy": 0.95}, {"fear": 0.95}, {"fear": 0.6, "joy": 0.4}]
    result = calibration.ece(gold, answers, bins=10)
    # (0.8, 0.9]: one right at 0.9; (0.9, 1]: one of two right at 0.95; (0.5, 0.6]: one right at 0.6.
    assert result.value == pytest.approx(1 / 4 * 0.1 + 2 / 4 * 0.45 + 1 / 4 * 0.4)
    assert result.details["maximum"] == pytest.approx(0.45)
    assert result.per_class["0.9000–1.0000"] == pytest.approx({"confidence": 0.95, "accuracy": 0.5, "count": 2})
    assert len(result.per_class) == 3
    term = calibration.reliability(gold, answers, bins=10)
    assert term.value == pytest.approx(1 / 4 * 0.1**2 + 2 / 4 * 0.45**2 + 1 / 4 * 0.4**2)
    assert term.per_class == result.per_class


def test_the_calibrated_are_nearly_without_error_and_the_overconfident_are_not() -> None:
    gold, answers, _ = drawn(1, 4000)
    sure = [{max(answer, key=answer.get): 1.0} for answer in answers]
    for adaptive in (False, True):
        assert value(calibration.ece, gold, answers, adaptive=adaptive) < 0.04
        assert value(calibration.ece, gold, sure, adaptive=adaptive) > 0.2


def test_adaptive_bins_hold_as_many_items_and_keep_equals_together() -> None:
    gold, answers, _ = drawn(2)
    counts = [row["count"] for row in calibration.ece(gold, answers, bins=8, adaptive=True).per_class.values()]
    assert counts == pytest.approx([50] * 8, abs=2)
    tied = [{"joy": 0.5}] * 6 + [{"joy": 0.8}] * 2
    first = ["joy"] * 3 + ["fear"] * 5
    assert value(calibration.ece, first, tied, adaptive=True) == pytest.approx(2 / 8 * 0.8)
    assert value(calibration.ece, first[::-1], tied[::-1], adaptive=True) == pytest.approx(2 / 8 * 0.8)


@given(items_of)
def test_bounds_order_perfection_and_silence(items) -> None:
    gold, answers, _ = sides(items)
    sure = [{label: 1.0} for label in gold]
    for metric in METRICS:
        score = value(metric, gold, answers)
        low, high = metric.range
        assert low <= score <= high
        assert score == pytest.approx(value(metric, gold[::-1], answers[::-1]))
        assert value(metric, gold, sure) == pytest.approx(0)
        silent = value(metric, gold, [None] * len(gold))
        assert silent == pytest.approx({"brier": 2, "nll": -np.log(1e-12)}.get(metric.name, 1))
    for metric in (calibration.brier, calibration.nll):
        assert value(metric, gold, [None, *answers[1:]]) >= value(metric, gold, answers) - 1e-9


def test_probability_zero_costs_a_stated_amount() -> None:
    result = calibration.nll(["joy", "joy"], [{"joy": 1.0}, {"fear": 1.0}], floor=1e-3)
    assert result.value == pytest.approx(-np.log(1e-3) / 2) and result.details["floored"] == 1
    for bad in (0.0, 1.0, -1.0):
        with pytest.raises(Malformed, match="floor is"):
            calibration.nll(["joy"], [{"joy": 1.0}], floor=bad)


def test_bad_probabilities_and_bins_are_errors() -> None:
    for bad in ({"joy": 0.8, "fear": 0.8}, {"joy": -0.1}):
        with pytest.raises(Malformed, match="answer 1"):
            calibration.ece(["joy"], [bad])
    assert calibration.ece(["joy", "joy"], [{"joy": float("nan")}, {"joy": 1.0}]).unreadable == 0.5
    with pytest.raises(Malformed, match="bins is 0"):
        calibration.ece(["joy"], [{"joy": 1.0}], bins=0)


# ── answering only when sure ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_curve_worked_out_by_hand() -> None:
    gold = ["joy"] * 4
    answers = [{"joy": 0.9}, {"fear": 0.8}, {"joy": 0.7}, None]
    # Errors among the 1, 2, 3, 4 surest: 0, 1, 1, 2.
    result = selective.aurc(gold, answers)
    assert result.value == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)
    assert result.details["best"] == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)
    assert result.per_class["50%"] == {"accuracy": 0.5, "n": 2}
    assert value(selective.selective_accuracy, gold, answers, coverage=0.25) == 1
    assert value(selective.selective_accuracy, gold, answers, coverage=0.75) == pytest.approx(2 / 3)
    assert value(selective.selective_accuracy, gold, answers, coverage=1.0) == 0.5


@given(items_of)
def test_the_area_lies_between_the_best_order_and_the_worst(items) -> None:
    gold, answers, table = sides(items)
    right = np.array(
        [max(SPACE, key=lambda c: (a[c], -SPACE.index(c))) == g for g, a in zip(gold, answers, strict=True)]
    )
    areas = [np.mean(1 - np.sort(right)[::order].cumsum() / np.arange(1, len(gold) + 1)) for order in (-1, 1)]
    area = value(selective.aurc, gold, answers)
    assert areas[0] - 1e-9 <= area <= areas[1] + 1e-9
    full = value(selective.selective_accuracy, gold, answers, coverage=1.0)
    assert full == pytest.approx(right.mean())
    confidence = table.max(1)
    if len(set(confidence)) == len(gold):
        ordered = right[np.argsort(-confidence)]
        assert area == pytest.approx(np.mean(1 - ordered.cumsum() / np.arange(1, len(gold) + 1)))


def test_equal_confidence_says_nothing() -> None:
    gold = ["joy", "fear", "joy", "fear"]
    result = selective.aurc(gold, [{"joy": 0.6}] * 4)
    assert result.value == pytest.approx(0.5)
    for bad in (0.0, 1.2):
        with pytest.raises(Malformed, match="coverage is"):
            selective.selective_accuracy(gold, [{"joy": 0.6}] * 4, coverage=bad)


# ── two conditions ───────────────────────────────────────────────────────────────────────────────────────────────────

answered = st.lists(
    st.tuples(*[st.sampled_from(SPACE)], *[st.sampled_from((*SPACE, None))] * 2), min_size=1, max_size=20
)


@given(answered)
def test_a_delta_is_the_difference_of_two_accuracies(items) -> None:
    gold, full, less = map(list, zip(*items, strict=True))
    accuracies = [np.mean([a == g for a, g in zip(side, gold, strict=True)]) for side in (full, less)]
    result = robustness.modality_ablation_delta(gold, full, ablated=less, resamples=50)
    assert result.value == pytest.approx(accuracies[0] - accuracies[1])
    assert result.value == pytest.approx(result.details["mended"] - result.details["spoilt"])
    assert result.details["accuracy"] == pytest.approx(accuracies[0])
    other = robustness.conflict_delta(gold, full, conflicting=less, resamples=50)
    assert other.value == pytest.approx(result.value)
    swapped = robustness.modality_ablation_delta(gold, less, ablated=full, resamples=50)
    assert swapped.value == pytest.approx(-result.value)


def test_a_paired_interval_is_narrower_than_that_of_unpaired_accuracies() -> None:
    random = np.random.default_rng(0)
    gold = [SPACE[i] for i in random.integers(0, 3, 400)]
    hard = random.random(400) < 0.5
    full = [None if h else g for h, g in zip(hard, gold, strict=True)]
    less = [None if h or r < 0.1 else g for h, g, r in zip(hard, gold, random.random(400), strict=True)]
    result = robustness.modality_ablation_delta(gold, full, ablated=less)
    assert 0 < result.low < result.value < result.high
    assert result.high - result.low < 2 * 1.96 * np.sqrt(2 * 0.25 / 400) / 2
    same = robustness.modality_ablation_delta(gold, full, ablated=full)
    assert same.value == same.low == same.high == 0


def test_conflict_tells_who_followed_the_distractor() -> None:
    result = robustness.conflict_delta(
        ["joy"] * 4,
        ["joy"] * 4,
        conflicting=["joy", " fear ", "anger", None],
        distractors=["fear", "fear", "fear", "fear"],
    )
    assert result.value == 0.75 and result.details["followed"] == 0.25
    assert result.details["unreadable_conflicting"] == 0.25
    with pytest.raises(Malformed, match="as ablated"):
        robustness.modality_ablation_delta(["joy"], ["joy"])
    with pytest.raises(Malformed, match="2 ablated for 1 items"):
        robustness.modality_ablation_delta(["joy"], ["joy"], ablated=["joy", "joy"])


# ── paraphrases ──────────────────────────────────────────────────────────────────────────────────────────────────────

asked = st.lists(st.lists(st.sampled_from((*SPACE, None)), min_size=1, max_size=5), min_size=1, max_size=12)


def _consistency(rows) -> float | None:
    shares = []
    for row in rows:
        pairs = [a is not None and a == b for a, b in combinations(row, 2)]
        shares += [np.mean(pairs)] if pairs else []
    return float(np.mean(shares)) if shares else None


@given(asked)
def test_paraphrase_consistency_is_the_share_of_equal_pairs(rows) -> None:
    expected = _consistency(rows)
    if expected is None:
        with pytest.raises(Malformed, match="no item has two answers"):
            robustness.paraphrase_consistency(predicted=rows)
        return
    statistic = robustness.paraphrase_consistency.statistic(predicted=rows)
    assert statistic.value() == pytest.approx(expected)
    single = [[answer] for row in rows for answer in row]
    groups = [number for number, row in enumerate(rows) for _ in row]
    assert robustness.paraphrase_consistency.statistic(predicted=single, groups=groups).value() == pytest.approx(
        expected
    )


def test_consistency_by_hand_and_its_interval() -> None:
    rows = [["joy", "joy", "joy"], ["joy", "fear", "joy"], [None, None], ["fear"], None]
    result = robustness.paraphrase_consistency(predicted=rows)
    assert result.value == pytest.approx((1 + 1 / 3 + 0) / 3)
    assert result.n == 3 and result.coverage["items"] == 0.6 and result.low < result.value < result.high  # five rows
    groups = ["a", "a", "a", "b", "b", "b"]
    one_each = [["joy"], ["joy"], ["joy"], ["joy"], ["fear"], ["joy"]]
    result = robustness.paraphrase_consistency(predicted=one_each, groups=groups, clusters=groups)
    assert result.value == pytest.approx((1 + 1 / 3) / 2)
    assert result.low is None and result.settings["clusters"] == 2

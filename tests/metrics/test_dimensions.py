"""One number an item: scipy, scikit-learn and torchmetrics as oracles, constants, continuous traces."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import signal, stats
from sklearn import metrics as sk
from torchmetrics.functional import concordance_corrcoef

from affectllm.errors import Malformed
from affectllm.metrics import METRICS
from affectllm.metrics.numbers import dimensions

CORRELATIONS = [dimensions.pearson, dimensions.ccc, dimensions.spearman]
numbers = st.floats(-3, 3).map(lambda number: round(number, 2))
pairs = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=40)
varied = pairs.filter(lambda items: all(len(set(side)) > 1 for side in zip(*items, strict=True)))


def value(metric, gold, answers, **options) -> float:
    return metric.statistic(gold, answers, **options).value()


def unzip(items) -> tuple[list, list]:
    gold, answers = map(list, zip(*items, strict=True))
    return gold, answers


def concordance(x, y) -> float:
    """Lin 1989, from the definition."""
    x, y = np.array(x, float), np.array(y, float)
    return 2 * np.mean((x - x.mean()) * (y - y.mean())) / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(varied)
def test_libraries_say_the_same(items) -> None:
    x, y = unzip(items)
    assert value(dimensions.pearson, x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    assert value(dimensions.spearman, x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    assert value(dimensions.ccc, x, y) == pytest.approx(concordance(x, y), abs=1e-9)
    assert value(dimensions.mae, x, y) == pytest.approx(sk.mean_absolute_error(x, y))
    assert value(dimensions.mse, x, y) == pytest.approx(sk.mean_squared_error(x, y))
    assert value(dimensions.rmse, x, y) == pytest.approx(sk.root_mean_squared_error(x, y))
    assert value(dimensions.r2, x, y) == pytest.approx(sk.r2_score(x, y), rel=1e-6)


def test_torchmetrics_says_nearly_the_same_of_ccc_since_it_divides_by_one_less() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=5000)
    y = 0.6 * x + random.normal(size=5000) + 0.3
    oracle = float(concordance_corrcoef(torch.tensor(y), torch.tensor(x)))
    assert value(dimensions.ccc, x.tolist(), y.tolist()) == pytest.approx(oracle, abs=1e-4)


def test_values_worked_out_by_hand() -> None:
    x, y = [1.0, 2.0, 3.0], [2.0, 3.0, 4.0]
    assert value(dimensions.pearson, x, y) == pytest.approx(1)
    assert value(dimensions.ccc, x, y) == pytest.approx(2 * 2 / 3 / (2 / 3 + 2 / 3 + 1))
    assert value(dimensions.mae, x, y) == value(dimensions.mse, x, y) == value(dimensions.rmse, x, y) == 1
    assert value(dimensions.r2, x, y) == pytest.approx(1 - 3 / 2)


@example([(-1.26, -2.5), (-2.5, -1.26)])  # rounds to a little below -1
@given(varied)
def test_bounds_order_and_perfection(items) -> None:
    x, y = unzip(items)
    for metric in CORRELATIONS:
        score = value(metric, x, y)
        assert -1 <= score <= 1
        assert score == pytest.approx(value(metric, x[::-1], y[::-1]), abs=1e-9)
        assert value(metric, x, x) == pytest.approx(1)
    assert abs(value(dimensions.ccc, x, y)) <= abs(value(dimensions.pearson, x, y)) + 1e-9
    assert value(dimensions.mae, x, y) <= value(dimensions.rmse, x, y) + 1e-9
    assert value(dimensions.r2, x, y) <= 1 and value(dimensions.mae, x, x) == 0


@given(varied, st.sampled_from([1e-3, 1.0, 1e6]), st.sampled_from([0.0, 1e6, -1e8]))
def test_correlations_do_not_depend_on_scale_and_survive_large_offsets(items, factor, shift) -> None:
    x, y = unzip(items)
    moved = [factor * number + shift for number in y]
    if np.ptp(moved) > 1e-6 * max(1, abs(shift)):  # else the offset has swallowed the answers
        assert value(dimensions.pearson, x, moved) == pytest.approx(value(dimensions.pearson, x, y), abs=1e-3)
    far = [number + 1e8 for number in x]
    assert value(dimensions.ccc, far, far) == pytest.approx(1)


def test_constant_answers_are_zero_and_told_and_constant_gold_is_an_error() -> None:
    x, flat = [0.1, 0.2, 0.7], [0.1, 0.1, 0.1]
    for metric in CORRELATIONS:
        result = metric(x, flat)
        assert result.value == 0 and result.details["constant"] == 1
        assert result.controls["majority"] == 0
        with pytest.raises(Malformed, match="gold does not vary"):
            metric(flat, x)
    with pytest.raises(Malformed, match="gold does not vary"):
        dimensions.r2(flat, x)
    assert value(dimensions.r2, x, [1 / 3] * 3) == pytest.approx(0)


def test_resamples_without_variance_are_undefined_or_zero_and_never_rounding() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        gold, answers = random.uniform(-3, 3, 8), random.uniform(-3, 3, 8)
        gold[5:], answers[:3] = gold[5], answers[0]
        for metric in (dimensions.pearson, dimensions.ccc):
            statistic = metric.statistic(gold.tolist(), answers.tolist())
            assert statistic.reduce(statistic.table[:3].sum(0)) == 0  # the answers are constant
            assert np.isnan(statistic.reduce(statistic.table[5:].sum(0)))  # gold is


def test_unreadable_answers_take_the_worst_end() -> None:
    result = dimensions.mae([0.0, 1.0], [None, 1.0], bounds=(0, 4))
    assert result.value == 2 and result.unreadable == 0.5
    assert dimensions.mae([0.0, 1.0], [None, 1.0], invalid="drop").value == 0
    assert dimensions.pearson([0.0, 1.0, 0.5], [float("nan"), float("inf"), 0.5]).unreadable == pytest.approx(2 / 3)
    with pytest.raises(Malformed, match="gold value 1"):
        dimensions.pearson([float("nan"), 1.0], [0.0, 1.0])


# ── traces ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _traces(seed: int = 0) -> tuple[list, list, list]:
    random = np.random.default_rng(seed)
    gold = [random.normal(size=40) + offset for offset in (0, 2, 5)]
    answers = [0.5 * trace + random.normal(size=40) for trace in gold]
    return list(np.concatenate(gold)), list(np.concatenate(answers)), [part for part in "abc" for _ in range(40)]


@pytest.mark.parametrize("metric", [dimensions.ccc, dimensions.pearson])
def test_per_sequence_is_the_mean_of_the_sequences_and_pooled_is_not(metric) -> None:
    x, y, parts = _traces()
    single = [value(metric, x[i : i + 40], y[i : i + 40]) for i in (0, 40, 80)]
    result = metric(x, y, sequences=parts, clusters=parts)
    assert result.value == pytest.approx(np.mean(single))
    assert [row[metric.name] for row in result.per_class.values()] == pytest.approx(single)
    pooled = metric(x, y, sequences=parts, pool=True).value
    assert pooled == pytest.approx(value(metric, x, y)) and pooled > result.value
    assert result.low is None and result.settings["clusters"] == 3


def test_a_sequence_weighs_as_often_as_it_is_drawn() -> None:
    x, y, parts = _traces()
    statistic = dimensions.ccc.statistic(x, y, sequences=parts)
    single = [value(dimensions.ccc, x[i : i + 40], y[i : i + 40]) for i in (0, 40, 80)]
    drawn = np.concatenate([np.arange(40), np.arange(40), np.arange(80, 120)])
    assert statistic.compute(drawn) == pytest.approx((2 * single[0] + single[2]) / 3)


def test_sequences_without_variance_are_left_out_and_told() -> None:
    result = dimensions.ccc([1, 2, 3, 5, 5], [1, 2, 3, 4, 5], sequences=list("aaabb"))
    assert result.value == pytest.approx(1) and result.n == 3
    assert result.coverage == {"sequences": 2, "sequences_scored": 1}
    with pytest.raises(Malformed, match="varies in no sequence"):
        dimensions.ccc([1, 1, 2, 2], [1, 2, 3, 4], sequences=list("aabb"))


def test_smoothing_is_savitzky_golay_along_each_sequence() -> None:
    x, y, parts = _traces()
    smooth = np.concatenate([signal.savgol_filter(y[i : i + 40], 11, 3) for i in (0, 40, 80)])
    name = "".join(["sav", "gol"])  # as it comes from a page or a command
    options = {"sequences": parts, "smooth": name, "window": 11, "polyorder": 3}
    assert value(dimensions.mse, x, y, **options) == pytest.approx(np.mean((np.array(x) - smooth) ** 2))
    assert value(dimensions.ccc, x, y, pool=True, **options) == pytest.approx(concordance(x, smooth))
    assert value(dimensions.pearson, x, y, pool=True, **options) == pytest.approx(np.corrcoef(x, smooth)[0, 1])
    mixed = np.random.default_rng(1).permutation(3).repeat(40) * 40 + np.tile(np.arange(40), 3)
    again = {**options, "sequences": [parts[i] for i in mixed]}
    mixed_ccc = value(dimensions.ccc, [x[i] for i in mixed], [y[i] for i in mixed], **again)
    assert mixed_ccc == pytest.approx(value(dimensions.ccc, x, y, **options))
    with pytest.raises(Malformed, match="shortest sequence of 40"):
        dimensions.ccc(x, y, **{**options, "window": 41})
    with pytest.raises(Malformed, match="smooth is 'mean'"):
        dimensions.ccc(x, y, smooth="mean")


def test_smoothing_takes_101_points_and_cubes_unless_told_otherwise() -> None:
    dice = np.random.default_rng(2)
    x, y = dice.normal(size=150), dice.normal(size=150)
    smooth = signal.savgol_filter(y, 101, 3)
    assert value(dimensions.mse, x, y, smooth="savgol") == pytest.approx(np.mean((x - smooth) ** 2))
    assert value(dimensions.ccc, x, y, smooth="savgol") == pytest.approx(concordance(x, smooth))
    assert value(dimensions.pearson, x, y, smooth="savgol") == pytest.approx(np.corrcoef(x, smooth)[0, 1])


def test_some_emotion_keeps_the_items_that_have_it() -> None:
    x, y = [0.1, 0.5, 0.8, 0.9], [0.9, 0.4, 0.6, 0.9]
    result = dimensions.pearson(x, y, some_emotion=0.5)
    assert result.value == pytest.approx(np.corrcoef(x[1:], y[1:])[0, 1]) and result.n == 3
    both_ends = dimensions.pearson([-3, 0, 0, 2, 1], [-2, 5, -5, 1, 2], some_emotion=1)
    assert both_ends.value == pytest.approx(np.corrcoef([-3, 2, 1], [-2, 1, 2])[0, 1])
    with pytest.raises(Malformed, match="some_emotion=2"):
        dimensions.pearson(x, y, some_emotion=2)


@pytest.mark.parametrize("name", ["pearson", "ccc", "spearman", "pearson_per_group"])
def test_a_mirrored_answer_has_the_least_and_the_same_one_the_greatest_value_of_the_range(name: str) -> None:
    metric, numbers = METRICS[name], [-2.0, -1.0, 0.0, 1.0, 2.0]
    groups = {"groups": ["one"] * 5} if name.endswith("group") else {}
    extremes = [metric(numbers, [sign * number for number in numbers], **groups).value for sign in (-1, 1)]
    assert metric.range == (-1.0, 1.0) and extremes == pytest.approx(metric.range)

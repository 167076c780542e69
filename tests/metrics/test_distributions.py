"""Distributions over labels: scipy as oracle, values by hand, properties, edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from affectllm.errors import Malformed
from affectllm.metrics.labels.distributions import (
    cross_entropy,
    distribution_accuracy,
    distribution_cosine,
    distribution_rmsd,
    earth_mover,
    js_divergence,
    kl_divergence,
)

SPACE = ("calm", "joy", "love", "rage")
BETTER = {distribution_accuracy: 1.0, distribution_cosine: 1.0}
WORSE = [distribution_rmsd, js_divergence, kl_divergence, cross_entropy, earth_mover]
weights = st.lists(st.integers(0, 4), min_size=4, max_size=4).filter(any)
shares = weights.map(lambda row: {label: part / sum(row) for label, part in zip(SPACE, row, strict=True)})
pairs = st.lists(st.tuples(shares, shares), min_size=1, max_size=12)


def value(metric, gold, answers, **options) -> float:
    return metric.statistic(gold, answers, labels=SPACE, **options).value()


def sides(items) -> tuple[list, list, np.ndarray, np.ndarray]:
    gold, answers = map(list, zip(*items, strict=True))
    return gold, answers, *(np.array([[side[label] for label in SPACE] for side in both]) for both in (gold, answers))


@given(pairs)
def test_scipy_says_the_same(items) -> None:
    gold, answers, g, p = sides(items)
    rows = list(zip(g, p, strict=True))
    steps = range(len(SPACE))
    smooth = [(a, (b + 1e-3) / (1 + 4e-3)) for a, b in rows]
    expected = {
        distribution_cosine: np.mean([1 - distance.cosine(a, b) for a, b in rows]),
        js_divergence: np.mean([distance.jensenshannon(a, b, base=2) ** 2 for a, b in rows]),
        earth_mover: np.mean([stats.wasserstein_distance(steps, steps, a, b) for a, b in rows]),
        distribution_rmsd: np.mean([np.sqrt(np.mean((a - b) ** 2)) for a, b in rows]),
    }
    for metric, known in expected.items():
        assert value(metric, gold, answers) == pytest.approx(known, abs=1e-7), metric
    kl = np.mean([stats.entropy(a, b) for a, b in smooth])
    assert value(kl_divergence, gold, answers, smoothing=1e-3) == pytest.approx(kl)
    cross = np.mean([stats.entropy(a) + stats.entropy(a, b) for a, b in smooth])
    assert value(cross_entropy, gold, answers, smoothing=1e-3) == pytest.approx(cross)


@given(pairs)
def test_bounds_order_and_perfection(items) -> None:
    gold, answers, _, _ = sides(items)
    for metric in (*BETTER, *WORSE):
        score = value(metric, gold, answers)
        low, high = metric.range
        assert low <= score <= high
        assert score == pytest.approx(value(metric, gold[::-1], answers[::-1]))
    for metric in (distribution_cosine, js_divergence, distribution_rmsd, kl_divergence, earth_mover):
        best = 1 if metric in BETTER else 0
        assert value(metric, gold, gold) == pytest.approx(best, abs=1e-4)
    assert value(cross_entropy, gold, answers) >= value(cross_entropy, gold, gold) - 1e-4
    best = cross_entropy(gold, gold, labels=SPACE, resamples=10).details["best"]
    assert value(cross_entropy, gold, gold) == pytest.approx(best, abs=1e-4)


def test_values_worked_out_by_hand() -> None:
    gold, answers = [{"calm": 0.5, "joy": 0.5}], [{"joy": 1.0}]
    assert value(distribution_rmsd, gold, answers) == pytest.approx(np.sqrt((0.25 + 0.25) / 4))
    assert value(distribution_cosine, gold, answers) == pytest.approx(0.5 / np.sqrt(0.5))
    assert value(earth_mover, gold, answers) == pytest.approx(0.5)
    assert value(earth_mover, [{"calm": 1.0}], [{"rage": 1.0}]) == pytest.approx(3)
    assert value(js_divergence, [{"calm": 1.0}], [{"rage": 1.0}]) == pytest.approx(1)
    # Halves: ½(½·log 2/1… ) of g = (½, ½), p = (0, 1), m = (¼, ¾), in bits.
    by_hand = 0.5 * (0.5 * np.log2(0.5 / 0.25) + 0.5 * np.log2(0.5 / 0.75)) + 0.5 * np.log2(1 / 0.75)
    assert value(js_divergence, gold, answers) == pytest.approx(by_hand)


def test_accuracy_shares_out_the_ties_of_answers_and_accepts_any_of_gold() -> None:
    tied_gold = [{"joy": 0.4, "love": 0.4, "rage": 0.2}]
    assert value(distribution_accuracy, tied_gold, [{"love": 1.0}]) == 1
    assert value(distribution_accuracy, tied_gold, [{"rage": 1.0}]) == 0
    assert value(distribution_accuracy, [{"joy": 1.0}], [dict.fromkeys(SPACE, 0.25)]) == 0.25
    assert value(distribution_accuracy, tied_gold, [dict.fromkeys(SPACE, 0.25)]) == 0.5
    assert value(distribution_accuracy, [{"joy": 0.1 + 0.2, "love": 0.3, "rage": 0.4}], [{"rage": 1}]) == 1


def test_counts_are_normalised_and_rows_of_other_sizes_agree() -> None:
    assert value(distribution_cosine, [{"joy": 6, "rage": 2}], [{"joy": 0.75, "rage": 0.25}]) == pytest.approx(1)


def test_a_label_that_the_answer_lacks_costs_much_but_not_infinitely_much() -> None:
    gold, answers = [{"joy": 1.0}], [{"rage": 1.0}]
    result = kl_divergence(gold, answers, labels=SPACE)
    assert result.value == pytest.approx(-np.log(1e-6 / (1 + 4e-6))) and result.details["zeros"] == 1
    assert value(kl_divergence, gold, answers, smoothing=1e-3) < result.value
    with pytest.raises(Malformed, match="infinitely much"):
        kl_divergence(gold, answers, smoothing=0.0)
    assert value(kl_divergence, gold, [{"joy": 0.5, "rage": 0.5}], smoothing=0.0) == pytest.approx(np.log(2))


def test_earth_mover_needs_the_order_of_the_scale() -> None:
    with pytest.raises(Malformed, match="ordered scale"):
        earth_mover([{"joy": 1.0}], [{"joy": 1.0}])
    gold, near, far = [{"calm": 1.0}], [{"joy": 1.0}], [{"rage": 1.0}]
    assert value(earth_mover, gold, near) < value(earth_mover, gold, far)
    assert value(js_divergence, gold, near) == value(js_divergence, gold, far)


def test_bad_shares_are_errors() -> None:
    for bad in ({"joy": -1.0}, {"joy": 0.0}, {}, {"joy": float("nan")}):
        with pytest.raises(Malformed, match="gold value 1"):
            distribution_cosine([bad], [{"joy": 1.0}])
    with pytest.raises(Malformed, match="hate"):
        distribution_cosine([{"hate": 1.0}], [{"joy": 1.0}], labels=SPACE)


def test_unreadable_answers_are_wrong() -> None:
    gold = [{"calm": 0.1, "joy": 0.6, "love": 0.3}] * 2
    for metric in (distribution_accuracy, distribution_cosine):
        assert value(metric, gold, [None, gold[1]]) < value(metric, gold, gold)
    for metric in WORSE:
        assert value(metric, gold, [None, gold[1]]) > value(metric, gold, gold)


def test_controls_are_what_they_should_be() -> None:
    random = np.random.default_rng(0)
    gold = [dict(zip(SPACE, map(float, row), strict=True)) for row in random.dirichlet([1] * 4, 300)]
    controls = distribution_accuracy(gold, gold, labels=SPACE).controls
    assert 0.1 < controls["shuffled"] < 0.4
    mean = js_divergence(gold, gold, labels=SPACE).controls["majority"]
    assert 0 < mean < js_divergence(gold, gold, labels=SPACE).controls["empty"]

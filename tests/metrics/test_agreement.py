"""Agreement of raters: the krippendorff package as oracle, published examples, edges, speed."""

from __future__ import annotations

import time

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.errors import Malformed
from affectllm.metrics.raters import agreement

LEVELS = ("nominal", "ordinal", "interval", "ratio")
rating = st.one_of(st.none(), st.integers(0, 4))
units = st.lists(st.lists(rating, min_size=3, max_size=3), min_size=1, max_size=15)


def table(rows) -> list[dict]:
    """Rows of ratings, None where a rater left the item out, as mappings."""
    return [{f"r{n}": value for n, value in enumerate(row) if value is not None} for row in rows]


def value(metric, gold, **options) -> float:
    return metric.statistic(gold, **options).value()


def _paired_values(rows) -> set:
    left = [[value for value in row if value is not None] for row in rows]
    return {value for row in left if len(row) > 1 for value in row}


# ── Krippendorff's α ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("level", LEVELS)
@given(units.filter(lambda rows: len(_paired_values(rows)) > 1))
def test_alpha_is_that_of_the_krippendorff_package(level, rows) -> None:
    data = np.array([[np.nan if value is None else value for value in row] for row in rows], float).T
    expected = krippendorff.alpha(reliability_data=data, level_of_measurement=level)
    assert value(agreement.krippendorff_alpha, table(rows), level=level) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_alpha_of_many_different_values_is_that_of_the_krippendorff_package(level) -> None:
    random = np.random.default_rng(0)
    data = np.round(random.uniform(0, 9, (150, 1)) + random.uniform(0, 3, (150, 3)), 2)
    data[random.random(data.shape) < 0.2] = np.nan
    rows = [[None if np.isnan(value) else value for value in row] for row in data.tolist()]
    expected = krippendorff.alpha(reliability_data=data.T, level_of_measurement=level)
    result = agreement.krippendorff_alpha(table(rows), level=level, resamples=50)
    assert result.value == pytest.approx(expected, abs=1e-9)
    assert result.low <= result.value <= result.high


@pytest.mark.parametrize("level", ["nominal", "ratio"])
def test_alpha_without_a_table_of_counts_is_the_same(level, monkeypatch) -> None:
    gold = table([[1, 1, 2], [3, 3, None], [2, 4, 2], [1, None, None], [4, 4, 4]])
    as_sums = agreement.krippendorff_alpha.statistic(gold, level=level)
    monkeypatch.setattr(agreement, "_MANY_CELLS", 0)
    as_rows = agreement.krippendorff_alpha.statistic(gold, level=level)
    assert type(as_sums) is not type(as_rows)
    assert as_rows.value() == pytest.approx(as_sums.value())
    drawn = np.array([0, 0, 2, 3, 4])
    assert as_rows.compute(drawn) == pytest.approx(float(as_sums.reduce(as_sums.table[drawn].sum(0))))


def test_alpha_worked_out_by_hand() -> None:
    # Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), B: two coders, ten units, two values.
    first, second = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert value(agreement.krippendorff_alpha, table(zip(first, second, strict=True))) == pytest.approx(0.095, abs=5e-4)
    # Nominal by the formula: 2 units agree on a, 1 disagrees; o = 2 of 6 pairs, e = 2·5·1/5.
    gold = [{"x": "a", "y": "a"}, {"x": "a", "y": "a"}, {"x": "a", "y": "b"}]
    assert value(agreement.krippendorff_alpha, gold) == pytest.approx(1 - 2 / (2 * 5 * 1 / 5))


@given(units.filter(lambda rows: len(_paired_values(rows)) > 1), st.randoms())
def test_alpha_depends_neither_on_order_nor_on_who_rated_and_agreement_is_one(rows, random) -> None:
    for level in LEVELS:
        expected = value(agreement.krippendorff_alpha, table(rows), level=level)
        mixed = [random.sample(row, 3) for row in random.sample(rows, len(rows))]
        assert value(agreement.krippendorff_alpha, table(mixed), level=level) == pytest.approx(expected, abs=1e-9)
        assert -1 <= expected <= 1
    agreed = [[row, row, None] for row in range(3)]
    assert value(agreement.krippendorff_alpha, table(agreed), level="ordinal") == 1


def test_alpha_counts_only_items_with_two_ratings() -> None:
    gold = table([[1, 1, None], [2, None, None], [3, 3, 3]])
    result = agreement.krippendorff_alpha(gold)
    assert result.value == 1 and result.n == 2
    assert result.coverage == pytest.approx({"items": 2 / 3, "ratings": 5 / 6})
    assert result.unreadable == 0 and result.controls == {}


def test_ordinal_labels_are_in_the_order_that_is_given() -> None:
    gold = table([["low", "mid", None], ["high", "high", None], ["low", "low", "mid"]])
    order = ("low", "mid", "high")
    numbers = table([[0, 1, None], [2, 2, None], [0, 0, 1]])
    alpha = value(agreement.krippendorff_alpha, gold, level="ordinal", labels=order)
    assert alpha == pytest.approx(value(agreement.krippendorff_alpha, numbers, level="ordinal"))
    other = value(agreement.krippendorff_alpha, gold, level="ordinal", labels=("low", "high", "mid"))
    assert other != pytest.approx(alpha)


@pytest.mark.parametrize(
    ("gold", "options", "match"),
    [
        ([{"a": 1}, {}], {}, "no item has two ratings"),
        ([{"a": 1, "b": 1}], {}, "all ratings are the same"),
        ([{"a": "x", "b": "y"}], {"level": "interval"}, "takes numbers"),
        ([{"a": "x", "b": "y"}], {"level": "ordinal"}, "need their order"),
        ([{"a": "x", "b": "y"}], {"labels": ("x",)}, "outside the label space: y"),
        ([{"a": -1, "b": 1}], {"level": "ratio"}, "ratings from 0"),
        ([{"a": 1.0, "b": float("inf")}], {"level": "interval"}, "not finite"),
        ([{"a": 1, "b": 2}], {"level": "cardinal"}, "level is 'cardinal'"),
        ([], {}, "nothing to score"),
    ],
)
def test_ratings_without_an_agreement_are_errors(gold, options, match) -> None:
    with pytest.raises(Malformed, match=match):
        agreement.krippendorff_alpha(gold, **options)


def test_one_and_one_point_zero_are_the_same_label() -> None:
    assert value(agreement.krippendorff_alpha, [{"a": 1, "b": 1.0}, {"a": 2.5, "b": 2.5}]) == 1
    named = [{"a": 1, "b": 1.0}, {"a": 2, "b": 2}]
    assert value(agreement.krippendorff_alpha, named, labels=("1", "2")) == 1


def test_alpha_of_a_million_ratings_takes_under_five_seconds() -> None:
    random = np.random.default_rng(0)
    base = random.integers(0, 7, (250_000, 1))
    data = np.where(random.random((250_000, 4)) < 0.6, base, random.integers(0, 7, (250_000, 4)))
    gold = [dict(zip("abcd", row, strict=True)) for row in data.tolist()]
    started = time.process_time()
    result = agreement.krippendorff_alpha(gold, level="ordinal")
    assert time.process_time() - started < 5
    assert result.settings["resamples"] == 1000 and 0.3 < result.value < 0.4


# ── Fleiss' κ ────────────────────────────────────────────────────────────────────────────────────────────────────────

_SUBJECTS = [  # ten subjects, fourteen raters, five categories: the worked example of the Wikipedia article
    (0, 0, 0, 0, 14),
    (0, 2, 6, 4, 2),
    (0, 0, 3, 5, 6),
    (0, 3, 9, 2, 0),
    (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0),
    (3, 2, 6, 3, 0),
    (2, 5, 3, 2, 2),
    (6, 5, 2, 1, 0),
    (0, 2, 2, 3, 7),
]


def _votes(counts) -> list[dict]:
    labels = [[label for label, count in zip("abcde", row, strict=True) for _ in range(count)] for row in counts]
    return [{f"r{n}": label for n, label in enumerate(row)} for row in labels]


def test_fleiss_kappa_of_a_published_example() -> None:
    assert value(agreement.fleiss_kappa, _votes(_SUBJECTS)) == pytest.approx(0.210, abs=5e-4)


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=3, max_size=3), min_size=1, max_size=15))
def test_fleiss_kappa_is_pairwise_agreement_beyond_chance(rows) -> None:
    gold = table(rows)
    pooled = [label for row in rows for label in row]
    if len(set(pooled)) == 1:
        with pytest.raises(Malformed, match="all ratings are the same"):
            agreement.fleiss_kappa(gold)
        return
    agree = np.mean([a == b for row in rows for i, a in enumerate(row) for j, b in enumerate(row) if i != j])
    chance = sum((pooled.count(label) / len(pooled)) ** 2 for label in set(pooled))
    assert value(agreement.fleiss_kappa, gold) == pytest.approx((agree - chance) / (1 - chance))


def test_fleiss_kappa_needs_as_many_ratings_of_each_item() -> None:
    with pytest.raises(Malformed, match="use krippendorff_alpha"):
        agreement.fleiss_kappa(table([["a", "b", "c"], ["a", "b", None]]))
    assert value(agreement.fleiss_kappa, table([["a", "a", None], ["b", "b", None]])) == 1

"""What raters are worth: human ceilings and opinion scores, by hand, by scikit-learn and by least squares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from affectllm.errors import Malformed
from affectllm.metrics import krippendorff_alpha
from affectllm.metrics.raters import reliability


def table(rows) -> list[dict]:
    """Rows of ratings, None where a rater left the item out, as mappings."""
    return [{f"r{n}": value for n, value in enumerate(row) if value is not None} for row in rows]


def value(metric, gold, **options) -> float:
    return metric.statistic(gold, **options).value()


# ── the ceiling ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_human_ceiling_worked_out_by_hand() -> None:
    gold = table([["a", "a", "b"], ["a", "a", "a"], ["b", "a", None]])
    # r0: others (a,b) tie; a=a right; others (a): b wrong → 1/2. r1: tie; right; others (b): a wrong → 1/2.
    # r2: others (a,a): b wrong; right → 1/2.
    result = reliability.human_ceiling(gold)
    assert result.value == pytest.approx(1 / 2) == result.details["pooled"]
    assert result.coverage == pytest.approx({"ratings": 6 / 8, "raters": 1})
    assert result.per_class["r2"] == {"agreement": 0.5, "n": 2}


def _crowd(seed: int, items: int = 60, people: int = 5) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(items, 1)) + random.normal(size=(items, people)) * 0.8


def test_human_ceiling_of_numbers_is_the_correlation_with_the_mean_of_the_others() -> None:
    data = _crowd(0)
    gold = table(data.tolist())
    others = [np.delete(data, column, axis=1).mean(1) for column in range(5)]
    expected = np.mean([np.corrcoef(data[:, column], others[column])[0, 1] for column in range(5)])
    assert value(reliability.human_ceiling, gold, measure="pearson") == pytest.approx(expected)
    pooled = reliability.human_ceiling(gold, measure="ccc", resamples=20).details["pooled"]
    x, y = np.concatenate(others), data.T.ravel()
    ccc = 2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    assert pooled == pytest.approx(ccc)


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=3, max_size=3), min_size=1, max_size=12))
def test_human_ceiling_of_labels_is_accuracy_and_uar_against_the_majority_of_the_others(rows) -> None:
    gold, own, truth = table(rows), {}, {}
    for row in rows:
        for rater, label in enumerate(row):
            rest = [other for number, other in enumerate(row) if number != rater]
            if rest[0] == rest[1]:  # two others have a majority only where they agree
                own.setdefault(rater, []).append(label)
                truth.setdefault(rater, []).append(rest[0])
    if not own:
        with pytest.raises(Malformed, match="no rating has others"):
            reliability.human_ceiling(gold)
        return
    accuracy = np.mean([sk.accuracy_score(truth[rater], own[rater]) for rater in own])
    assert value(reliability.human_ceiling, gold) == pytest.approx(accuracy)
    uar = np.mean(
        [sk.recall_score(truth[r], own[r], labels=sorted(set(truth[r])), average="macro", zero_division=0) for r in own]
    )
    assert value(reliability.human_ceiling, gold, measure="uar") == pytest.approx(uar)


def test_human_ceiling_of_raters_who_agree_is_one_and_bad_measures_are_errors() -> None:
    agreed = table([["a", "a", "a"], ["b", "b", "b"]])
    assert value(reliability.human_ceiling, agreed) == value(reliability.human_ceiling, agreed, measure="uar") == 1
    with pytest.raises(Malformed, match="'a' is no number"):
        reliability.human_ceiling(agreed, measure="ccc")
    with pytest.raises(Malformed, match="measure is 'kappa'"):
        reliability.human_ceiling(agreed, measure="kappa")
    with pytest.raises(Malformed, match="undefined for every rater"):
        reliability.human_ceiling([{"a": 1.0, "b": 1.0}], measure="pearson")
    with pytest.raises(Malformed, match="no rating has others"):
        reliability.human_ceiling([{"a": "x"}])


# ── opinion scores ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_mos_of_everybody_rating_everything_is_the_plain_mean() -> None:
    data = np.random.default_rng(0).integers(1, 6, (20, 4)).astype(float)
    result = reliability.mos(table(data.tolist()))
    assert result.value == pytest.approx(data.mean()) == result.details["raw_mean"]
    assert result.details["rater_variance"] == pytest.approx(data.mean(0).var())
    assert result.details["item_variance"] == pytest.approx(data.mean(1).var())
    rest = data - data.mean(0) - data.mean(1)[:, None] + data.mean()
    assert result.details["residual_variance"] == pytest.approx((rest**2).mean())
    assert result.low < result.value < result.high and result.details["groups"] == 1


def test_mos_allows_for_strict_raters_who_saw_other_items() -> None:
    # True scores 3 and 4; the strict rater (−1) saw mostly the better items, the generous one (+1) the others.
    effects, scores = {"strict": -1.0, "fair": 0.0, "generous": 1.0}, [3.0] * 10 + [4.0] * 10
    gold = []
    for number, score in enumerate(scores):
        who = ("strict", "fair") if number >= 10 else ("generous",) if number else ("generous", "fair")
        gold.append({rater: score + effects[rater] for rater in who})
    result = reliability.mos(gold)
    assert result.value == pytest.approx(3.5)
    assert abs(result.details["raw_mean"] - 3.5) > 0.1
    assert result.details["rater_variance"] == pytest.approx(np.var(list(effects.values())))
    assert result.details["residual_variance"] == pytest.approx(0, abs=1e-12)


def test_mos_is_a_least_squares_fit() -> None:
    random = np.random.default_rng(1)
    data = random.normal(size=(30, 6))
    data[random.random(data.shape) < 0.5] = np.nan
    data = data[~np.isnan(data).all(1)]
    gold = table([[None if np.isnan(value) else value for value in row] for row in data.tolist()])
    items, people = np.nonzero(~np.isnan(data))
    design = np.zeros((len(items) + 1, len(data) + 6))
    design[np.arange(len(items)), items] = design[np.arange(len(items)), len(data) + people] = 1
    design[-1, len(data) :] = 1e6  # the rater effects sum to 0
    solved = np.linalg.lstsq(design, np.append(data[items, people], 0), rcond=None)[0]
    assert reliability.mos(gold).value == pytest.approx(solved[: len(data)].mean(), abs=1e-6)


def test_mos_of_groups_that_share_nothing_and_of_nothing() -> None:
    result = reliability.mos([{"a": 1.0, "b": 3.0}, {"c": 5.0}, {}])
    assert result.details["groups"] == 2 and result.value == pytest.approx((2 + 5) / 2)
    assert result.n == 2 and result.coverage["items"] == pytest.approx(2 / 3)
    with pytest.raises(Malformed, match="there is no rating"):
        reliability.mos([{}])
    with pytest.raises(Malformed, match="'good' is no number"):
        reliability.mos([{"a": "good"}])


def test_ratings_may_be_lists_in_the_order_of_the_raters() -> None:
    named = [{"1": "joy", "2": "joy"}, {"1": "fear"}, {"1": "fear", "2": "joy", "3": "fear"}]
    listed = [["joy", "joy"], ["fear", None], ["fear", "joy", "fear"]]
    assert krippendorff_alpha(listed).value == krippendorff_alpha(named).value
    with pytest.raises(Malformed) as refused:
        krippendorff_alpha([0.5])
    assert "attribute" not in str(refused.value)

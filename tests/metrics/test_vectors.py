"""Groups, vectors and sentiment scales: scikit-learn and scipy as oracles, definitions 26, 27, 31 and 32 in words."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from affectllm.errors import Malformed, NotFound
from affectllm.metrics.numbers import sentiment_scales, vectors

scale = st.sampled_from([-3.0, -2.5, -2.0, -1.5, -1.0, -0.7, -0.5, -0.1, 0.0, 0.1, 0.5, 0.7, 1.0, 1.5, 2.5, 3.0])
scaled = st.lists(st.tuples(scale, st.one_of(scale, st.floats(-4, 4))), min_size=1, max_size=40)


def value(metric, gold, answers, **options) -> float:
    return metric.statistic(gold, answers, **options).value()


def unzip(items) -> tuple[list, list]:
    gold, answers = map(list, zip(*items, strict=True))
    return gold, answers


def concordance(x, y) -> float:
    """Lin 1989, from the definition."""
    x, y = np.array(x, float), np.array(y, float)
    return 2 * np.mean((x - x.mean()) * (y - y.mean())) / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)


# ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pearson_per_group_is_the_mean_of_the_groups() -> None:
    random = np.random.default_rng(0)
    x, y = random.uniform(size=60), random.uniform(size=60)
    groups = [("anger", "fear", "joy", "sadness")[row % 4] for row in range(60)]
    single = [stats.pearsonr(x[start::4], y[start::4]).statistic for start in range(4)]
    result = vectors.pearson_per_group(x.tolist(), y.tolist(), groups=groups)
    assert result.value == pytest.approx(np.mean(single)) and result.n == 60
    assert result.per_class["joy"]["pearson"] == pytest.approx(single[2])
    strong = [stats.pearsonr(x[s::4][x[s::4] >= 0.5], y[s::4][x[s::4] >= 0.5]).statistic for s in range(4)]
    some = vectors.pearson_per_group(x.tolist(), y.tolist(), groups=groups, some_emotion=0.5)
    assert some.value == pytest.approx(np.mean(strong)) and some.n == (x >= 0.5).sum()
    with pytest.raises(Malformed, match="calm: gold does not vary"):
        vectors.pearson_per_group([1, 2, 1, 1], [1, 2, 3, 4], groups=["joy", "joy", "calm", "calm"])


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=40))
def test_quadratic_kappa_is_that_of_scikit_learn(items) -> None:
    x, y = unzip(items)
    if len(set(x)) < 2:
        with pytest.raises(Malformed, match="gold does not vary"):
            vectors.quadratic_kappa(x, y)
        return
    expected = sk.cohen_kappa_score(x, y, labels=list(range(-3, 4)), weights="quadratic")
    assert value(vectors.quadratic_kappa, x, y) == pytest.approx(expected, abs=1e-9)
    assert value(vectors.quadratic_kappa, x, x) == pytest.approx(1)


def test_quadratic_kappa_takes_whole_numbers_by_group() -> None:
    x, y, groups = [0, 1, 3, 2, 0, 1], [0, 2, 3, 2, 1, 1], list("aaabbb")
    single = [sk.cohen_kappa_score(x[i : i + 3], y[i : i + 3], labels=range(4), weights="quadratic") for i in (0, 3)]
    assert value(vectors.quadratic_kappa, x, y, groups=groups) == pytest.approx(np.mean(single))
    with pytest.raises(Malformed, match="no whole number"):
        vectors.quadratic_kappa([0, 1], [0, 0.5])


# ── vectors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _vectors(seed: int = 0) -> tuple[np.ndarray, np.ndarray, list, list]:
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(30, 3)), random.normal(size=(30, 3))
    names = ("arousal", "dominance", "valence")
    return x, y, *([dict(zip(names, map(float, row), strict=True)) for row in side] for side in (x, y))


def test_vectors_are_scored_dimension_by_dimension() -> None:
    x, y, gold, answers = _vectors()
    columns = list(zip(x.T, y.T, strict=True))
    result = vectors.vad_pearson(gold, answers)
    assert result.value == pytest.approx(np.mean([stats.pearsonr(a, b).statistic for a, b in columns]))
    assert result.per_class["valence"]["pearson"] == pytest.approx(stats.pearsonr(*columns[2]).statistic)
    assert value(vectors.vad_ccc, gold, answers) == pytest.approx(np.mean([concordance(a, b) for a, b in columns]))
    assert value(vectors.vad_r2, gold, answers) == pytest.approx(sk.r2_score(x, y))
    error = vectors.vad_error(gold, answers)
    assert error.value == pytest.approx(sk.mean_absolute_error(x, y)) == error.details["absolute"]
    assert error.details["euclidean"] == pytest.approx(np.linalg.norm(x - y, axis=1).mean())
    assert error.per_class["valence"]["rmse"] == pytest.approx(np.sqrt(np.mean((x - y)[:, 2] ** 2)))
    assert vectors.vad_error(gold, answers, norm="euclidean").value == pytest.approx(error.details["euclidean"])


def test_perfect_vectors_are_best_and_unreadable_ones_are_far() -> None:
    _, _, gold, answers = _vectors()
    for metric in (vectors.vad_pearson, vectors.vad_ccc, vectors.vad_r2):
        assert value(metric, gold, gold) == pytest.approx(1) and value(metric, gold, answers) < 1
    assert value(vectors.vad_error, gold, gold) == 0
    assert value(vectors.vad_error, gold, [None, *gold[1:]]) > 0
    assert value(vectors.vad_error, [{"v": 0.0}], [None], bounds=(-1, 3)) == 3


def test_vectors_with_holes_are_errors() -> None:
    full, hole = {"a": 1.0, "v": 2.0}, {"a": 1.0}
    with pytest.raises(Malformed, match="answer 2 lacks v"):
        vectors.vad_error([full, full], [full, hole])
    with pytest.raises(Malformed, match="gold value 2 lacks v"):
        vectors.vad_error([full, hole], [full, full])
    with pytest.raises(Malformed, match="some gold values have v"):
        vectors.vad_error([hole, full], [full, full])
    with pytest.raises(Malformed, match="v: gold does not vary"):
        vectors.vad_pearson([full, {"a": 2.0, "v": 2.0}], [full, full])
    with pytest.raises(Malformed, match="norm is 'max'"):
        vectors.vad_error([full], [full], norm="max")
    with pytest.raises(NotFound, match="takes no option"):
        vectors.vad_error([full], [full], colour="red")


# ── sentiment scales ─────────────────────────────────────────────────────────────────────────────────────────────────


def _published(gold: np.ndarray, answers: np.ndarray) -> dict[str, float]:
    """Definitions 31 and 32 in words, with scikit-learn: independent of how the module computes them."""
    weighted = {"average": "weighted", "zero_division": 0}
    scores = {
        "cmu_acc2_has0": sk.accuracy_score(gold >= 0, answers >= 0),
        "cmu_f1_has0": sk.f1_score(gold >= 0, answers >= 0, **weighted),
        "sims_acc2": sk.accuracy_score(gold > 0, answers > 0),
        "sims_f1": sk.f1_score(gold > 0, answers > 0, **weighted),
    }
    for limit in (2, 3):
        sides = [np.array([round(min(max(number, -limit), limit)) for number in side]) for side in (gold, answers)]
        scores[f"cmu_acc{2 * limit + 1}"] = sk.accuracy_score(*sides)
    for classes, edges in ((3, (-0.1, 0.1)), (5, (-0.7, -0.1, 0.1, 0.7))):
        sides = [[sum(number > edge for edge in edges) for number in side] for side in (gold, answers)]
        scores[f"sims_acc{classes}"] = sk.accuracy_score(*sides)
    polar = gold != 0
    if polar.any():
        scores["cmu_acc2_non0"] = sk.accuracy_score(gold[polar] > 0, answers[polar] > 0)
        scores["cmu_f1_non0"] = sk.f1_score(gold[polar] > 0, answers[polar] > 0, **weighted)
    return scores


@given(scaled)
def test_sentiment_scales_are_as_published(items) -> None:
    gold, answers = unzip(items)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = _published(np.array(gold), np.array(answers))
    for name, published in expected.items():
        metric = getattr(sentiment_scales, name)
        assert value(metric, gold, answers) == pytest.approx(published), name
        assert value(metric, gold, gold) == 1


def test_has0_and_non0_differ_on_the_same_answers() -> None:
    gold, answers = [0.0, 0.0, 1.0, -1.0], [-0.1, 0.2, 1.0, 0.0]
    assert value(sentiment_scales.cmu_acc2_has0, gold, answers) == 0.5
    result = sentiment_scales.cmu_acc2_non0(gold, answers)
    assert result.value == 1 and result.n == 2 and result.coverage["items"] == 0.5
    assert result.per_class["negative"]["support"] == 1
    with pytest.raises(Malformed, match="every gold value is 0"):
        sentiment_scales.cmu_acc2_non0([0.0], [1.0])


@pytest.mark.parametrize(("metric", "ends"), [(sentiment_scales.cmu_acc7, 3), (sentiment_scales.cmu_acc5, 2)])
def test_each_whole_number_of_a_scale_is_a_class_under_its_name(metric, ends: int) -> None:
    gold = [-9.0, -1.2, 0.0, 1.0, 1.0, 9.0]
    rows = metric(gold, gold).per_class
    assert list(rows) == [str(number) for number in range(-ends, ends + 1)]
    assert [row["support"] for row in rows.values()][ends - 1 : ends + 2] == [1, 1, 2]
    assert rows[str(-ends)]["support"] == rows[str(ends)]["support"] == 1


def test_halves_round_to_the_even_number_and_ends_are_cut() -> None:
    assert value(sentiment_scales.cmu_acc7, [0.5, 1.5, 2.5, 9.0], [0.0, 2.0, 2.0, 3.4]) == 1
    assert value(sentiment_scales.cmu_acc5, [2.5, -7.0], [2.0, -1.6]) == 1
    assert value(sentiment_scales.sims_acc5, [-0.7, -0.1, 0.1, 0.7], [-1.0, -0.2, 0.0, 0.2]) == 1

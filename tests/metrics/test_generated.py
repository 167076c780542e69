"""Generated media from tables of judgements: values by hand, scipy as oracle, edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from affectllm.errors import Malformed
from affectllm.metrics.labels import classes
from affectllm.metrics.raters import generated

SPACE = ("anger", "joy", "sadness")
windows = st.lists(st.lists(st.sampled_from((*SPACE, None)), min_size=2, max_size=6), min_size=1, max_size=10)


def value(metric, *sides, **options) -> float:
    return metric.statistic(*sides, **options).value()


# ── emotion asked for, emotion kept ──────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.tuples(st.sampled_from(SPACE), st.sampled_from((*SPACE, None))), min_size=1, max_size=30))
def test_target_and_preservation_are_shares_of_equal_judgements(items) -> None:
    gold, judged = map(list, zip(*items, strict=True))
    same = np.mean([a == b for a, b in items])
    for metric in (generated.target_emotion_accuracy, generated.emotion_preservation):
        assert value(metric, gold, judged) == pytest.approx(same)
        assert value(metric, gold, gold) == 1
        assert value(metric, gold[::-1], judged[::-1]) == pytest.approx(same)
    assert value(generated.target_emotion_accuracy, gold, judged) == value(classes.accuracy, gold, judged)


def test_what_was_asked_for_is_told_emotion_by_emotion() -> None:
    result = generated.target_emotion_accuracy(
        ["joy", "joy", "anger"], ["joy", None, "joy"], clusters=["s1", "s1", "s2"]
    )
    assert result.value == pytest.approx(1 / 3) and result.unreadable == pytest.approx(1 / 3)
    assert result.per_class["joy"]["recall"] == 0.5 and result.per_class["anger"]["recall"] == 0
    assert result.controls["majority"] == pytest.approx(2 / 3)
    with pytest.raises(Malformed, match="outside the label space"):
        generated.emotion_preservation(["joy"], ["calm"], labels=SPACE)


# ── intensity ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _speakers(seed: int) -> tuple[list, list, list]:
    random = np.random.default_rng(seed)
    meant = random.integers(1, 4, 45).astype(float)
    judged = np.round(meant + random.normal(size=45), 1)
    return meant.tolist(), judged.tolist(), [f"s{row % 3}" for row in range(45)]


@pytest.mark.parametrize(("method", "oracle"), [("spearman", stats.spearmanr), ("kendall", stats.kendalltau)])
def test_monotonicity_is_the_mean_rank_correlation_of_the_speakers(method, oracle) -> None:
    for seed in range(5):
        meant, judged, speakers = _speakers(seed)
        each = [oracle(meant[start::3], judged[start::3]).statistic for start in range(3)]
        result = generated.intensity_monotonicity(meant, judged, speakers=speakers, method=method, resamples=50)
        assert result.value == pytest.approx(np.mean(each))
        assert result.per_class["s1"] == pytest.approx({"correlation": each[1], "n": 15})
        alone = value(generated.intensity_monotonicity, meant, judged, method=method)
        assert alone == pytest.approx(oracle(meant, judged).statistic)


@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_a_speaker_weighs_as_often_as_he_is_drawn(method) -> None:
    meant, judged, speakers = _speakers(0)
    statistic = generated.intensity_monotonicity.statistic(meant, judged, speakers=speakers, method=method)
    first, second = np.arange(0, 45, 3), np.arange(1, 45, 3)
    single = [statistic.compute(rows) for rows in (first, second)]
    assert statistic.compute(np.concatenate([first, first, second])) == pytest.approx((2 * single[0] + single[1]) / 3)


def test_monotonicity_by_hand() -> None:
    monotone = generated.intensity_monotonicity
    meant, speakers = [1, 2, 3, 1, 2, 3], list("aaabbb")
    assert value(monotone, meant, [0.1, 0.2, 0.9, 5, 6, 7], speakers=speakers) == pytest.approx(1)
    assert value(monotone, meant, [1, 2, 3, 3, 2, 1], speakers=speakers) == pytest.approx(0)
    assert value(monotone, meant, [4] * 6, speakers=speakers) == 0
    assert value(monotone, meant, [4] * 6, speakers=speakers, method="kendall") == 0
    result = monotone([1, 2, 2, 2], [1, 2, 1, 2], speakers=list("aabb"))
    assert result.value == pytest.approx(1) and result.n == 2
    assert result.coverage == {"speakers": 2, "speakers_scored": 1}
    with pytest.raises(Malformed, match="no speaker has two"):
        monotone([1, 2], [1, 2], speakers=["a", "b"])
    with pytest.raises(Malformed, match="method is 'pearson'"):
        monotone(meant, meant, method="pearson")


# ── windows ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(windows)
def test_temporal_consistency_is_the_share_of_equal_neighbours(rows) -> None:
    shares = [np.mean([row[t] is not None and row[t] == row[t + 1] for t in range(len(row) - 1)]) for row in rows]
    assert value(generated.temporal_consistency, None, rows) == pytest.approx(np.mean(shares))
    assert value(generated.temporal_consistency, None, [["joy"] * 3 for _ in rows]) == 1
    assert value(generated.temporal_consistency, None, [row[::-1] for row in rows]) == pytest.approx(np.mean(shares))


def test_clips_of_one_window_do_not_count_and_unjudged_ones_do() -> None:
    result = generated.temporal_consistency(predicted=[["joy", "joy"], ["joy"], None])
    assert result.value == 0.5 and result.n == 2 and result.coverage["clips"] == pytest.approx(2 / 3)
    assert result.unreadable == pytest.approx(1 / 3)
    with pytest.raises(Malformed, match="no clip has two windows"):
        generated.temporal_consistency(predicted=[["joy"]])
    with pytest.raises(Malformed, match="use mean_temporal_step"):
        generated.temporal_consistency(predicted=[[0.5, 0.6]])


@given(st.lists(st.lists(st.floats(-1, 1), min_size=2, max_size=6), min_size=1, max_size=8))
def test_mean_temporal_step_is_the_mean_absolute_difference(rows) -> None:
    expected = np.mean([np.mean(np.abs(np.diff(row))) for row in rows])
    assert value(generated.mean_temporal_step, None, rows) == pytest.approx(expected)
    assert value(generated.mean_temporal_step, None, [[0.3] * 4 for _ in rows]) == 0


def test_steps_need_numbers() -> None:
    result = generated.mean_temporal_step(predicted=[[1, 2, 4], [1.0], None])
    assert result.value == 1.5 and result.n == 1
    for window in ("joy", None, float("nan"), float("inf"), True):
        with pytest.raises(Malformed, match="clip 1 has the window"):
            generated.mean_temporal_step(predicted=[[1.0, window]])
    with pytest.raises(Malformed, match="no clip has two windows"):
        generated.mean_temporal_step(predicted=[[1.0]])

"""MER-UniBench beside its wheels (sentiment, the nine-set mean), MER2023's overall score and MER2024's set score."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, mean_squared_error

from affectllm.errors import Malformed
from affectllm.metrics.benchmarks.mer2024 import mer2024_ov, parse_groups
from affectllm.metrics.benchmarks.unibench import mer2023_overall, mer_unibench_sentiment
from affectllm.metrics.benchmarks.unibench_mean import mer_unibench_mean

ANSWERS = ["positive", "negative", "neutral", "Positive", "negative.", "happy", "", None]
valences = st.lists(
    st.tuples(st.sampled_from([-2.4, -0.2, 0.0, 0.6, 3.0]), st.sampled_from(ANSWERS)), min_size=1, max_size=30
).filter(lambda items: any(valence for valence, _ in items))


@given(valences)
@settings(max_examples=150)
def test_sentiment_compat_is_the_published_computation(items: list[Any]) -> None:
    gold, predicted = [valence for valence, _ in items], [answer for _, answer in items]
    signs = np.array([{"positive": 1, "negative": -1}.get(answer, 0) for answer in predicted])
    scored = np.flatnonzero(np.array(gold))
    truth, claims = np.array(gold)[scored] > 0, signs[scored] > 0
    statistic = mer_unibench_sentiment.statistic(gold, predicted, compat="affectgpt")
    assert statistic.value() == pytest.approx(f1_score(truth, claims, average="weighted", zero_division=0))
    assert statistic.details["accuracy"] == pytest.approx(accuracy_score(truth, claims))
    assert statistic.n == len(scored)


@given(valences)
@settings(max_examples=100)
def test_sentiment_strict_is_weighted_f1_with_a_third_answer_that_is_never_right(items: list[Any]) -> None:
    gold, predicted = [valence for valence, _ in items], [answer for _, answer in items]
    read = {"positive": "p", "Positive": "p", "negative": "n", "negative.": "n"}
    scored = [row for row, valence in enumerate(gold) if valence]
    truth = ["p" if gold[row] > 0 else "n" for row in scored]
    claims = [read.get(predicted[row], "-") for row in scored]
    statistic = mer_unibench_sentiment.statistic(gold, predicted)
    expected = f1_score(truth, claims, labels=["n", "p"], average="weighted", zero_division=0)
    assert statistic.value() == pytest.approx(expected)
    assert 0 <= statistic.value() <= 1
    assert mer_unibench_sentiment.statistic(gold[::-1], predicted[::-1]).value() == pytest.approx(statistic.value())
    perfect = ["positive" if valence > 0 else "negative" for valence in gold]
    assert mer_unibench_sentiment.statistic(gold, perfect).value() == 1


def test_sentiment_tells_what_it_left_out_and_its_controls() -> None:
    result = mer_unibench_sentiment([1.5, -1, 0, "2"], ["positive", "neutral", "happy", None])
    assert (result.n, result.coverage["zero_valence"]) == (3, 1)
    assert (result.coverage["neutral_answers"], result.coverage["foreign_answers"]) == (0.25, 0.5)
    assert result.controls["majority"] == pytest.approx(2 / 3 * 0.8) and result.controls["empty"] == 0


@pytest.mark.parametrize(
    ("gold", "message"), [(["x"], "no valence"), ([math.nan], "no valence"), ([0, 0.0], "other than 0")]
)
def test_sentiment_refuses_gold_without_a_sign(gold: list[Any], message: str) -> None:
    with pytest.raises(Malformed, match=message):
        mer_unibench_sentiment(gold, ["positive"] * len(gold))


def test_defect_d6_neutral_and_unreadable_answers_count_as_negative() -> None:
    gold = [1.0] * 5 + [-1.0] * 5
    for evasive in ("neutral", "Positive.", "no idea"):
        answers = ["positive"] * 5 + [evasive] * 5
        assert float(mer_unibench_sentiment(gold, answers, compat="affectgpt")) == 1
        assert float(mer_unibench_sentiment(gold, answers)) < 0.75
    # the same evasion costs on the other side: it is not symmetric
    answers = ["neutral"] * 5 + ["negative"] * 5
    assert float(mer_unibench_sentiment(gold, answers, compat="affectgpt")) == pytest.approx(1 / 3)
    assert float(mer_unibench_sentiment(gold, answers)) == pytest.approx(1 / 2)


# --- the mean over nine sets ------------------------------------------------------------------------------------------


def test_the_mean_of_nine_sets_is_their_mean() -> None:
    scores = [0.7854, 0.7880, 0.5565, 0.6054, 0.8130, 0.8090, 0.8849, 0.8618, 0.6252]
    result = mer_unibench_mean(scores, sets=list("abcdefghi"))
    assert result.value == pytest.approx(np.mean(scores)) and round(result.value, 4) == 0.7477
    assert result.n == 9 and result.low <= result.value <= result.high


TWO_SETS = {"sets": ["a", "a", "b", "b"], "checkpoints": [30, 35, 30, 35], "n_sets": 2}


def test_defect_d3_the_best_checkpoint_of_each_set_is_taken_on_test_data() -> None:
    scores = [0.5, 0.7, 0.8, 0.6]
    assert float(mer_unibench_mean(scores, compat="affectgpt", **TWO_SETS)) == pytest.approx(0.75)
    with pytest.raises(Malformed, match="nothing to choose by but the test data"):
        mer_unibench_mean(scores, **TWO_SETS)
    result = mer_unibench_mean(scores, validation=[0.9, 0.2, 0.9, 0.9], **TWO_SETS)
    assert result.value == pytest.approx(0.65)  # checkpoint 30, which is best on validation data
    assert result.details["best_on_test"] == pytest.approx(0.75)
    assert result.details["gain_of_choosing_on_test"] == pytest.approx(0.1)
    assert result.per_class == {"a": {"score": 0.5, "best_on_test": 0.7}, "b": {"score": 0.8, "best_on_test": 0.8}}


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=6, max_size=6), st.randoms())
@settings(max_examples=50)
def test_no_single_checkpoint_beats_choosing_on_test(scores: list[tuple[float, float]], random: Any) -> None:
    rows = [(set_, epoch, *scores[2 * epoch + set_]) for set_ in (0, 1) for epoch in (0, 1, 2)]
    random.shuffle(rows)
    sets, checkpoints, test, validation = map(list, zip(*rows, strict=True))
    options: dict[str, Any] = {"sets": sets, "checkpoints": checkpoints, "n_sets": 2}
    best = mer_unibench_mean.statistic(test, compat="affectgpt", **options).value()
    one = mer_unibench_mean.statistic(test, validation=validation, **options).value()
    assert one <= best + 1e-12
    means = {epoch: np.mean([row[2] for row in rows if row[1] == epoch]) for epoch in (0, 1, 2)}
    held_out = {epoch: np.mean([row[3] for row in rows if row[1] == epoch]) for epoch in (0, 1, 2)}
    assert any(means[e] == pytest.approx(one) and held_out[e] == pytest.approx(max(held_out.values())) for e in means)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "names of the sets are missing"),
        ({"sets": ["a", "b", "c", "d"]}, "4 sets instead of 9"),
        ({"sets": ["a", "a", "b", "b"], "n_sets": 2}, "set a has two scores"),
        ({**TWO_SETS, "checkpoints": [1, 2, 3, 4]}, "no checkpoint has a score on every set"),
        ({**TWO_SETS, "validation": [0.1, None, 0.2, 0.3]}, "checkpoint 35 lacks validation scores"),
        ({**TWO_SETS, "validation": [0.1, math.nan, 0.2, 0.3]}, "checkpoint 35 lacks validation scores"),
    ],
)
def test_the_mean_says_what_is_missing(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Malformed, match=message):
        mer_unibench_mean([0.5, 0.7, 0.8, 0.6], **options)


# --- MER2023 ----------------------------------------------------------------------------------------------------------

emotions = st.sampled_from(["happy", "sad", "angry"])


@given(st.lists(st.tuples(emotions, emotions, st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=20))
@settings(max_examples=80)
def test_overall_is_weighted_f1_less_a_quarter_of_the_squared_error(items: list[Any]) -> None:
    gold, predicted, truth, answers = map(list, zip(*items, strict=True))
    statistic = mer2023_overall.statistic(gold, predicted, valence=truth, predicted_valence=answers)
    f1 = f1_score(gold, predicted, average="weighted", zero_division=0)
    assert statistic.value() == pytest.approx(f1 - 0.25 * mean_squared_error(truth, answers))
    assert statistic.details["weighted_f1"] == pytest.approx(f1)
    assert mer2023_overall.statistic(gold, gold, valence=truth, predicted_valence=truth).value() == pytest.approx(1)


def test_an_unreadable_valence_is_the_farthest_end() -> None:
    result = mer2023_overall(
        ["a", "b", "b"], ["a", "b", None], valence=[-1, 3, 2], predicted_valence=[None, math.nan, 2]
    )
    assert result.details["mse"] == pytest.approx((16 + 16 + 0) / 3)
    assert result.coverage["unreadable_valence"] == pytest.approx(2 / 3)
    with pytest.raises(Malformed, match="valences are missing"):
        mer2023_overall(["a"], ["a"])
    with pytest.raises(Malformed, match="valence 1 is 'x', no number"):
        mer2023_overall(["a"], ["a"], valence=["x"], predicted_valence=[1])
    with pytest.raises(Malformed, match="predicted_valence 1 is inf, no number"):
        mer2023_overall(["a"], ["a"], valence=[1], predicted_valence=[math.inf])


# --- MER2024 ----------------------------------------------------------------------------------------------------------


def published_mer2024(gold: list[list[str]], predicted: list[list[str]], groups: list[list[list[str]]]) -> float:
    precision, recall = [], []
    for truth, answer, families in zip(gold, predicted, groups, strict=True):
        head = {label: family[0] for family in families for label in family}
        g, p = ({head.get(label.lower(), label.lower()) for label in side} for side in (truth, answer))
        precision.append(len(g & p) / len(p) if p else 0)
        recall.append(len(g & p) / len(g) if p else 0)
    return float(np.mean([np.mean(precision), np.mean(recall)]))


words = st.sampled_from(["glad", "merry", "Sad", "low", "odd"])
families = st.lists(st.lists(st.sampled_from(["glad", "merry", "sad", "low"]), min_size=1, max_size=3), max_size=3)


@given(st.lists(st.tuples(st.lists(words, min_size=1), st.lists(words), families), min_size=1, max_size=6))
@settings(max_examples=100)
def test_mer2024_is_the_published_computation(items: list[Any]) -> None:
    gold, predicted, groups = map(list, zip(*items, strict=True))
    expected = published_mer2024(gold, predicted, groups)
    for synonyms in (groups, [str(group) for group in groups]):
        for compat in (None, "mertools"):
            statistic = mer2024_ov.statistic(gold, [str(p) for p in predicted], synonyms=synonyms, compat=compat)
            assert statistic.value() == pytest.approx(expected)
    alone = mer2024_ov.statistic(gold, predicted).value()
    assert alone == pytest.approx(published_mer2024(gold, predicted, [[]] * len(gold))) and 0 <= alone <= 1
    assert mer2024_ov.statistic(gold, gold).value() == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("[['a', 'b'], ['c']]", [["a", "b"], ["c"]]),
        ('[["a"]]', [["a"]]),
        ("[[a, b]]", [["a, b"]]),  # without quotation marks the published reader sees one label
        ("['a','b']", [["a", "b"]]),
        ("", []),
        ("[]", []),
    ],
)
def test_groups_are_read_as_published(text: str, groups: list[list[str]]) -> None:
    assert parse_groups(text) == groups


def test_strict_groups_are_put_in_lower_case_and_split() -> None:
    gold, predicted, synonyms = ["merry", "sad"], ["Glad", "low"], ["[[Glad, merry]]", [["SAD", "Low "]]]
    assert float(mer2024_ov(gold, predicted, synonyms=synonyms)) == 1
    assert float(mer2024_ov(gold, predicted, synonyms=synonyms, compat="mertools")) == 0
    with pytest.raises(Malformed, match="no list of synonym groups"):
        mer2024_ov(gold, predicted, synonyms=[["a"], 3])


def test_items_without_gold_are_left_out_of_mer2024() -> None:
    result = mer2024_ov(["a", "", None], ["a", "b", "c"], synonyms=[None, math.nan, ""])
    assert (result.value, result.n, result.coverage["skipped_items"]) == (1, 1, 2)
    with pytest.raises(Malformed, match="no item has a gold label"):
        mer2024_ov([""], ["a"])

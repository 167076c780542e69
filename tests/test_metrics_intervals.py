"""Intervals: they hold the value, widen with clustering, cover the truth as often as promised, and are fast."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectllm.errors import Malformed, NotFound
from affectllm.metrics import METRICS, bootstrap, score

SPACE = ("anger", "joy", "sadness", "fear")
items = st.lists(
    st.tuples(st.sampled_from(SPACE), st.sampled_from((*SPACE, None)), st.sampled_from("abc")), min_size=1, max_size=25
)


def _answers(random: np.random.Generator, gold: np.ndarray, right: np.ndarray) -> list[str]:
    wrong = random.integers(0, len(SPACE), len(gold))
    return [SPACE[i] for i in np.where(right, gold, wrong)]


def _simulated(seed: int, speakers: int, each: int) -> tuple[list[str], list[str], list[int]]:
    """Speakers differ in how well they are understood: the model is right with probability 0.2 … 1."""
    random = np.random.default_rng(seed)
    gold = random.integers(0, len(SPACE), speakers * each)
    right = random.random(speakers * each) < np.repeat(random.uniform(0.2, 1, speakers), each)
    return [SPACE[i] for i in gold], _answers(random, gold, right), [n for n in range(speakers) for _ in range(each)]


@settings(max_examples=25, deadline=None)
@given(items)
def test_every_interval_holds_its_value(rows) -> None:
    gold, answers, speakers = map(list, zip(*rows, strict=True))
    sets, guesses = [[g] for g in gold], [None if a is None else [a] for a in answers]
    cases = {"choice": (gold, answers), "set": (sets, guesses), "reply": (gold, answers)}
    for form, (truth, given_answers) in cases.items():
        found = score(form, METRICS[form], truth, given_answers, labels=SPACE, clusters=speakers)
        for row in found.values():
            assert 0 <= row["low"] <= row["value"] + 1e-9 and row["value"] <= row["high"] + 1e-9 <= 1 + 1e-6
            assert row["n"] == len(gold)
            assert row["unreadable"] == pytest.approx(answers.count(None) / len(answers))


def test_the_same_answers_give_the_same_interval() -> None:
    gold, answers, speakers = _simulated(0, 10, 20)
    first = score("choice", ["uar"], gold, answers, labels=SPACE, clusters=speakers)
    assert first == score("choice", ["uar"], gold, answers, labels=SPACE, clusters=speakers)


def test_clusters_make_the_interval_wider() -> None:
    gold, answers, speakers = _simulated(1, 8, 60)
    items_only = score("choice", ["accuracy"], gold, answers, labels=SPACE)["accuracy"]
    clustered = score("choice", ["accuracy"], gold, answers, labels=SPACE, clusters=speakers)["accuracy"]
    assert clustered["high"] - clustered["low"] > 1.5 * (items_only["high"] - items_only["low"])


def test_clustered_intervals_cover_the_truth_and_item_intervals_do_not() -> None:
    # The expected accuracy over all speakers is 0.6 + 0.4/4; nominal coverage is 95 %.
    truth, covered = 0.6 + 0.4 / 4, {"clustered": 0, "items": 0}
    for seed in range(100):
        gold, answers, speakers = _simulated(seed, 20, 25)
        for name, clusters in (("clustered", speakers), ("items", None)):
            row = score("choice", ["accuracy"], gold, answers, labels=SPACE, clusters=clusters)["accuracy"]
            covered[name] += row["low"] <= truth <= row["high"]
    assert covered["clustered"] >= 85
    assert covered["items"] <= 80


def test_the_interval_of_a_mean_has_the_width_of_theory() -> None:
    # Mean of 400 independent answers of which half are right: ± 1.96 · sqrt(0.25 / 400).
    gold, answers = ["joy"] * 400, ["joy", None] * 200
    row = score("choice", ["accuracy"], gold, answers, labels=SPACE)["accuracy"]
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * (0.25 / 400) ** 0.5, rel=0.1)


def test_an_interval_that_misses_its_value_is_widened_to_it() -> None:
    sums = np.ones((5, 1))
    assert bootstrap.interval(sums, lambda drawn: drawn[:, 0] * 0, 0.5) == (0, 0.5)
    assert bootstrap.interval(sums, lambda drawn: drawn[:, 0] / 5, 0.5) == (0.5, 1)


def test_a_single_cluster_says_that_it_knows_nothing_more() -> None:
    row = score("choice", ["accuracy"], ["joy", "fear"], ["joy", None], labels=SPACE, clusters=["a", "a"])["accuracy"]
    assert row["low"] == row["high"] == row["value"] == 0.5


def test_distinct_has_an_interval_around_its_value() -> None:
    texts = [f"i see {word} again" for word in ("you", "rain", "rain", "snow", "you", "the sun")]
    row = score("reply", ["distinct_1"], texts, texts)["distinct_1"]
    assert row["low"] < row["value"] < row["high"]


def test_a_thousand_resamples_of_ten_thousand_items_take_under_two_seconds() -> None:
    gold, answers, _ = _simulated(2, 1_000, 10)
    score("choice", ["uar"], gold[:50], answers[:50], labels=SPACE)  # imports are not the subject
    started = time.perf_counter()
    score("choice", ["uar"], gold, answers, labels=SPACE)
    assert time.perf_counter() - started < 2


def test_unknown_metrics_and_mismatched_clusters_are_errors() -> None:
    with pytest.raises(NotFound, match=r"no metric called 'bleu'"):
        score("choice", ["bleu"], ["joy"], ["joy"], labels=SPACE)
    with pytest.raises(Malformed):
        score("choice", ["uar"], ["joy"], ["joy"], labels=SPACE, clusters=["a", "b"])

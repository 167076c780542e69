"""Intervals and comparisons: they hold the value, widen with clustering, cover the truth as often as promised."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectllm.errors import Malformed, NotFound
from affectllm.metrics import METRICS, accuracy, distinct_1, spearman, uar
from affectllm.metrics.core import bootstrap
from affectllm.metrics.core.comparison import compare

SPACE = ("anger", "joy", "sadness", "fear")
items = st.lists(
    st.tuples(st.sampled_from(SPACE), st.sampled_from((*SPACE, None)), st.sampled_from("abcdefgh")),
    min_size=1,
    max_size=40,
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


@settings(max_examples=25)
@given(items)
def test_every_interval_holds_its_value(rows) -> None:
    gold, answers, speakers = map(list, zip(*rows, strict=True))
    sets, guesses = [[g] for g in gold], [None if a is None else [a] for a in answers]
    cases = [(name, gold, answers) for name in ("accuracy", "uar", "macro_f1", "weighted_f1", "bleu", "rouge_l")]
    cases += [(name, sets, guesses) for name in ("micro_f1", "macro_f1", "jaccard")]
    for name, truth, given_answers in cases:
        result = METRICS[name](truth, given_answers, labels=SPACE, clusters=speakers, resamples=200, controls=False)
        if len(set(speakers)) < 5:
            assert result.low is None and result.high is None
            continue
        assert 0 <= result.low <= result.value + 1e-9 and result.value <= result.high + 1e-9 <= 1 + 1e-6
        assert result.n == len(gold)
        assert result.unreadable == pytest.approx(answers.count(None) / len(answers))


def test_the_same_answers_give_the_same_interval_in_any_order() -> None:
    gold, answers, speakers = _simulated(0, 10, 20)
    first = uar(gold, answers, labels=SPACE, clusters=speakers)
    assert first == uar(gold, answers, labels=SPACE, clusters=speakers)
    turned = uar(gold[::-1], answers[::-1], labels=SPACE, clusters=speakers[::-1])
    assert (turned.low, turned.high) == pytest.approx((first.low, first.high))


def test_clusters_make_the_interval_wider() -> None:
    gold, answers, speakers = _simulated(1, 8, 60)
    items_only = accuracy(gold, answers, labels=SPACE)
    clustered = accuracy(gold, answers, labels=SPACE, clusters=speakers)
    assert clustered.high - clustered.low > 1.5 * (items_only.high - items_only.low)


def test_clustered_intervals_cover_the_truth_and_item_intervals_do_not() -> None:
    # The expected accuracy over all speakers is 0.6 + 0.4/4; nominal coverage is 95 %.
    truth, covered = 0.6 + 0.4 / 4, {"clustered": 0, "items": 0}
    for seed in range(100):
        gold, answers, speakers = _simulated(seed, 20, 25)
        for name, clusters in (("clustered", speakers), ("items", None)):
            row = accuracy(gold, answers, labels=SPACE, clusters=clusters, controls=False)
            covered[name] += row.low <= truth <= row.high
    assert covered["clustered"] >= 85
    assert covered["items"] <= 80


def test_the_interval_of_a_mean_has_the_width_of_theory() -> None:
    # Mean of 400 independent answers of which half are right: ± 1.96 · sqrt(0.25 / 400).
    gold, answers = ["joy"] * 400, ["joy", None] * 200
    row = accuracy(gold, answers, labels=SPACE)
    assert row.high - row.low == pytest.approx(2 * 1.96 * (0.25 / 400) ** 0.5, rel=0.1)


def test_drawing_kinds_of_clusters_is_drawing_clusters() -> None:
    """Two kinds drawn by a multinomial, and the same items made all different, spread alike."""
    few = np.repeat([[1.0, 1.0], [0.0, 1.0]], 100, axis=0)
    many = few + np.arange(200)[:, None] * [[1e-9, 0]]

    def mean(sums: np.ndarray) -> np.ndarray:
        return np.asarray(sums[:, 0] / sums[:, 1])

    assert bootstrap.interval(few, mean, 0.5) == pytest.approx(bootstrap.interval(many, mean, 0.5), abs=0.02)


@settings(max_examples=50)
@given(st.integers(1, 60), st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_rows_of_zeros_and_ones_are_drawn_as_other_numbers_are(rows: int, columns: int, seed: int) -> None:
    table = (np.random.default_rng(seed).random((rows, columns)) < 0.3).astype(np.uint8)
    for one, other in zip(*(bootstrap.resampled(part, 40, 1) for part in (table, table.astype(float))), strict=True):
        assert np.array_equal(one, other)


def test_an_interval_that_misses_its_value_is_widened_to_it() -> None:
    sums = np.ones((5, 1))
    assert bootstrap.interval(sums, lambda drawn: drawn[:, 0] * 0, 0.5) == (0, 0.5)
    assert bootstrap.interval(sums, lambda drawn: drawn[:, 0] / 5, 0.5) == (0.5, 1)


@pytest.mark.parametrize("speakers", ["a", "ab", "abcd"])
def test_fewer_than_five_clusters_give_no_interval(speakers: str) -> None:
    clusters = list(speakers) * 8
    gold = ["joy"] * len(clusters)
    row = accuracy(gold, ["joy", None] * (len(clusters) // 2), labels=SPACE, clusters=clusters)
    assert row.low is None and row.high is None and row.value == 0.5
    assert f"no interval from {len(speakers)} clusters" in str(row)
    assert row.score()["low"] is None and row.score()["clusters"] == len(speakers)
    (compared,) = compare(accuracy, gold, {"a": gold, "b": ["fear"] * len(gold)}, clusters=clusters, labels=SPACE)
    assert compared.low is None and compared.difference == 1


@pytest.mark.parametrize("count", [5, 7, 10, 20])
def test_few_clusters_cover_the_truth_as_promised(count: int) -> None:
    truth, covered, tries = 0.6 + 0.4 / 4, 0, 300
    for seed in range(tries):
        gold, answers, speakers = _simulated(seed, count, 25)
        row = accuracy(gold, answers, labels=SPACE, clusters=speakers, controls=False)
        assert row.settings["interval"] == "jackknife"
        covered += row.low <= truth <= row.high
    assert covered >= 0.92 * tries  # 0.95 less two standard errors


def test_the_interval_from_few_clusters_is_that_of_students_t() -> None:
    # Five speakers of equal size, accuracies .2 .4 .5 .6 .8: on the logit scale, sides by t with 4 degrees of freedom.
    right = (2, 4, 5, 6, 8)
    answers = [answer for hits in right for answer in ["joy"] * hits + [None] * (10 - hits)]
    speakers = [number for number in range(5) for _ in range(10)]
    row = accuracy(["joy"] * 50, answers, labels=SPACE, clusters=speakers)
    logits = [math.log(p / (1 - p)) for p in ((25 - hits) / 40 for hits in right)]
    reach = 2.7764451 * math.sqrt(sum(value**2 for value in logits))
    assert row.low == pytest.approx(1 / (1 + math.exp(reach)))
    assert row.high == pytest.approx(1 / (1 + math.exp(-reach)))


def test_one_large_cluster_among_small_ones_counts_for_little() -> None:
    def width(sizes: tuple[int, ...]) -> float:
        speakers = [number for number, size in enumerate(sizes) for _ in range(size)]
        gold = ["joy"] * len(speakers)
        answers = ["joy" if item % 10 < 5 + who % 3 else None for item, who in enumerate(speakers)]
        row = accuracy(gold, answers, labels=SPACE, clusters=speakers)
        return row.high - row.low

    assert width((20, 20, 20, 20, 20, 400)) > 2 * width((80, 80, 80, 80, 80, 80))


def test_a_metric_without_sums_is_resampled_by_cluster_too() -> None:
    random = np.random.default_rng(0)
    gold = random.normal(size=120)
    answers = gold + random.normal(size=120)
    alone = spearman(list(gold), list(answers))
    together = spearman(list(gold), list(answers), clusters=[row // 30 for row in range(120)])
    assert alone.low < alone.value < alone.high and alone.settings["clusters"] == 120
    assert together.settings["clusters"] == 4 and (together.low, together.high) != (alone.low, alone.high)


def test_distinct_has_an_interval_around_its_value() -> None:
    texts = [f"i see {word} again" for word in ("you", "rain", "rain", "snow", "you", "the sun")]
    row = distinct_1(predicted=texts)
    assert row.low < row.value < row.high


def test_mismatched_clusters_are_an_error() -> None:
    with pytest.raises(Malformed, match="2 clusters for 1 items"):
        uar(["joy"], ["joy"], labels=SPACE, clusters=["a", "b"])


# ── comparisons ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _systems(seed: int, better: float, size: int = 300) -> tuple[list[str], dict[str, list[str]]]:
    random = np.random.default_rng(seed)
    gold = random.integers(0, len(SPACE), size)
    share = {"base": 0.5, "new": 0.5 + better}
    return [SPACE[i] for i in gold], {n: _answers(random, gold, random.random(size) < p) for n, p in share.items()}


def test_a_better_system_is_told_from_chance() -> None:
    gold, systems = _systems(0, 0.2)
    (comparison,) = compare(accuracy, gold, systems, labels=SPACE)
    values = {name: accuracy(gold, answers).value for name, answers in systems.items()}
    assert comparison.difference == pytest.approx(values["base"] - values["new"])
    assert comparison.low < comparison.difference < comparison.high < 0 and comparison.p < 0.01


def test_equal_systems_are_called_different_as_rarely_as_promised() -> None:
    called = 0
    for seed in range(100):
        gold, systems = _systems(seed, 0.0, 120)
        called += compare(accuracy, gold, systems, rounds=500)[0].p < 0.05
    assert called <= 12  # 5 are expected; more than 12 happen once in 700 times


def test_a_pair_is_far_sharper_than_two_intervals() -> None:
    """Systems that agree nearly everywhere differ clearly, though their intervals overlap."""
    gold, systems = _systems(3, 0.0, 600)
    fixed = [g if row < 30 else a for row, (g, a) in enumerate(zip(gold, systems["base"], strict=True))]
    (comparison,) = compare(accuracy, gold, {"base": systems["base"], "fixed": fixed}, labels=SPACE)
    first, second = accuracy(gold, systems["base"]), accuracy(gold, fixed)
    assert first.high > second.low and comparison.high < 0 and comparison.p < 0.01


def test_identical_answers_do_not_differ() -> None:
    gold, systems = _systems(0, 0.1)
    (comparison,) = compare(uar, gold, {"a": systems["new"], "b": list(systems["new"])}, labels=SPACE)
    assert (comparison.difference, comparison.low, comparison.high, comparison.p) == (0, 0, 0, 1)


def test_a_metric_without_sums_is_compared_too() -> None:
    random = np.random.default_rng(1)
    gold = list(random.normal(size=80))
    near, far = ([g + random.normal() * noise for g in gold] for noise in (0.3, 3.0))
    (comparison,) = compare(spearman, gold, {"near": near, "far": far}, rounds=200)
    assert comparison.difference > 0.3 and comparison.low > 0 and comparison.p < 0.02


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_corrections_only_make_claims_weaker(values) -> None:
    from affectllm.metrics.core.comparison import _corrected

    holm, fdr = _corrected(values, "holm"), _corrected(values, "benjamini_hochberg")
    for raw, strict, loose in zip(values, holm, fdr, strict=True):
        assert raw <= loose + 1e-12 and loose <= strict + 1e-12 and strict <= 1
    order = np.argsort(values)
    assert list(np.array(holm)[order]) == sorted(holm)


def test_holm_by_hand() -> None:
    """Holm 1979: the smallest of three times 3, the next times 2, never less than the one before."""
    from affectllm.metrics.core.comparison import _corrected

    assert _corrected([0.01, 0.04, 0.03], "holm") == pytest.approx([0.03, 0.06, 0.06])


def test_comparing_needs_two_systems_and_the_same_items() -> None:
    with pytest.raises(Malformed, match="one system"):
        compare(accuracy, ["joy"], {"a": ["joy"]})
    with pytest.raises(Malformed, match="b has not one answer"):
        compare(accuracy, ["joy"], {"a": ["joy"], "b": []})


def test_unknown_options_and_modes_are_errors_that_name_the_known_ones() -> None:
    with pytest.raises(NotFound, match=r"no compat mode 'nobody'(.|\n)*emoclip"):
        uar(["joy"], ["joy"], compat="nobody")
    with pytest.raises(NotFound, match="no option 'tone'"):
        uar(["joy"], ["joy"], tone="warm")


# ── unreadable answers ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unreadable_number_is_as_far_from_gold_as_the_scale_allows() -> None:
    mae = METRICS["mae"]
    assert mae([1.0, 5.0, 2.0], [1.0, None, None]).value == pytest.approx((0 + 4 + 3) / 3)
    assert mae([1.0, 5.0, 2.0], [1.0, None, None], bounds=(0, 9)).value == pytest.approx((0 + 5 + 7) / 3)


def test_an_unreadable_distribution_is_never_right_even_where_gold_names_one_label() -> None:
    gold = [{"joy": 1.0}, {"fear": 1.0}]
    assert METRICS["distribution_accuracy"](gold, [None, {"fear": 1.0}]).value == 0.5


def test_unreadable_answers_may_be_dropped_or_replaced_and_the_result_says_so() -> None:
    gold, answers = ["joy", "fear", "joy"], ["joy", None, None]
    wrong, dropped = accuracy(gold, answers), accuracy(gold, answers, invalid="drop")
    replaced = accuracy(gold, answers, invalid="default:fear")
    assert [r.value for r in (wrong, dropped, replaced)] == pytest.approx([1 / 3, 1, 2 / 3])
    assert [r.n for r in (wrong, dropped, replaced)] == [3, 1, 3]
    assert {r.unreadable for r in (wrong, dropped, replaced)} == {2 / 3}
    assert dropped.settings["invalid"] == "drop"
    with pytest.raises(Malformed, match="nothing is left"):
        accuracy(gold, [None] * 3, invalid="drop")
    with pytest.raises(Malformed, match="no policy 'guess'"):
        accuracy(gold, answers, invalid="guess")
    with pytest.raises(Malformed, match="policy of its own"):
        uar(gold, answers, invalid="drop", compat="emoclip")


def test_raw_answers_follow_the_same_policies() -> None:
    sentiment, gold, answers = METRICS["mer_unibench_sentiment"], [1.0, -1.0, 2.0], ["positive", None, "positive"]
    assert sentiment(gold, answers, invalid="drop").n == 2
    assert sentiment(gold, answers, invalid="default:negative").value == 1 > sentiment(gold, answers).value


def test_arrays_are_as_good_as_lists() -> None:
    assert accuracy(np.array(["joy", "fear"]), np.array(["joy", "joy"])).value == 0.5
    assert spearman(np.arange(5.0), np.arange(5.0)).value == pytest.approx(1)


def test_a_difference_is_never_further_from_zero_than_two_values_can_be() -> None:
    gold = ["anger", "joy"] * 15
    wrong = ["joy", "anger"] * 15
    few = [*gold[:24], *wrong[24:]]  # right for four of five
    speakers = [str(number // 6) for number in range(30)]
    (compared,) = compare(accuracy, gold, {"a": few, "b": wrong}, clusters=speakers, labels=SPACE)
    assert compared.difference == pytest.approx(0.8) and compared.high == 1.0
    assert compared.low is not None and 0 < compared.low < 0.5

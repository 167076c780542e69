"""One label an item: values by hand, scikit-learn as oracle, properties, edges, speed."""

from __future__ import annotations

import random
import time
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from affectllm.errors import Malformed
from affectllm.metrics import METRICS, accuracy_per_group, macro_f1_per_group, uar, uar_per_group
from affectllm.metrics.labels import chance_corrected, classes

GOLD = ["anger", "anger", "anger", "anger", "joy", "joy"]
ANSWERS = ["anger", "anger", "joy", None, "joy", "fear"]
SPACE = ("anger", "joy", "fear")
NONE = "∅"  # how the oracle is told of an unreadable answer
MEANS = [
    classes.accuracy,
    classes.uar,
    classes.balanced_accuracy,
    classes.macro_f1,
    classes.micro_f1,
    classes.weighted_f1,
    classes.weighted_precision,
    classes.weighted_recall,
    classes.macro_precision,
    classes.macro_recall,
]
BEYOND_CHANCE = [chance_corrected.cohen_kappa, chance_corrected.mcc]
pairs = st.lists(st.tuples(st.sampled_from(SPACE), st.sampled_from((*SPACE, "calm", None))), min_size=1, max_size=40)
two_classes = pairs.filter(lambda items: len({gold for gold, _ in items}) > 1)


def value(metric, gold, answers, **options) -> float:
    return metric.statistic(gold, answers, **options).value()


def sides(items) -> tuple[list, list, list]:
    """Gold, answers, and answers as scikit-learn takes them."""
    gold, answers = map(list, zip(*items, strict=True))
    return gold, answers, [NONE if answer is None else answer for answer in answers]


def recall(gold, predicted, **options) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(sk.recall_score(gold, predicted, average="macro", zero_division=0, **options))


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_values_worked_out_by_hand() -> None:
    # anger: 2 of 4 found, 2 claimed → recall 1/2, precision 1, F1 2/3; joy: 1 of 2 found, 2 claimed → F1 1/2.
    hand = {
        classes.accuracy: 3 / 6,
        classes.uar: (1 / 2 + 1 / 2) / 2,
        classes.macro_f1: (2 / 3 + 1 / 2) / 2,
        classes.weighted_f1: 4 / 6 * 2 / 3 + 2 / 6 * 1 / 2,
        classes.weighted_precision: 4 / 6 * 1 + 2 / 6 * 1 / 2,
        classes.macro_precision: (1 + 1 / 2) / 2,
        classes.micro_f1: 2 * 3 / (2 * 3 + 2 + 3),
    }
    for metric, expected in hand.items():
        assert value(metric, GOLD, ANSWERS) == pytest.approx(expected), metric


@given(pairs)
def test_scikit_learn_says_the_same(items) -> None:
    gold, answers, filled = sides(items)
    present = sorted(set(gold))
    f1 = {"labels": present, "zero_division": 0}
    assert value(classes.accuracy, gold, answers) == pytest.approx(sk.accuracy_score(gold, filled))
    assert value(classes.uar, gold, answers) == pytest.approx(recall(gold, filled, labels=present))
    assert value(classes.macro_f1, gold, answers) == pytest.approx(sk.f1_score(gold, filled, average="macro", **f1))
    assert value(classes.weighted_f1, gold, answers) == pytest.approx(
        sk.f1_score(gold, filled, average="weighted", **f1)
    )
    everything = sorted({*gold, *filled} - {NONE})
    micro = sk.f1_score(gold, filled, labels=everything, average="micro", zero_division=0)
    assert value(classes.micro_f1, gold, answers) == pytest.approx(micro)
    for metric, average in ((classes.macro_precision, "macro"), (classes.weighted_precision, "weighted")):
        assert value(metric, gold, answers) == pytest.approx(sk.precision_score(gold, filled, average=average, **f1))
    assert value(classes.weighted_recall, gold, answers) == value(classes.accuracy, gold, answers)
    assert value(classes.macro_recall, gold, answers) == value(classes.uar, gold, answers)


@given(two_classes)
def test_scikit_learn_says_the_same_beyond_chance(items) -> None:
    gold, answers, filled = sides(items)
    kappa, mcc = chance_corrected.cohen_kappa, chance_corrected.mcc
    assert value(kappa, gold, answers) == pytest.approx(sk.cohen_kappa_score(gold, filled), abs=1e-12)
    assert value(mcc, gold, answers) == pytest.approx(sk.matthews_corrcoef(gold, filled), abs=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adjusted = sk.balanced_accuracy_score(gold, filled, adjusted=True)
    assert value(classes.balanced_accuracy, gold, answers, adjusted=True) == pytest.approx(adjusted)


@given(two_classes, st.sampled_from(["linear", "quadratic"]))
def test_weighted_kappa_of_readable_answers_is_that_of_scikit_learn(items, weights) -> None:
    space = ("anger", "calm", "fear", "joy")
    readable = [(gold, answer or "anger") for gold, answer in items]
    gold, answers, _ = sides(readable)
    expected = sk.cohen_kappa_score(gold, answers, labels=list(space), weights=weights)
    kappa = value(chance_corrected.cohen_kappa, gold, answers, labels=space, weights=weights)
    assert kappa == pytest.approx(expected, abs=1e-12)


def test_weighted_kappa_takes_an_unreadable_answer_as_far_away() -> None:
    gold, space = ["low", "mid", "high", "low"], ("low", "mid", "high")
    near, far = ["mid", "mid", "high", "low"], ["high", "mid", "high", "low"]
    kappas = [
        value(chance_corrected.cohen_kappa, gold, answers, labels=space, weights="quadratic")
        for answers in (near, far, [None, *far[1:]])
    ]
    assert kappas[0] > kappas[1] and kappas[0] > kappas[2]


def test_weighted_kappa_has_an_interval_around_it() -> None:
    gold, answers = ["low", "mid", "high", "low"] * 10, ["mid", "mid", "high", "low"] * 9 + [None] * 4
    kappa = chance_corrected.cohen_kappa(gold, answers, labels=("low", "mid", "high"), weights="quadratic")
    assert kappa.low < kappa.value < kappa.high < kappa.low + 0.6


@given(pairs, st.integers(1, 3))
def test_top_k_is_that_of_scikit_learn(items, k) -> None:
    gold, _, _ = sides(items)
    names = [*SPACE, "calm"]
    random = np.random.default_rng(len(items))
    scores = np.array([random.permutation(4) for _ in gold])
    ranked = [tuple(names[column] for column in np.argsort(-row)) for row in scores]
    expected = sk.top_k_accuracy_score([names.index(label) for label in gold], scores, k=k, labels=range(4))
    assert value(chance_corrected.top_k_accuracy, gold, ranked, k=k) == pytest.approx(expected)


def test_top_k_of_short_rankings_and_unreadable_answers() -> None:
    gold, ranked = ["joy", "joy", "fear"], [("joy",), None, ("anger", "fear")]
    assert value(chance_corrected.top_k_accuracy, gold, ranked, k=1) == pytest.approx(1 / 3)
    assert value(chance_corrected.top_k_accuracy, gold, ranked, k=9) == pytest.approx(2 / 3)
    with pytest.raises(Malformed, match="k is 0"):
        chance_corrected.top_k_accuracy(gold, ranked, k=0)


# ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────────


@given(pairs)
def test_bounds_order_and_perfection(items) -> None:
    gold, answers, _ = sides(items)
    for metric in MEANS:
        score = value(metric, gold, answers)
        assert 0 <= score <= 1
        assert score == pytest.approx(value(metric, gold[::-1], answers[::-1]))
        assert value(metric, gold, gold) == 1
        assert value(metric, gold, [None] * len(gold)) == 0


def test_unreadable_answers_outnumber_the_readable_ones() -> None:
    gold, answers = ["anger", "anger", "anger", "joy", "joy", "joy"], ["anger", None, None, None, None, "joy"]
    filled = [NONE if answer is None else answer for answer in answers]
    assert value(chance_corrected.mcc, gold, answers) == pytest.approx(sk.matthews_corrcoef(gold, filled), abs=1e-12)


@given(two_classes)
def test_beyond_chance_constants_are_zero_and_perfection_is_one(items) -> None:
    gold, answers, _ = sides(items)
    for metric in BEYOND_CHANCE:
        assert -1 <= value(metric, gold, answers) <= 1
        assert value(metric, gold, gold) == pytest.approx(1)
        assert value(metric, gold, [gold[0]] * len(gold)) == pytest.approx(0, abs=1e-12)
        assert value(metric, gold, [None] * len(gold)) == pytest.approx(0, abs=1e-12)
    assert chance_corrected.mcc(gold, [None] * len(gold), controls=False).details["constant"] == 1


@given(pairs, st.permutations(SPACE))
def test_names_do_not_matter(items, names) -> None:
    renamed = {**dict(zip(SPACE, names, strict=True)), None: None, "calm": "calm"}
    gold, answers, _ = sides(items)
    for metric in MEANS:
        other = value(metric, [renamed[g] for g in gold], [renamed[a] for a in answers])
        assert value(metric, gold, answers) == pytest.approx(other)


def test_controls_are_what_they_should_be() -> None:
    gold = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    controls = classes.uar(gold, gold).controls
    assert controls["majority"] == pytest.approx(1 / 3) and controls["empty"] == 0
    assert classes.accuracy(gold, gold).controls["majority"] == pytest.approx(0.6)
    assert classes.balanced_accuracy(gold, gold, adjusted=True).controls["majority"] == pytest.approx(0)
    assert abs(chance_corrected.cohen_kappa(gold, gold).controls["shuffled"]) < 0.2


# ── edges ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_labels_that_gold_does_not_have_neither_help_nor_hurt() -> None:
    wide, narrow = ("a", "b", "c", "d"), ("a", "b")
    for metric in (classes.macro_f1, classes.uar, classes.weighted_f1, classes.macro_precision):
        given_labels = [value(metric, ["a", "b", "b"], ["a", "b", "a"], labels=space) for space in (wide, narrow, ())]
        assert len(set(given_labels)) == 1
    result = classes.uar(["a", "b"], ["a", "c"], labels=wide)
    assert result.coverage == {"labels": 4, "labels_in_gold": 2}


def test_a_result_says_what_each_class_scored() -> None:
    result = classes.accuracy(GOLD, ANSWERS, labels=SPACE)
    assert result.per_class["anger"] == pytest.approx({"precision": 1, "recall": 0.5, "f1": 2 / 3, "support": 4})
    assert result.per_class["fear"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    assert result.details["war"] == result.value == 0.5
    assert result.unreadable == pytest.approx(1 / 6) and result.n == 6


def test_macro_and_accuracy_differ_on_unbalanced_classes() -> None:
    gold, answers = ["a"] * 9 + ["b"], ["a"] * 10
    assert value(classes.accuracy, gold, answers) == 0.9
    assert value(classes.uar, gold, answers) == 0.5


def test_one_class_has_a_recall_but_no_agreement_beyond_chance() -> None:
    assert value(classes.uar, ["a", "a"], ["a", "b"]) == 0.5
    for metric in BEYOND_CHANCE:
        with pytest.raises(Malformed, match="one class only"):
            metric(["a", "a"], ["a", "b"])
    with pytest.raises(Malformed, match="one class only"):
        classes.balanced_accuracy(["a", "a"], ["a", "b"], adjusted=True)


def test_bad_labels_options_and_lengths_are_errors() -> None:
    with pytest.raises(Malformed, match="surprise"):
        classes.uar(["anger"], ["surprise"], labels=SPACE)
    with pytest.raises(Malformed, match="surprise"):
        classes.confusion(["anger"], ["surprise"], SPACE)
    with pytest.raises(Malformed, match="order of the labels"):
        chance_corrected.cohen_kappa(["a", "b"], ["a", "b"], weights="linear")
    with pytest.raises(Malformed, match="weights is 'cubic'"):
        chance_corrected.cohen_kappa(["a", "b"], ["a", "b"], weights="cubic")
    with pytest.raises(Malformed, match="2 gold values but 1"):
        classes.confusion(["a", "b"], ["a"], ("a", "b"))


def test_answers_of_a_million_characters_control_characters_and_every_label() -> None:
    gold = ["joy", "joy", "anger", "anger"]
    answers = ["x" * 1_000_000, "jo\x00y", "anger, joy, fear", "anger"]
    result = classes.uar(gold, answers, controls=False)
    assert result.value == pytest.approx(0.25)


def test_confusion_has_a_last_column_for_unreadable() -> None:
    assert classes.confusion(GOLD, ANSWERS, SPACE) == [[2, 1, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_per_class_names_every_label_of_the_space() -> None:
    rows = classes.per_class(GOLD, ANSWERS, SPACE)
    assert list(rows) == list(SPACE)
    assert rows["joy"] == pytest.approx({"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2})


# ── speed ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_thousand_clustered_resamples_of_100_000_items_take_under_five_seconds() -> None:
    random = np.random.default_rng(0)
    names = np.array(["anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"])
    gold = names[random.integers(0, 7, 100_000)].tolist()
    answers = np.where(random.random(100_000) < 0.6, gold, names[random.integers(0, 7, 100_000)]).tolist()
    started = time.process_time()
    result = classes.uar(gold, answers, clusters=[row // 50 for row in range(100_000)], controls=False)
    assert time.process_time() - started < 5
    assert result.settings["resamples"] == 1000 and result.low < result.value < result.high


CLASSES = ("anger", "joy", "sadness")
IN_GROUPS = {
    uar_per_group: lambda truth, answers: sk.recall_score(truth, answers, average="macro", labels=sorted(set(truth))),
    accuracy_per_group: sk.accuracy_score,
    macro_f1_per_group: lambda truth, answers: sk.f1_score(truth, answers, average="macro", labels=sorted(set(truth))),
}


@pytest.mark.parametrize("metric", IN_GROUPS, ids=lambda metric: metric.name)
def test_they_are_the_mean_of_scikit_learns_values(metric) -> None:
    draw = random.Random(3)
    groups = [draw.choice("abc") for _ in range(60)]
    gold, answers = ([draw.choice(CLASSES[: 2 + (group != "a")]) for group in groups] for _ in range(2))
    parts = [[row for row, own in enumerate(groups) if own == group] for group in "abc"]
    values = [IN_GROUPS[metric]([gold[row] for row in part], [answers[row] for row in part]) for part in parts]
    result = metric(gold, answers, labels=CLASSES, groups=groups)
    assert result.value == pytest.approx(sum(values) / 3)
    assert {name: row["value"] for name, row in result.per_class.items()} == pytest.approx(
        dict(zip("abc", values, strict=True))
    )
    assert result.low < result.value < result.high


def test_small_folds_weigh_as_much_as_large_ones() -> None:
    gold, answers = ["anger"] * 10, ["anger"] * 8 + ["joy"] * 2
    folds = ["1"] * 8 + ["2"] * 2
    assert uar_per_group(gold, answers, labels=CLASSES, groups=folds).value == 0.5
    assert uar_per_group(gold, answers, labels=CLASSES).value == uar(gold, answers, labels=CLASSES).value == 0.8
    assert uar_per_group(gold, [None] * 10, labels=CLASSES, groups=folds).value == 0


def test_shares_lie_between_nothing_and_all() -> None:
    """The range ends intervals, and says what a chart shows."""
    ends = ("f1", "accuracy", "recall", "precision", "uar", "jaccard")
    shares = {name: metric.range for name, metric in METRICS.items() if name.endswith(ends)}
    assert shares.pop("balanced_accuracy") == (-1.0, 1.0)  # which may be adjusted for chance
    assert len(shares) > 10 and set(shares.values()) == {(0.0, 1.0)}


@pytest.mark.parametrize("name", ["cohen_kappa", "quadratic_kappa", "mcc"])
def test_agreement_beyond_chance_lies_between_minus_one_and_one(name: str) -> None:
    assert METRICS[name].range == (-1.0, 1.0)

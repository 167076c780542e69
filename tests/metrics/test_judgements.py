"""Judgements: statements, preferences and their steadiness, emotional alignment, EmoBench."""

from __future__ import annotations

import json
import os
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from sklearn.metrics import accuracy_score, f1_score

from affectllm.errors import Malformed
from affectllm.metrics.benchmarks.emobench import emobench_ea, emobench_eu
from affectllm.metrics.labels.preference import (
    preference_three_class,
    preference_two_class,
    run_consistency,
    swap_consistency,
)
from affectllm.metrics.labels.statements import statement_judgement
from affectllm.metrics.texts.alignment import emotional_alignment, sevlm_emotion_accuracy

# --- statements -------------------------------------------------------------------------------------------------------


def test_statements_by_dimension() -> None:
    gold = ["correct", "incorrect", "Correct.", "incorrect"]
    result = statement_judgement(
        gold, ["Correct", "correct", None, "incorrect"], dimensions=["polarity", "polarity", "scene", "scene"]
    )
    assert result.value == 0.5 and result.unreadable == 0.25
    assert result.per_class == {"polarity": {"accuracy": 0.5, "n": 2}, "scene": {"accuracy": 0.5, "n": 2}}
    assert result.details == {"positive_ratio": 0.5, "give_up_ratio": 0.25}
    assert result.controls["majority"] == 0.5 and result.controls["empty"] == 0


judgements = st.lists(
    st.tuples(st.sampled_from(["correct", "incorrect"]), st.sampled_from(["correct", "incorrect", "unsure", None])),
    min_size=1,
)


@given(judgements)
@settings(max_examples=60)
def test_statements_are_accuracy(items: list[Any]) -> None:
    gold, predicted = [truth for truth, _ in items], [answer for _, answer in items]
    statistic = statement_judgement.statistic(gold, predicted)
    assert statistic.value() == pytest.approx(accuracy_score(gold, [answer or "none" for answer in predicted]))
    assert statistic.details["give_up_ratio"] == pytest.approx(
        1 - sum("correct" in (a or "") for a in predicted) / len(gold)
    )
    assert statement_judgement.statistic(gold, gold).value() == 1


def test_statements_need_two_words() -> None:
    with pytest.raises(Malformed, match="gold value 2 is 'true', neither correct nor incorrect"):
        statement_judgement(["correct", "true"], ["correct", "correct"])


# --- preferences ------------------------------------------------------------------------------------------------------

CHOICES = ["a1", "a2", "same"]
REPLIES = ["a1", "a2", "same", "A1.", "Both are the same as a2", "I prefer a2 to a1", "neither", "a12", None]


def published_choice(reply: str | None) -> str:
    text = (reply or "").lower()
    places = [(text.index(choice), choice) for choice in CHOICES if choice in text]
    return min(places)[1] if places else "same"


preferences = st.lists(st.tuples(st.sampled_from(CHOICES), st.sampled_from(REPLIES)), min_size=1, max_size=20)


@given(preferences)
@settings(max_examples=120)
def test_preference_compat_is_the_published_computation(items: list[Any]) -> None:
    gold, predicted = [truth for truth, _ in items], [answer for _, answer in items]
    read = [published_choice(answer) for answer in predicted]
    three = preference_three_class.statistic(gold, predicted, compat="emoprefer")
    assert three.value() == pytest.approx(f1_score(gold, read, average="weighted", zero_division=0))
    assert three.details["accuracy"] == pytest.approx(accuracy_score(gold, read))
    decided = [(g, "a1" if r == "same" else r) for g, r in zip(gold, read, strict=True) if g != "same"]
    if not decided:
        with pytest.raises(Malformed, match="prefer neither"):
            preference_two_class.statistic(gold, predicted, compat="emoprefer")
        return
    truth, claims = map(list, zip(*decided, strict=True))
    two = preference_two_class.statistic(gold, predicted, compat="emoprefer")
    assert two.value() == pytest.approx(f1_score(truth, claims, average="weighted", zero_division=0))
    assert two.details["accuracy"] == pytest.approx(accuracy_score(truth, claims)) and two.n == len(decided)


@given(preferences)
@settings(max_examples=80)
def test_preference_strict_gives_nothing_for_evasion(items: list[Any]) -> None:
    gold, predicted = [truth for truth, _ in items], [answer for _, answer in items]
    plain = {"A1.": "a1", **{choice: choice for choice in CHOICES}}
    read = [plain.get(answer, "-") for answer in predicted]
    three = preference_three_class.statistic(gold, predicted)
    expected = f1_score(gold, read, labels=CHOICES, average="weighted", zero_division=0)
    assert three.value() == pytest.approx(expected) and 0 <= three.value() <= 1
    assert preference_three_class.statistic(gold, gold).value() == 1
    if set(gold) != {"same"}:
        decided = [row for row, label in enumerate(gold) if label != "same"]
        truth, claims = [gold[row] for row in decided], [read[row] for row in decided]
        expected = f1_score(truth, claims, labels=["a1", "a2"], average="weighted", zero_division=0)
        assert preference_two_class.statistic(gold, predicted).value() == pytest.approx(expected)


def test_preference_of_two_classes_tells_how_often_people_and_the_model_prefer_neither() -> None:
    result = preference_two_class(["a1", "same", "a2", "a2"], ["same", "same", "same", None])
    assert result.n == 3 and result.coverage == pytest.approx({"same_in_gold": 1 / 4, "same_answered": 3 / 4})


def test_same_is_a1_only_in_compat() -> None:
    gold, predicted = ["a1"] * 4, ["same", "no idea", None, "a1"]
    assert float(preference_two_class(gold, predicted, compat="emoprefer")) == 1
    assert float(preference_two_class(gold, predicted)) == pytest.approx(0.4)  # recall 1/4, precision 1
    late = "x" * 12_000 + "a2"  # beyond the place where the published reader puts a word that is not there
    assert float(preference_three_class(["a1"], [late], compat="emoprefer")) == 1
    with pytest.raises(Malformed, match="gold value 1 is 'b', not a1, a2 or same"):
        preference_three_class(["b"], ["a1"])


def test_swap_consistency() -> None:
    forward, swapped = ["a1", "a2", "same", "a1", None, "a2"], ["a2", "a1", "same", "a1", "a1", "what"]
    result = swap_consistency(forward, swapped)
    assert result.value == 0.5
    assert result.coverage == {"unread_forward": pytest.approx(1 / 6), "unread_swapped": pytest.approx(1 / 6)}
    runs = swap_consistency(forward, swapped, runs=[1, 1, 1, 2, 2, 2])
    assert runs.value == 0.5 and runs.details["std_over_runs"] == 0.5  # 1 and 0
    assert float(swap_consistency(["a1"] * 3, ["a1"] * 3)) == 0 and float(swap_consistency(["same"], ["same"])) == 1


@given(
    st.integers(2, 4).flatmap(lambda runs: st.lists(st.tuples(*[st.sampled_from([*CHOICES, None])] * runs), min_size=1))
)
@settings(max_examples=80)
def test_run_consistency_is_the_mean_over_pairs(items: list[Any]) -> None:
    runs = list(zip(*items, strict=True))
    shares = [np.mean([x == y and x is not None for x, y in zip(a, b, strict=True)]) for a, b in combinations(runs, 2)]
    statistic = run_consistency.statistic(predicted=items)
    assert statistic.value() == pytest.approx(np.mean(shares)) and 0 <= statistic.value() <= 1
    assert statistic.details["std_over_pairs"] == pytest.approx(np.std(shares))


def test_run_consistency_has_the_interval_of_its_items() -> None:
    """Two runs agree on half of 40 items: 0.5 ± 1.96 · 0.5 / √40."""
    result = run_consistency(predicted=[["a1", "a1"], ["a1", "a2"]] * 20)
    assert (result.value, result.low, result.high) == pytest.approx((0.5, 0.345, 0.655), abs=0.03)


def test_run_consistency_needs_the_same_runs() -> None:
    assert float(run_consistency(predicted=[["a1", "a1"], ["a2", "a2"]])) == 1
    for runs in ([["a1"]], [["a1", "a2"], ["a1"]], [["a1", "a2"], None]):
        with pytest.raises(Malformed, match="same two or more runs"):
            run_consistency(predicted=runs)


# --- alignment --------------------------------------------------------------------------------------------------------


def test_alignment_by_hand() -> None:
    gold = [
        {"awe": 3, "fear": 2},  # awe: 3 of 5
        ["awe", "fear"],  # a tie
        {"awe": 2, "fear": 1, "anger": 1},  # exactly half
        {"awe": 2, "fear": 2, "anger": 1},  # less than half, and a tie
        '{"fear": 1}',
    ]
    result = emotional_alignment(gold, ["awe", "awe", "fear", "awe", None])
    assert result.value == pytest.approx(1 / 3) and result.n == 3
    assert result.coverage["without_dominant"] == 2 and "cross_entropy" not in result.details


emotion_counts = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 4), min_size=1)


@given(st.lists(st.tuples(emotion_counts, emotion_counts), min_size=1, max_size=6))
@settings(max_examples=80)
def test_alignment_of_probabilities(items: list[Any]) -> None:
    gold = [counts for counts, _ in items]
    predicted = [{name: n / sum(counts.values()) for name, n in counts.items()} for _, counts in items]
    right, crossed = [], []
    for counts, answer in zip(gold, predicted, strict=True):
        whole, most = sum(counts.values()), max(counts.values())
        if 2 * most >= whole and list(counts.values()).count(most) == 1:
            best = sorted(answer, key=lambda name: (-answer[name], name))[0]
            right.append(counts[best] == most if best in counts else False)
        q = np.array([counts.get(name, 0) / whole for name in "abcd"])
        p = np.maximum([answer.get(name, 0) for name in "abcd"], 1e-12)
        crossed.append(entropy(q) + float(np.sum(q[q > 0] * np.log(q[q > 0] / p[q > 0]))))
    if not right:
        with pytest.raises(Malformed, match="no item has a dominant emotion"):
            emotional_alignment.statistic(gold, predicted)
        return
    statistic = emotional_alignment.statistic(gold, predicted)
    assert statistic.value() == pytest.approx(np.mean(right)) and statistic.n == len(right)
    assert statistic.details["cross_entropy"] == pytest.approx(np.mean(crossed))
    listed = [[name for name, n in counts.items() for _ in range(n)] for counts in gold]
    assert emotional_alignment.statistic(listed, predicted).value() == pytest.approx(statistic.value())


@pytest.mark.parametrize("value", ["awe", {}, [], {"awe": -1}, {"awe": "x"}, {"awe": 0}, None, 3])
def test_alignment_needs_answers_of_people(value: Any) -> None:
    with pytest.raises(Malformed, match=r"gold value 1 is .*, no answers of people"):
        emotional_alignment([value], ["awe"])


def test_sevlm_reads_what_stands_before_because() -> None:
    gold = ["awe", "fear", "something else", {"awe": 2, "fear": 2}, {"awe": 3, "fear": 2}]
    texts = ["awe because of the sky", "fear", "Something  Else because I wonder", "awe because", "awe because x"]
    published = sevlm_emotion_accuracy(gold, texts, compat="sevlm")
    assert published.value == pytest.approx(
        3 / 4
    )  # the text without "because" passes whole, the capital letters do not
    strict = sevlm_emotion_accuracy(gold, texts)
    assert strict.value == pytest.approx(3 / 4) and strict.n == 4
    assert strict.coverage == {"without_dominant": 1, "without_because": 0.2}
    assert float(sevlm_emotion_accuracy(["fear"], ["fear"], compat="sevlm")) == 1
    assert float(sevlm_emotion_accuracy(["fear"], ["fear"])) == 0
    assert float(sevlm_emotion_accuracy(["fear"], ["Fear because"], compat="sevlm")) == 0
    assert float(sevlm_emotion_accuracy(["fear", "fear"], ["Fear because", None])) == 0.5


def test_sevlm_dominance_differs() -> None:
    gold = [{"awe": 2, "fear": 1, "anger": 1}, ["awe", "awe", "fear"]]  # exactly half; two of three
    assert sevlm_emotion_accuracy(gold, ["fear because"] * 2, compat="sevlm").n == 1
    assert sevlm_emotion_accuracy(gold, ["fear because"] * 2).n == 2
    with pytest.raises(Malformed, match="no item has one most frequent emotion"):
        sevlm_emotion_accuracy([{"awe": 1, "fear": 1}, ""], ["awe because"] * 2)


# --- EmoBench ---------------------------------------------------------------------------------------------------------


def test_understanding_needs_emotion_and_cause() -> None:
    options: dict[str, Any] = {"cause": ["A", "B", "C", "D"], "predicted_cause": ["A", "B", "A", ""]}
    result = emobench_eu(["A", "B", "C", "D"], ["A", "C", "C", "D"], category=["x", "x", "y", "y"], **options)
    assert result.value == 0.25
    assert result.details == {"emotion_accuracy": 0.75, "cause_accuracy": 0.5}
    assert result.per_class == {"x": {"accuracy": 0.5, "n": 2}, "y": {"accuracy": 0, "n": 2}}
    with pytest.raises(Malformed, match="causes are missing"):
        emobench_eu(["A"], ["A"])
    with pytest.raises(Malformed, match="gold value 1 is None, no option"):
        emobench_ea([None], ["A"])


@given(st.lists(st.tuples(*[st.sampled_from("ABCD")] * 4), min_size=1, max_size=12))
@settings(max_examples=60)
def test_emobench_is_accuracy(items: list[Any]) -> None:
    gold, predicted, cause, answered = map(list, zip(*items, strict=True))
    for compat in (None, "emobench"):
        application = emobench_ea.statistic(gold, predicted, compat=compat).value()
        assert application == pytest.approx(accuracy_score(gold, predicted))
        options: dict[str, Any] = {"cause": cause, "predicted_cause": answered, "compat": compat}
        both = accuracy_score(
            [g + c for g, c in zip(gold, cause, strict=True)], [p + a for p, a in zip(predicted, answered, strict=True)]
        )
        assert emobench_eu.statistic(gold, predicted, **options).value() == pytest.approx(both)


@pytest.mark.parametrize("answer", ["b", "B ", "B)", "(b)", "B) Tell a teacher", "B. tell a teacher", "B：", "**B**"])
def test_defect_d18_formatting_is_scored_as_ability(answer: str) -> None:
    assert float(emobench_ea(["B"], [answer], compat="emobench")) == 0
    assert float(emobench_ea(["B"], [answer])) == 1
    assert float(emobench_ea(["A"], [answer])) == 0


def test_defect_d18_an_answer_that_cannot_be_parsed_is_the_empty_string() -> None:
    gold, predicted = ["A", "B"], ["", None]
    for compat in (None, "emobench"):
        assert float(emobench_ea(gold, predicted, compat=compat)) == 0
    assert emobench_ea(gold, predicted).unreadable == 1  # which the published score does not tell


def test_options_may_be_given_by_their_text() -> None:
    assert float(emobench_ea(["Tell a teacher"], ["C) tell  a teacher."])) == 1
    assert float(emobench_ea(["Tell a teacher"], ["Tell a friend"])) == 0
    assert float(emobench_ea(["A"], ["A nice idea"])) == 0
    assert float(emobench_ea(["A"], ["x" * 1_000_000])) == 0


def test_real_questions() -> None:
    folder = os.environ.get("AFFECTLLM_CORPORA", "")
    if not folder or not (path := Path(folder) / "emobench" / "data").is_dir():
        pytest.skip("AFFECTLLM_CORPORA has no emobench")
    rows = [json.loads(line) for line in (path / "EA.jsonl").read_text(encoding="utf-8").splitlines()]
    gold = [row["label"] for row in rows]
    letters = [f"{'ABCDEFGH'[row['choices'].index(row['label'])]}) {row['label']}" for row in rows]
    result = emobench_ea(gold, letters, category=[row["category"] for row in rows])
    assert result.value == 1 and result.n == 400 and len(result.per_class) > 1
    assert float(emobench_ea(gold, [row["choices"][0] for row in rows], resamples=20)) < 0.6

"""EQ-Bench 1 and 2 against lm-evaluation-harness's own scorer, its published records, and hand-worked items."""

from __future__ import annotations

import json
import math
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lm_eval.tasks.eq_bench.utils import calculate_score_fullscale

from affectllm.errors import Malformed
from affectllm.metrics.benchmarks.eq_bench import eq_bench, published_pairs

NAMES = ["Remorse", "Calm", "Pride", "Anger"]
scores = st.integers(0, 10)
vectors = st.tuples(scores, scores, scores, scores).map(lambda numbers: dict(zip(NAMES, numbers, strict=True)))


def record(vector: dict[str, Any]) -> dict[str, Any]:
    names = {f"emotion{number}": name for number, name in enumerate(vector, start=1)}
    return names | {f"emotion{number}_score": str(score) for number, score in enumerate(vector.values(), start=1)}


def text(vector: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {score}" for name, score in vector.items())


lines = st.sampled_from(["Remorse: 3", "Calm: 10", "Pride: 2.9", "Anger: 0", "Anger:7", "Joy: 1", "Pride:  4", "fin"])
replies = st.one_of(vectors.map(text), st.lists(lines, max_size=6).map("\n".join))


@given(st.lists(st.tuples(vectors, replies), min_size=1, max_size=6))
@settings(max_examples=150)
def test_compat_lm_eval_is_its_scorer(items: list[Any]) -> None:
    gold, predicted = [truth for truth, _ in items], [answer for _, answer in items]
    theirs = [calculate_score_fullscale({"reference_answer_fullscale": str(record(g))}, [p]) for g, p in items]
    statistic = eq_bench.statistic([record(truth) for truth in gold], predicted, compat="lm_eval")
    assert statistic.value() == pytest.approx(sum(item["eqbench"] for item in theirs) / len(items))
    assert statistic.coverage["parsed"] == pytest.approx(
        sum(item["percent_parseable"] for item in theirs) / 100 / len(items)
    )


@given(st.lists(st.tuples(vectors, vectors), min_size=1, max_size=6))
@settings(max_examples=100)
def test_every_form_of_answer_scores_the_same_where_all_are_readable(items: list[Any]) -> None:
    gold, predicted = [truth for truth, _ in items], [answer for _, answer in items]
    value = eq_bench.statistic(gold, predicted).value()
    for form in (text, json.dumps, lambda vector: {name.lower(): score for name, score in vector.items()}):
        assert eq_bench.statistic(gold, [form(answer) for answer in predicted]).value() == pytest.approx(value)
    for compat in ("eq_bench", "lm_eval"):
        assert eq_bench.statistic(gold, predicted, compat=compat).value() == pytest.approx(value)
    low, high = eq_bench.range
    assert low - 1e-9 <= value <= high
    assert eq_bench.statistic(gold[::-1], predicted[::-1]).value() == pytest.approx(value)
    assert eq_bench.statistic(gold, gold).value() == 100


def test_a_hand_worked_item() -> None:
    gold = {"Remorse": 2, "Calm": 3, "Pride": 3, "Anger": 7}
    answer = {"Remorse": 2, "Calm": 4, "Pride": 9, "Anger": 2}  # differences 0, 1, 6, 5
    tally = 0 + 6.5 / (1 + math.exp(3.6)) + 6 + 6.5 / (1 + math.exp(-1.2))
    assert float(eq_bench([gold], [answer])) == pytest.approx(10 * (10 - 0.7477 * tally))


def test_gold_may_be_lines_as_a_model_would_write_them() -> None:
    gold = {"Remorse": 2.5, "Calm": 3.0, "Deep pride": 3.0, "Anger": 7.0}
    lines = "\n".join(f"{name}: {score:g}" for name, score in gold.items())
    reply = "First pass scores:\nRemorse: 9\n\nRevised scores:\nRemorse: 1\nCalm: 3\nDeep pride: 3\nAnger: 8"
    assert float(eq_bench([lines], [reply])) == pytest.approx(float(eq_bench([gold], [reply])))
    assert float(eq_bench([lines], [lines])) == 100


def test_version_1_is_scaled_to_ten() -> None:
    gold = {"Remorse": 0, "Calm": 6, "Pride": 0, "Anger": 4}
    answer = {"Remorse": 2, "Calm": 2, "Pride": 0, "Anger": 4}  # 2.5, 2.5, 0, 5
    assert float(eq_bench([gold], [answer], version=1)) == pytest.approx(10 * (10 - (2.5 + 3.5 + 0 + 1)))
    nothing = dict.fromkeys(NAMES, 0)
    result = eq_bench([gold], [nothing], version=1)
    assert (result.value, result.coverage["parsed"]) == (0, 0)
    assert float(eq_bench([gold], [dict(zip(NAMES, [10, 0, 0, 0], strict=True))], version=1)) == -100


def test_the_worst_answer_is_the_end_of_the_range() -> None:
    result = eq_bench([dict.fromkeys(NAMES, 0)], [dict.fromkeys(NAMES, 10)])
    assert result.value == pytest.approx(eq_bench.range[0]) == pytest.approx(-199.08)


GOLD = dict(zip(NAMES, [1, 2, 3, 4], strict=True))


@pytest.mark.parametrize(
    ("answer", "parsed"),
    [
        ("Remorse: 1\nCalm: 2\nPride: 3\nAnger: 4", True),
        ("Remorse: 9 … Revised: Remorse: 1, Calm: 2, Pride: 3, Anger: 4", True),  # the last number counts
        ("**Remorse**: 1\n**Calm**: 2\n**Pride**: 3\n**Anger**: 4", True),
        ("remorse = 1.0, calm = 2,0, pride: 3, anger: 4", True),
        ("Remorse: 1\nCalm: 2\nPride: 3", False),
        ("Remorse: 1\nCalm: 2\nPride: 3\nAnger: 11", False),
        ("Remorse: 1\nCalm: 2\nPride: 3\nAnger: -4", False),
        ("Remorse: <score>\nCalm: <score>\nPride: <score>\nAnger: <score>", False),
        ({**GOLD, "Joy": 1}, False),
        ({**GOLD, "Anger": math.nan}, False),
        ({**GOLD, "Anger": "much"}, False),
        ({}, False),
        ("", False),
        (None, False),
        (math.nan, False),
    ],
)
def test_what_strict_reads(answer: Any, parsed: bool) -> None:
    result = eq_bench([GOLD], [answer])
    assert (result.value, result.coverage["parsed"]) == ((100, 1) if parsed else (0, 0))


def test_unsound_input_is_refused() -> None:
    for gold in ({"Remorse": 1}, {**GOLD, "Anger": 11}, {"emotion1": "Remorse"}, "x", None):
        with pytest.raises(Malformed, match=r"gold value 1 is .* not four emotions from 0 to 10"):
            eq_bench([gold], [GOLD])
    with pytest.raises(Malformed, match="choose 2 or 1"):
        eq_bench([GOLD], [GOLD], version=3)
    with pytest.raises(Malformed, match="no number per emotion"):
        eq_bench([GOLD], [[1, 2, 3, 4]])


@example("a: 3B: 3")  # a word that begins right after the digits of another
@example(": 3: 3 a: 3: 3")
@given(st.text(alphabet="aB_3:. \n", max_size=40))
@settings(max_examples=300)
def test_published_pairs_are_those_of_the_regular_expression(answer: str) -> None:
    assert published_pairs(answer) == dict(re.findall(r"(\w+):\s+(\d+)", answer))


def test_long_answers_are_read_in_time() -> None:
    start = time.perf_counter()
    for answer in ("a" * 1_000_000, ": " * 500_000, text(GOLD) + " " * 1_000_000, "Anger: " * 150_000):
        eq_bench([GOLD], [answer], resamples=10)
        eq_bench([GOLD], [answer], compat="lm_eval", resamples=10)
    assert time.perf_counter() - start < 10


def test_defect_d17_unparsable_items_are_skipped_by_one_and_zero_for_the_other() -> None:
    gold, predicted = [GOLD] * 6, [text(GOLD)] * 5 + ["I cannot say."]
    assert float(eq_bench(gold, predicted, compat="eq_bench")) == 100
    assert float(eq_bench(gold, predicted, compat="lm_eval")) == pytest.approx(500 / 6)
    strict = eq_bench(gold, predicted)
    assert strict.value == pytest.approx(500 / 6) and strict.n == 6
    assert (strict.coverage["n_parsed"], strict.details["mean_of_parsed"]) == (5, 100)


def test_defect_d17_a_run_with_few_parsable_answers_is_void() -> None:
    gold, predicted = [GOLD] * 6, [text(GOLD)] * 4 + ["I cannot say."] * 2
    with pytest.raises(Malformed, match=r"4 of 6 answers can be parsed, less than 83\.33 %"):
        eq_bench(gold, predicted, compat="eq_bench")
    assert float(eq_bench(gold, predicted)) == pytest.approx(400 / 6)


def test_defect_d17_decimals_are_cut_off_by_the_published_reader() -> None:
    answer = text({**GOLD, "Anger": 4.9})
    assert float(eq_bench([GOLD], [answer], compat="eq_bench")) == 100
    assert float(eq_bench([GOLD], [answer])) < 100


def test_real_records() -> None:
    folder = os.environ.get("AFFECTLLM_CORPORA", "")
    if not folder or not (path := Path(folder) / "eq_bench" / "data").is_dir():
        pytest.skip("AFFECTLLM_CORPORA has no eq_bench")
    for name, key, version in [
        ("eq_bench_v2_questions_171.json", "reference_answer_fullscale", 2),
        ("eq_bench_v2_questions_171_de.json", "reference_answer_fullscale", 2),
        ("eq_bench_v1_questions_60.json", "reference_answer", 1),
    ]:
        questions = json.loads((path / name).read_text(encoding="utf-8")).values()
        gold = [question[key] for question in questions]
        answers = [{value[f"emotion{n}"]: value[f"emotion{n}_score"] for n in range(1, 5)} for value in gold]
        assert float(eq_bench(gold, answers, version=version, resamples=20)) == pytest.approx(100)
        same = [dict.fromkeys(answer, 5) for answer in answers]
        assert -60 < float(eq_bench(gold, same, version=version, resamples=20)) < 60

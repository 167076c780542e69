"""Scores on emotion wheels: the published ones to the letter, and what strict mode refuses.

The oracles are written from the published description, item by item with Python sets.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wheel_tables import clusters, write_2025, write_2026

from affectllm.errors import Malformed
from affectllm.metrics.wheels import (
    Tables,
    hit_rate,
    item_f1,
    m_avg,
    m_score,
    mer2025_track2,
    read_tables,
    wheel_f1,
    wheel_f1_level2,
)

L1 = [("wheel", wheel, 1) for wheel in range(5)]
L2 = [("wheel", wheel, 2) for wheel in range(5)]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return read_tables(write_2025(tmp_path_factory.mktemp("wheels")), "2025")


@pytest.fixture(scope="module")
def tables_2026(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return read_tables(write_2026(tmp_path_factory.mktemp("wheels")), "2026")


def published_cluster(label: str, tables: Tables, step: tuple[str, int, int]) -> str | None:
    kind, wheel, level = step
    if label not in tables.forms:
        return None
    if kind == "M1":
        return sorted(tables.forms[label])[0]
    if kind == "M2":
        return sorted(tables.bases[sorted(tables.forms[label])[0]])[0]
    words = [word for base in tables.forms[label] for word in tables.bases[base]]
    inside = [word for word in sorted(words) if word in tables.wheels[wheel][level]]
    return tables.wheels[wheel][level][inside[0]] if inside else None


def oracle_f(gold: list[list[str]], predicted: list[list[str]], tables: Tables, steps: list[Any]) -> list[float]:
    """F per mapping as published: F of the mean precision and the mean recall."""
    values = []
    for step in steps:
        precision, recall = [], []
        for truth, answer in zip(gold, predicted, strict=True):
            g = {published_cluster(label.lower().strip(), tables, step) for label in truth} - {None}
            p = {published_cluster(label.lower().strip(), tables, step) for label in answer} - {None}
            if g:
                precision.append(len(g & p) / len(p) if p else 0.0)
                recall.append(len(g & p) / len(g))
        p_mean = sum(precision) / len(precision) if precision else math.nan
        r_mean = sum(recall) / len(recall) if recall else math.nan
        defined = p_mean + r_mean > 0
        values.append(2 * p_mean * r_mean / (p_mean + r_mean) if defined else (math.nan, 0)[tables.version == "2026"])
    return values


def oracle_hits(gold: list[str], predicted: list[list[str]], tables: Tables) -> tuple[float, float]:
    """Hit rate and m-score as published."""
    hits, scores = [], []
    for step in L1:
        candidates = {published_cluster(label, tables, step) for label in gold} - {None}
        hit, score = [], []
        for truth, answer in zip(gold, predicted, strict=True):
            g = {published_cluster(truth.lower().strip(), tables, step)} - {None}
            p = {published_cluster(label.lower().strip(), tables, step) for label in answer} - {None}
            if g:
                hit.append(len(g & p))
                score.append(len(g & p) / len(p & candidates) if p & candidates else 0)
        hits.append(np.mean(hit) if hit else math.nan)
        scores.append(np.mean(score) if score else math.nan)
    return float(np.mean(hits)), float(np.mean(scores))


WORDS = ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh"]
words = st.sampled_from(WORDS)


@st.composite
def random_tables(draw: st.DrawFn) -> Tables:
    """Few words, so that spellings have several bases, and words stand on several wheels under several clusters."""
    bases = {base: tuple(draw(st.sets(words, min_size=1, max_size=3))) for base in draw(st.sets(words, min_size=2))}
    known = st.sampled_from(sorted(bases))
    forms = {form: tuple(draw(st.sets(known, min_size=1))) for form in draw(st.sets(words, min_size=1))}
    wheels = []
    for _ in range(5):
        rows = draw(st.lists(st.tuples(*[st.sampled_from([None, *WORDS])] * 3), min_size=1, max_size=4))
        one, two = clusters([(rows[0][0] or "aa", rows[0][1] or "bb", rows[0][2] or "cc"), *rows[1:]])
        wheels.append({1: one, 2: two})
    return Tables(forms, bases, tuple(wheels), draw(st.sampled_from(["2025", "2026"])), "")


label_sets = st.lists(st.sampled_from([*WORDS, "Aa", " bb ", "neutral", "unknown"]), max_size=4)
items = st.lists(st.tuples(label_sets, label_sets), min_size=1, max_size=6)
one_hot = st.lists(st.tuples(st.sampled_from([*WORDS, "Aa", "neutral"]), label_sets), min_size=1, max_size=8)


@given(random_tables(), items, st.sampled_from([str, list]))
@settings(max_examples=150)
def test_compat_is_the_published_score(tables: Tables, items: list[Any], form: type) -> None:
    gold, predicted = [truth for truth, _ in items], [answer for _, answer in items]
    given_gold, given_predicted = [form(labels) for labels in gold], [form(labels) for labels in predicted]
    first, second = [("M1", 0, 0), ("M2", 0, 0)], L1 + L2
    for metric, steps in [(wheel_f1, L1), (wheel_f1_level2, L2), (mer2025_track2, second), (m_avg, first + second)]:
        expected = float(np.mean(oracle_f(gold, predicted, tables, steps)))
        if math.isnan(expected):
            with pytest.raises(Malformed):
                metric.statistic(given_gold, given_predicted, tables=tables, compat="affectgpt")
        else:
            statistic = metric.statistic(given_gold, given_predicted, tables=tables, compat="affectgpt")
            assert statistic.value() == pytest.approx(expected, abs=1e-12)


@given(
    random_tables(), st.lists(st.tuples(st.sampled_from([*WORDS, "Aa", "neutral"]), label_sets), min_size=1, max_size=8)
)
@settings(max_examples=150)
def test_compat_is_the_published_hit_rate(tables: Tables, items: list[Any]) -> None:
    gold, predicted = [truth for truth, _ in items], [answer for _, answer in items]
    hit, score = oracle_hits(gold, predicted, tables)
    if math.isnan(hit):
        with pytest.raises(Malformed, match="mean is undefined"):
            hit_rate.statistic(gold, predicted, tables=tables, compat="affectgpt")
    else:
        statistic = hit_rate.statistic(gold, predicted, tables=tables, compat="affectgpt")
        assert statistic.value() == pytest.approx(hit, abs=1e-12)
        assert statistic.details["m_score"] == pytest.approx(score, abs=1e-12)
        assert m_score.statistic(gold, predicted, tables=tables, compat="affectgpt").value() == pytest.approx(score)


def test_published_candidates_are_the_gold_labels_as_written(tables: Tables) -> None:
    result = hit_rate(["Merry", "merrily"], ["merry", "merry, gloomy"], tables=tables, compat="affectgpt")
    assert (result.value, result.details["m_score"]) == (1, 1)
    for written in ("Merry", "[merry]"):  # a hit, but among no candidates
        odd = hit_rate([written], ["merry"], tables=tables, compat="affectgpt")
        assert (odd.value, odd.details["m_score"]) == (1, 0)
    assert hit_rate(["Merry"], ["merry"], tables=tables).details["m_score"] == 1


def strict_cluster(label: str, tables: Tables, wheel: int, level: int) -> str:
    clusters = tables.wheels[wheel][level]
    bases = [label] if label in tables.bases else list(tables.forms.get(label, ()))
    exact = [label] if label in clusters else [base for base in sorted(bases) if base in clusters]
    synonyms = sorted(word for base in bases for word in tables.bases.get(base, ()) if word in clusters)
    return "wheel " + clusters[(exact or synonyms)[0]] if exact or synonyms else "own " + min(bases, default=label)


@given(random_tables(), items, st.sampled_from([1, 2]))
@settings(max_examples=150)
def test_strict_is_the_mean_of_each_items_f(tables: Tables, items: list[Any], level: int) -> None:
    gold, predicted = [truth for truth, _ in items], [answer for _, answer in items]
    rows = []
    for truth, answer in items:
        values = []
        for wheel in range(5):
            g, p = ({strict_cluster(x.lower().strip(), tables, wheel, level) for x in side} for side in (truth, answer))
            values.append(2 * len(g & p) / (len(g) + len(p)) if g or p else 0.0)
        rows.append(float(np.mean(values)))
    assert item_f1(gold, predicted, tables, level) == pytest.approx(rows)
    scored = [value for value, (truth, _) in zip(rows, items, strict=True) if truth]
    metric = wheel_f1 if level == 1 else wheel_f1_level2
    if scored:
        statistic = metric.statistic(gold, predicted, tables=tables)
        assert statistic.value() == pytest.approx(float(np.mean(scored)))
        assert (statistic.n, statistic.coverage["skipped_items"]) == (len(scored), len(rows) - len(scored))
    else:
        with pytest.raises(Malformed, match="no item has a gold label"):
            metric.statistic(gold, predicted, tables=tables)


@given(random_tables(), items, st.randoms())
@settings(max_examples=50)
def test_bounds_permutation_and_perfection(tables: Tables, items: list[Any], random: Any) -> None:
    items = [(truth or ["aa"], answer) for truth, answer in items]
    gold, predicted = [truth for truth, _ in items], [answer for _, answer in items]
    shuffled = random.sample([(truth[::-1], answer[::-1]) for truth, answer in items], len(items))
    for metric in (wheel_f1, wheel_f1_level2, mer2025_track2, m_avg):
        value = metric.statistic(gold, predicted, tables=tables).value()
        assert 0 <= value <= 1
        again = metric.statistic([g for g, _ in shuffled], [p for _, p in shuffled], tables=tables).value()
        assert again == pytest.approx(value)
        assert metric.statistic(gold, gold, tables=tables).value() == pytest.approx(1)
        assert metric.statistic(gold, [None] * len(gold), tables=tables).value() == 0


def test_a_result_tells_its_coverage_and_its_tables(tables: Tables) -> None:
    result = wheel_f1(
        ["[cheery, dread]", "neutral", "", "tears"], ["cheers, cheers", "sunny", "x", None], tables=tables
    )
    assert result.n == 3 and result.coverage["skipped_items"] == 1
    assert result.coverage["labels_per_item"] == 0.75  # each label once
    assert [result.coverage[f"{side}_mapped"] for side in ("gold", "predicted")] == [12 / 20, 9 / 15]
    assert result.coverage["n_wheel1"] == 3 and set(result.per_class) == {f"wheel{number}" for number in range(1, 6)}
    assert result.settings["tables"] == {"version": "2025", "sha256": tables.sha256}
    assert result.low is None and result.settings["clusters"] < 5
    assert json.dumps(result.to_json())


def test_neutral_may_be_skipped(tables: Tables) -> None:
    gold, predicted = ["neutral", "merry, neutral", "gloomy"], ["neutral", "merry", "neutral"]
    result = wheel_f1(gold, predicted, tables=tables)
    assert result.value == pytest.approx((1 + 2 / 3 + 0) / 3) and result.n == 3
    skipped = wheel_f1(gold, predicted, tables=tables, neutral="skip")
    assert skipped.value == pytest.approx((1 + 0) / 2) and skipped.n == 2 and skipped.coverage["skipped_items"] == 1
    with pytest.raises(Malformed, match="choose map or skip"):
        wheel_f1(gold, predicted, tables=tables, neutral="drop")


def test_controls_stand_beside_every_score(tables: Tables) -> None:
    gold = ["merry"] * 4 + ["gloomy", "livid", "spooked", "dread"]
    hits = hit_rate(gold, gold, tables=tables).controls
    assert (hits["say_all"], hits["empty"]) == (1, 0)
    assert hits["majority"] == pytest.approx((4 * 4 + 5) / 40)  # wheel 4 puts "gloomy" beside "merry"
    scores = wheel_f1([f"[{label}]" for label in gold], gold, tables=tables).controls
    assert set(scores) == {"majority", "chance", "say_all", "empty", "shuffled"}
    assert scores["majority"] == pytest.approx(21 / 40)
    assert scores["say_all"] < scores["majority"] and scores["empty"] == 0


def test_clear_errors(tables: Tables) -> None:
    with pytest.raises(Malformed, match="emotion wheels are needed"):
        wheel_f1(["merry"], ["merry"])
    with pytest.raises(Malformed, match="no item has a gold label"):
        wheel_f1(["", None], ["merry", "merry"], tables=tables)
    with pytest.raises(Malformed, match="2 gold values but 1 answers"):
        wheel_f1(["merry", "bold"], ["merry"], tables=tables)
    with pytest.raises(Malformed, match=r"gold value 2 .* holds 2 labels, not one"):
        hit_rate(["merry", "merry, bold"], ["x", "y"], tables=tables)
    with pytest.raises(Malformed, match=r"gold value 1 .* holds 0 labels"):
        hit_rate([""], ["x"], tables=tables)


def test_odd_answers_have_a_value(tables: Tables) -> None:
    everything = ", ".join([*tables.forms, *tables.bases])
    result = wheel_f1(["merry"] * 4, ["x, " * 333_333, "\x00\x01", everything, "merry"], tables=tables)
    assert 1 / 4 < result.value < 2 / 4
    assert wheel_f1(["merry"] * 2, [None, None], tables=tables).unreadable == 1


def test_a_base_without_synonyms_stops_compat_as_it_stops_the_published_evaluator(tables: Tables) -> None:
    broken = Tables({**tables.forms, "lost": ("nowhere",)}, tables.bases, tables.wheels, "2025", "")
    with pytest.raises(Malformed, match="'nowhere' is a base word"):
        wheel_f1(["lost"], ["lost"], tables=broken, compat="affectgpt")
    assert float(wheel_f1(["lost"], ["lost"], tables=broken)) == 1


# --- defects ----------------------------------------------------------------------------------------------------------


def test_defect_d1_unknown_gold_is_dropped_and_further_labels_are_free(tables: Tables) -> None:
    gold = ["neutral"] * 8 + ["merry", "gloomy"]
    everything = [list(tables.forms)] * 10
    published = hit_rate(gold, everything, tables=tables, compat="affectgpt")
    assert published.value == 1 and published.n == 2 and published.coverage["skipped_items"] == 8
    strict = hit_rate(gold, everything, tables=tables)
    assert strict.value == pytest.approx(0.2) and strict.n == 10
    assert strict.coverage["labels_per_item"] > 10 and strict.coverage["wheel_precision"] < 0.1
    assert float(wheel_f1(gold, everything, tables=tables)) < 0.15


def test_defect_d2_an_opposite_wins_by_the_alphabet(tables_2026: Tables) -> None:
    # "dread" is listed as a spelling of "dreadless", whose synonyms come before its own in the alphabet
    published = wheel_f1(["dread"], ["boldly"], tables=tables_2026, compat="affectgpt")
    assert [row["f_of_means"] for row in published.per_class.values()] == [1, 0, 1, 0, 1]
    assert float(wheel_f1(["dread"], ["boldly"], tables=tables_2026)) == 0
    own = wheel_f1(["dread"], ["spooky"], tables=tables_2026)  # a synonym, where a wheel has one
    assert [row["f_of_items"] for row in own.per_class.values()] == [0, 1, 0, 1, 1]


def test_defect_d5_f_of_means_is_not_the_mean_of_f(tables: Tables) -> None:
    gold, predicted = ["merry, gloomy", "merry"], ["merry", "merry, gloomy"]
    published = wheel_f1(gold, predicted, tables=tables, compat="affectgpt")
    assert published.per_class["wheel2"]["f_of_means"] == pytest.approx(3 / 4)  # P̄ = R̄ = 3/4
    strict = wheel_f1(gold, predicted, tables=tables)
    assert strict.per_class["wheel2"]["f_of_items"] == pytest.approx(2 / 3)
    assert strict.details["f_of_means"] > strict.value


def test_defect_d5_nothing_right_is_nan_in_2025_and_0_in_2026(tables: Tables, tables_2026: Tables) -> None:
    with pytest.raises(Malformed, match="published evaluator gives NaN"):
        wheel_f1(["merry"], ["gloomy"], tables=tables, compat="affectgpt")
    assert float(wheel_f1(["merry"], ["livid"], tables=tables_2026, compat="affectgpt")) == 0
    assert float(wheel_f1(["merry"], ["livid"], tables=tables)) == 0

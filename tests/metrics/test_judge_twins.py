"""The twins of judges, which need none: worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wheel_tables import write_2025

from affectllm.metrics.judge.reasoning import (
    clue_overlap_words,
    label_overlap_set,
)

GOLD = ["his brow is furrowed and he shouts", "she smiles and laughs", "tears run down her face"]
prose = st.lists(st.sampled_from(["angry", "joyful", "not", "sad", "his", "brows", "shouted", "and", "。"]), max_size=8)


def test_clue_words_worked_out_by_hand() -> None:
    # Content words, stemmed: {brow, furrow, shout} and {shout, furrow, brow}; "his … is … and he" carry nothing.
    assert clue_overlap_words(GOLD[:1], ["shouting, furrowed brows"]).value == 1
    assert clue_overlap_words(GOLD[:1], ["he shouted"]).value == pytest.approx(2 / 4)
    assert clue_overlap_words(["他皱眉"], ["皱眉"]).value == pytest.approx(4 / 5)
    assert clue_overlap_words([["he frowns", "she shouts"]], ["shouting"]).value == 1
    assert clue_overlap_words(["he is"], ["she was"]).value == 1 and clue_overlap_words(["he is"], [None]).value == 0


def test_label_sets_worked_out_by_hand() -> None:
    gold = ["He is angry and ashamed, not sad.", "[joy, fear]", "A chair.", "A chair."]
    predicted = ["Anger shows in his face; shame too.", "happy", "A table.", "sad"]
    scores = [1, 2 / 3, 1, 0]
    assert label_overlap_set(gold, predicted).value == pytest.approx(sum(scores) / 4)
    for g, p, score in zip(gold, predicted, scores, strict=True):
        assert label_overlap_set([g], [p]).value == pytest.approx(score)
    result = label_overlap_set(gold, [*predicted[:3], None])
    assert result.coverage == {"gold_with_emotions": 0.5, "predicted_with_emotions": 0.5}


def test_label_sets_on_wheels(tmp_path: Path) -> None:
    from affectllm.metrics.wheels import item_f1, read_tables

    tables = read_tables(write_2025(tmp_path), "2025")
    gold, predicted = ["[gleeful, tearful]", "[bold]", "[livid]"], ["[sunny]", "[spooked, bold]", None]
    sets = [["gleeful", "tearful"], ["bold"]], [["sunny"], ["spooked", "bold"]]
    expected = (sum(item_f1(*sets, tables, 1)) + 0) / 3
    assert label_overlap_set(gold, predicted, tables=tables).value == pytest.approx(expected)
    assert label_overlap_set(gold, predicted, tables=tables).value != pytest.approx(
        label_overlap_set(gold, predicted).value
    )


@given(st.lists(st.tuples(prose.map(" ".join), prose.map(" ".join)), min_size=1, max_size=5))
def test_twins_are_bounded_symmetric_and_perfect_on_themselves(pairs) -> None:
    gold, predicted = ([text or "x" for text in side] for side in zip(*pairs, strict=True))
    for metric in (clue_overlap_words, label_overlap_set):
        value = metric.statistic(gold, predicted).value()
        assert 0 <= value <= 1 and metric.statistic(predicted, gold).value() == pytest.approx(value)
        assert metric.statistic(gold, gold).value() == pytest.approx(1)

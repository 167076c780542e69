"""Metrics of free text: values worked out by hand, edge cases, agreement of sums with sacrebleu."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.errors import Malformed
from affectllm.metrics import replies

words = st.lists(st.sampled_from(["i", "am", "sorry", "to", "hear", "that"]), max_size=9).map(" ".join)
pairs = st.lists(st.tuples(words.filter(bool), st.one_of(words, st.none())), min_size=1, max_size=8)


def test_bleu_worked_out_by_hand() -> None:
    # Matches 5/6, 3/5, 2/4, 1/3 (the run "the cat sat on", then one word off), equal lengths: no brevity penalty.
    expected = math.exp(sum(map(math.log, (5 / 6, 3 / 5, 2 / 4, 1 / 3))) / 4)
    assert replies.bleu(["the cat sat on the mat"], ["the cat sat on a mat"]) == pytest.approx(expected)


def test_rouge_l_worked_out_by_hand() -> None:
    # Longest common subsequence "sorry to that" of 5 and 3 words: P = 1, R = 3/5.
    assert replies.rouge_l(["so sorry to hear that"], ["Sorry to that!"]) == pytest.approx(2 * 0.6 / 1.6)


def test_distinct_worked_out_by_hand() -> None:
    texts = ["I see . I see", "Really ?", None]
    assert replies.distinct_1(texts) == pytest.approx(5 / 7)
    assert replies.distinct_2(texts) == pytest.approx(4 / 5)  # pairs do not cross replies


def test_unreadable_and_empty_replies_score_nothing() -> None:
    assert replies.bleu(["hello there my friend"], [None]) == replies.rouge_l(["hello"], [None]) == 0
    assert replies.distinct_1([None, ""]) == replies.distinct_2(["word"]) == 0


def test_nothing_to_score_is_an_error() -> None:
    with pytest.raises(Malformed, match="nothing to score"):
        replies.bleu([], [])
    with pytest.raises(Malformed, match="nothing to score"):
        replies.distinct_1([])


@given(pairs)
def test_bounds_order_and_sums(items) -> None:
    gold, answers = map(list, zip(*items, strict=True))
    turned_gold, turned_answers = map(list, zip(*items[::-1], strict=True))
    sums = replies.table(gold, answers).sum(0)
    for metric in (replies.bleu, replies.rouge_l):
        value = metric(gold, answers)
        assert 0 <= value <= 1 + 1e-9
        assert value == pytest.approx(metric(turned_gold, turned_answers))
        assert replies.from_sums(metric.__name__, sums) == pytest.approx(value, abs=1e-9)


def test_a_perfect_reply_scores_one() -> None:
    texts = ["i am so sorry to hear that", "that is wonderful news indeed"]
    assert replies.bleu(texts, texts) == pytest.approx(1)
    assert replies.rouge_l(texts, texts) == pytest.approx(1)

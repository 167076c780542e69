"""The word error rate: torchmetrics' value where words stand between blanks, and what becomes of other writing."""

from __future__ import annotations

import numpy as np
import pytest

from affectllm.metrics import METRICS

WER = METRICS["word_error_rate"]


def rate(said: list[list[str]], heard: list[str | None], **options: str) -> float:
    return WER(said, heard, controls=False, **options).value


def test_it_counts_edits_of_words_without_case_and_punctuation() -> None:
    assert rate([["I am sorry to hear that."]], ["i am so sorry hear that"]) == pytest.approx(2 / 6)
    assert rate([["Yes."], ["How are you today?"]], ["no way", "How are you, today"]) == pytest.approx(2 / 5)
    assert rate([["Yes."]], ["well yes I think so"]) == 4  # more edits than words
    assert rate([["How are you?"], ["Fine."]], [None, ""]) == 1
    assert rate([["Good for you!", "Well done!"]], ["well done"]) == 0


def test_characters_are_counted_where_no_blanks_are_written() -> None:
    assert rate([["你好吗?"]], ["你好"]) == pytest.approx(1 / 3)


def test_it_is_that_of_torchmetrics() -> None:
    text = pytest.importorskip("torchmetrics.functional.text")
    random = np.random.default_rng(0)
    words = ("so", "sorry", "to", "hear", "that", "how", "did", "it", "go")
    said, heard = ([" ".join(random.choice(words, random.integers(1, 9))) for _ in range(50)] for _ in range(2))
    assert rate([[one] for one in said], list(heard)) == pytest.approx(float(text.word_error_rate(heard, said)))

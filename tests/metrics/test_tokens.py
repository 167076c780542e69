"""Tokens follow the language of a task or the letters of its references, and every result says which they were.

The word error rate counts them.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from affectllm.errors import Malformed
from affectllm.metrics import METRICS
from affectllm.metrics.texts.tokens import apart, choose, words_and_characters

JAPANESE = "ja-mecab" if find_spec("MeCab") else "char"
SAME = {
    "zh": ("我很难过，因为他走了", "我很难过，他回家了"),
    "ja": ("とても悲しいです。彼は帰りました", "とても悲しいですね。彼女は帰りました"),
    "th": ("ฉันเสียใจมากที่เขาจากไป", "ฉันเสียใจมากที่เธอกลับบ้าน"),
    "ko": ("나는 매우 슬프다. 그가 떠났다.", "나는 매우 슬프다. 그녀가 왔다."),
    "ar": ("أنا حزين جدا، لأنه رحل.", "أنا حزين جدا، لأنها عادت."),
    "ru": ("Мне очень грустно, он ушёл.", "Мне очень грустно, она пришла."),
    "es": ("Estoy muy triste, él se fue.", "Estoy muy triste, ella volvió."),
    "en": ("I am very sad that he left.", "I am very sad that she came."),
}
CHOSEN = {"zh": "zh", "ja": JAPANESE, "th": "char", "ko": "intl", "ar": "intl", "ru": "intl", "es": "13a", "en": "13a"}
OVERLAP = ["bleu_1", "bleu_2", "bleu_smoothed", "rouge_l", "meteor", "unigram_f1"]


@pytest.mark.parametrize("tag", SAME)
@pytest.mark.parametrize("name", OVERLAP)
def test_alike_replies_of_every_language_share_tokens(name: str, tag: str) -> None:
    one, other = SAME[tag]
    result = METRICS[name]([one], [other], controls=False)
    assert 0.1 < result.value < 1
    wanted = {"es": "intl", "en": "rouge"}.get(tag, CHOSEN[tag]) if name == "rouge_l" else CHOSEN[tag]
    assert (result.details["tokens"], result.details["tokens_by"]) == (wanted, "script")
    assert result.score()["tokens"] == wanted
    assert METRICS[name]([one], [other], language=tag, controls=False).value == result.value


@pytest.mark.parametrize("tag", SAME)
def test_variety_counts_the_tokens_of_the_language(tag: str) -> None:
    result = METRICS["distinct_1"](predicted=list(SAME[tag]))
    assert 0.3 < result.value < 0.95 and result.details["tokens"] == CHOSEN[tag]
    assert METRICS["chrf"]([SAME[tag][0]], [SAME[tag][1]], controls=False).value > 0.2


def test_the_language_that_is_told_goes_before_the_letters() -> None:
    assert choose("auto", "zh-Hant", ["sad"]).name == "zh"
    assert choose("auto", "ja_JP", ["悲"]).name == JAPANESE
    assert choose("auto", "en", ["悲"], "rouge").name == "rouge"
    assert choose("auto", None, ["ASR 我很 happy 难过"]).name == "zh"
    assert choose("auto", None, ["I like 寿司 and sushi very much indeed, my friend"]).name == "13a"
    assert choose("auto", None, ["", None]).name == "13a"
    assert choose("char", "en", []).details == {"tokens": "char", "tokens_by": "asked"}
    with pytest.raises(Malformed, match="tokenization"):
        choose("klingon", None, [])


@pytest.mark.skipif(find_spec("MeCab") is not None, reason="MeCab is installed")
def test_mecab_is_asked_for_only_where_it_is() -> None:
    with pytest.raises(Malformed, match="needs the package MeCab"):
        METRICS["bleu"](["悲しい"], ["悲しい"], tokenize="ja-mecab")


def test_clues_and_spans_in_scripts_without_blanks_are_taken_by_characters() -> None:
    assert words_and_characters("悲しみ is ฉัน") == ["悲", "し", "み", "is", "ฉ", "ั", "น"]
    assert apart("我 lost").split() == ["我", "lost"] and apart("a b") == "a b"
    clues, spans = METRICS["clue_overlap_words"], METRICS["reccon_span"]
    assert 0 < clues(["とても悲しい顔です"], ["とても悲しい声です"], controls=False).value < 1
    assert 0 < spans(["因为我丢了狗"], ["我丢了狗"], controls=False).value < 1


def rate(said: list[list[str]], heard: list[str | None]) -> float:
    return METRICS["word_error_rate"](said, heard, controls=False).value


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

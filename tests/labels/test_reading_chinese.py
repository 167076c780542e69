"""Reading answers in Chinese and in both languages at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.labels.language import find_language
from affectllm.labels.reading import (
    Unreadable,
    read_judgement,
    read_label,
    read_labels,
    read_number,
    read_open_labels,
    read_preference,
    read_span,
    space_of,
)
from affectllm.labels.reading.words import families
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL as SPACE

CHINESE = find_language("zh")
HEADS = [head for head in families() if head in CHINESE.names]
NAMES = {head: (CHINESE.names[head], *CHINESE.forms_of(head)) for head in HEADS}
MER = space_of(["neutral", "angry", "happy", "sad", "worried", "surprise"])


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("愤怒", "angry"),
        ("怒", "angry"),
        ("他很生气。", "angry"),
        ("不是生气，而是难过", "sad"),
        ("她没有生气，她在担心", "worried"),
        ("并非高兴，她伤心了", "sad"),
        ("没有愤怒、惊讶，只是悲伤", "sad"),
        ("没有任何愤怒，惊讶，高兴；只是悲伤", "sad"),
        ("谈不上高兴，有点难过", "sad"),
        ("既不高兴，也不生气，是中性的", "neutral"),
        ("他可能难过，但最可能是愤怒", "angry"),
        ("也许是惊讶", "surprise"),
        ("愤怒，带有一丝悲伤", "angry"),
        ("毫无疑问是愤怒", "angry"),
        ("他忍不住愤怒", "angry"),
        ("非常愤怒，无比愤怒", "angry"),
        ("答案：快乐", "happy"),
        ("情绪：担忧\n原因：她听到别人高兴", "worried"),
        ('{"情绪": "惊讶"}', "surprise"),
        ("<answer>高兴</answer>", "happy"),
        ("他感到angry了", "angry"),
        ("The emotion is 悲伤, not 愤怒.", "sad"),
        ("总体来说是悲伤，虽然他提到愤怒", "sad"),
    ],
)
def test_the_label_that_is_stated(text: str, label: str) -> None:
    assert read_label(text, MER) == label


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("不高兴", "no_label"),
        ("没有愤怒、悲伤或惊讶", "no_label"),
        ("看不出来", "no_label"),
        ("喜怒无常的人", "no_label"),
        ("愤怒和悲伤", "ambiguous"),
        ("不仅愤怒，而且悲伤", "ambiguous"),
        ("不知道是愤怒还是悲伤", "ambiguous"),
        ("中性，愤怒，快乐，悲伤，担心，惊讶", "ambiguous"),
        ("。", "empty"),
    ],
)
def test_what_states_no_single_label_is_unreadable(text: str, why: str) -> None:
    reading = read_label(text, MER)
    assert isinstance(reading, Unreadable) and reading.reason == why


def test_a_longer_word_is_not_its_beginning() -> None:
    space = space_of(["happy", "anxiety"])
    assert read_label("她不安", space) == "anxiety"
    assert read_label("她不安", space_of(["happy"])) == Unreadable("no_label", "她不安")
    assert read_label("她不安而高兴", space_of(["happy"])) == "happy"  # 不 belongs to 不安 and denies nothing


def test_spaces_with_chinese_names_are_read_in_both_languages() -> None:
    space = space_of(["生气", "难过"])
    assert read_label("angry", space) == "生气"
    assert read_label("愤怒", space) == "生气"
    assert read_labels("悲伤和愤怒", space) == ("生气", "难过")


@given(st.sampled_from(sorted(set(SPACE.names) & set(NAMES))), st.data())
def test_every_chinese_name_of_a_label_is_read_and_can_be_denied(head: str, data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(NAMES[head]))
    assert read_label(word, SPACE) == head
    if len(word) > 1:
        assert read_label(f"这个人感到{word}。", SPACE) == head
        assert isinstance(read_label(f"这个人并不是{word}。", SPACE), Unreadable)


def test_no_chinese_word_names_two_families() -> None:
    words = [word for names in NAMES.values() for word in names]
    assert len(words) == len(set(words))


def test_lists_numbers_spans_judgements_and_preferences() -> None:
    assert read_open_labels("开心、愤怒，焦虑") == ("开心", "愤怒", "焦虑")
    assert read_open_labels("他感到高兴和惊讶") == ("高兴", "惊讶")
    assert read_open_labels("无") == ()
    assert read_number("评分：8分，满分10分", 0, 10) == 8
    assert read_number("八分", 0, 10) == 8
    assert read_span("没有原因") == ""
    assert read_span("原因是“我丢了狗”。", "今天我丢了狗") == "我丢了狗"
    assert read_preference("第一个更好") == "a1"


@pytest.mark.parametrize(
    ("text", "holds"),
    [("正确", True), ("不正确", False), ("错误", False), ("对", True), ("不对。", False), ("是的，描述属实", True)],
)
def test_judgements(text: str, holds: bool) -> None:
    assert read_judgement(text) is holds


def test_a_word_that_judges_elsewhere_only() -> None:
    assert read_judgement("对他来说很难") == Unreadable("no_judgement", "对他来说很难")

"""Replies that quote, and replies that list pairs of an emotion and its cause, as models write them."""

from __future__ import annotations

from typing import Any

import pytest

from affectllm.labels import LabelSpace
from affectllm.labels.form import find_form
from affectllm.labels.reading.unreadable import Unreadable

WORDS = LabelSpace("words", "open", (), "test")
PAIRS = LabelSpace("pairs", "pairs", ("anger", "disgust", "fear", "joy", "sadness", "surprise"), "test")
PAIR = {"turn": 3, "emotion": "joy", "cause": 2}


@pytest.mark.parametrize(
    "reply",
    [
        '{"span": "I don\'t know"}',
        '```json\n{"answer": "I don\'t know"}\n```',
        '["I don\'t know"]',
        "```\nI don't know\n```",
        "'I don't know'",
        "‘I don't know’",
        "»I don't know«",
        "『I don't know』",
        "`I don't know`",
        "**I don't know**",
        '"I don\'t know".',
        "Answer: {'span': \"I don't know\"}".replace("'span'", '"span"'),
    ],
)
def test_a_passage_is_what_is_quoted(reply: str) -> None:
    assert find_form("passage").read(reply, WORDS, "en") == "I don't know"


@pytest.mark.parametrize(
    "reply", ["No cause.", "There is no such passage", '{"span": ""}', '{"answer": null}', "[]", '""', "N/A", "«»"]
)
def test_there_is_no_passage_in_an_answer_that_says_so(reply: str) -> None:
    assert find_form("passage").read(reply, WORDS, "en") == ""


@pytest.mark.parametrize(
    "reply", ["no", "impossible", "'tis me", '"No," she said', '"a" and "b"', "[laughs] oh", "{oh"]
)
def test_words_that_may_be_a_passage_are_one(reply: str) -> None:
    assert find_form("passage").read(reply, WORDS, "en") == reply


def test_several_passages_are_not_one() -> None:
    assert isinstance(find_form("passage").read('["one", "two"]', WORDS, "en"), Unreadable)
    assert isinstance(find_form("passage").read('{"span": 3}', WORDS, "en"), Unreadable)


@pytest.mark.parametrize(
    ("reply", "pairs"),
    [
        ('{"pairs": []}', ()),
        ("There are no emotion-cause pairs.", ()),
        ("No emotion with a cause.", ()),
        ('[{"Turn": 3, "Emotion": "Joy", "Cause": 2}]', (PAIR,)),
        ('[[{"cause": "第2句", "emotion": "joy", "turn": 3.0}]]', (PAIR,)),
        ('[{"turn": 3, "emotion": "joy", "cause": 2, "span": null}]', (PAIR,)),
        ('[{"turn": 3, "emotion": "joy", "cause": [2, 1]}]', (PAIR, {**PAIR, "cause": 1})),
        ("[{“turn”: 3, “emotion”: “joy”, “cause”: 2}]", (PAIR,)),
        ('{"turn": 3, "emotion": "joy", "cause": 2}\n{"turn": 1, "emotion": "fear", "cause": 1}',
         (PAIR, {"turn": 1, "emotion": "fear", "cause": 1})),
    ],
)  # fmt: skip
def test_pairs_are_read_as_models_write_them(reply: str, pairs: Any) -> None:
    assert find_form("pairs").read(reply, PAIRS, "en") == pairs


@pytest.mark.parametrize(
    "reply",
    [
        '[{"turn": 3, "emotion": "joy", "cause": 2}, {"turn": 4, "emotion": "ang',
        '[{"turn": 3, "emotion": "joy", "cause": []}]',
        '[{"turn": 3, "emotion": "joy", "cause": [1, 2], "span": "whose"}]',
        '[[3, "joy", 2]]',
        '[{"turn": 2.5, "emotion": "joy", "cause": 2}]',
    ],
)
def test_pairs_that_are_cut_off_or_lack_something_are_unreadable(reply: str) -> None:
    assert isinstance(find_form("pairs").read(reply, PAIRS, "en"), Unreadable)


def test_passages_of_turns_take_fields_in_capitals() -> None:
    space = LabelSpace("spans", "spans", (), "test")
    assert find_form("spans").read('[{"Turn": 3, "Span": "x"}]', space, "en") == ({"turn": 3, "span": "x"},)


OPTIONS = {"options": ["joy", "fear", "anger", "calm"], "right": ["A"]}


def _options(several: bool) -> LabelSpace:
    form = find_form("options")
    assert form.own_space is not None
    return form.own_space(LabelSpace("options", "options", (), "test", several=several), OPTIONS)


@pytest.mark.parametrize(
    "reply", ["A) yes, B) no, C) yes, D) no", "(A) Yes\n(B) No\n(C) Yes\n(D) No", "A: yes, C: yes"]
)
def test_a_verdict_on_an_option_is_not_its_choice(reply: str) -> None:
    assert find_form("options").read(reply, _options(several=True), "en") == ("a", "c")


@pytest.mark.parametrize("reply", ["A C", "AC", "A) yes, B) no, C) yes"])
def test_two_letters_are_no_answer_where_one_is_asked_for(reply: str) -> None:
    assert isinstance(find_form("options").read(reply, _options(several=False), "en"), Unreadable)


RANKED = LabelSpace("ranked", "distribution", ("anger", "fear", "joy"), "test")


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        ("From least to most: fear, anger, joy", "en"),
        ("In ascending order: fear, anger, joy", "en"),
        ("From weakest to strongest: fear < anger < joy", "en"),
        ("从弱到强：恐惧、愤怒、喜悦", "zh"),
        ("Aufsteigend: Angst, Wut, Freude", "de"),
        ("joy, anger, fear", "en"),
    ],
)
def test_an_order_that_rises_in_words_is_turned_round(reply: str, language: str) -> None:
    assert [*find_form("ranking").read(reply, RANKED, language)] == ["joy", "anger", "fear"]


@pytest.mark.parametrize("reply", ["joy = anger > fear", "From least to most: fear > anger > joy"])
def test_an_order_with_ties_or_of_two_directions_is_none(reply: str) -> None:
    assert isinstance(find_form("ranking").read(reply, RANKED, "en"), Unreadable)


@pytest.mark.parametrize(
    "reply",
    ["Yes: joy, anger. No: fear.", "Yes: joy, anger\nNo: fear, disgust", "**No:** fear\n**Yes:** joy and anger"],
)
def test_a_verdict_may_head_a_list_of_labels(reply: str) -> None:
    space = LabelSpace("set", "set", ("anger", "disgust", "fear", "joy"), "test")
    assert {*find_form("set").read(reply, space, "en")} == {"joy", "anger"}
    nobody = find_form("set").read("Yes: none. No: joy, anger, fear, disgust.", space, "en")
    assert nobody == ()

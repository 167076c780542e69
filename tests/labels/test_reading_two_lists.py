"""Replies that hold two lists, or a list with a letter that is no option: nothing of them is picked."""

from __future__ import annotations

import pytest

from affectllm.labels import LabelSpace
from affectllm.labels.form import find_form
from affectllm.labels.reading.label import read_label
from affectllm.labels.reading.sets import read_labels
from affectllm.labels.reading.unreadable import Unreadable

NAMES = ("joy", "anger", "fear")
SET = LabelSpace("several", "set", NAMES, source="test")
ONE = LabelSpace("one", "category", NAMES, source="test")
PAIRS = LabelSpace("pairs", "pairs", NAMES, source="test")
FIRST, SECOND = '[{"turn": 1, "emotion": "joy", "cause": 1}]', '[{"turn": 2, "emotion": "joy", "cause": 1}]'


def reason(reading: object) -> object:
    return reading.reason if isinstance(reading, Unreadable) else reading


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('["joy"] ["anger"]', "ambiguous"),
        ('["joy"]\n\nOr: ["joy", "fear"]', "ambiguous"),
        ('["joy", "anger"], that is ["anger", "joy"]', ("joy", "anger")),
        ('["joy", "anger", "fear"] are asked.\nAnswer: ["joy"]', ("joy",)),
        ('["joy"]\nCorrection: ["anger"]', ("anger",)),
        ('As [1] and [2] say: ["anger"]', ("anger",)),
        ('{"labels": ["joy"], "not": ["anger"]}', ("joy",)),
    ],
)
def test_of_two_lists_of_labels_none_is_picked(text: str, labels: object) -> None:
    assert reason(read_labels(text, SET)) == labels


@pytest.mark.parametrize(("text", "label"), [('["joy"] ["anger"]', "ambiguous"), ('["joy"] ["joy"]', "joy")])
def test_of_two_lists_no_label_is_picked(text: str, label: str) -> None:
    assert reason(read_label(text, ONE)) == label


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        (f"{FIRST} {SECOND}", "ambiguous"),
        (f"```json\n{FIRST}\n```\nand\n```json\n{SECOND}\n```", "ambiguous"),
        (f"{FIRST}\n{FIRST}", [1]),
        (f"{FIRST}\nAnswer: {SECOND}", [2]),
        (f"Turn [1] is glad: {FIRST}", [1]),
        (f"{FIRST[1:-1]}\n{SECOND[1:-1]}", [1, 2]),
    ],
)
def test_of_two_lists_of_pairs_none_is_picked(text: str, turns: object) -> None:
    reading = find_form("pairs").read(text, PAIRS, "en")
    assert (reason(reading) if isinstance(reading, Unreadable) else [pair["turn"] for pair in reading]) == turns


@pytest.mark.parametrize(
    ("text", "several", "single"),
    [
        ("[x, E]", "no_label", "no_label"),
        ("A, X", "no_label", "no_label"),
        ("Answer: B and X", "no_label", "no_label"),
        ("B or Z", "no_label", "no_label"),
        ("['A', 'Z']", "no_label", "no_label"),
        ('{"answer": ["B", "Z"]}', "no_label", "no_label"),
        ("B X", "no_label", "no_label"),
        ("[A, E]", ("a", "e"), "ambiguous"),
        ("A and E", ("a", "e"), "ambiguous"),
        ("[E]", ("e",), ("e",)),
        ("E", ("e",), ("e",)),
        ("Option B. Vitamin C helps.", ("b",), ("b",)),
        ("The answer is B, not Z", ("b",), ("b",)),
    ],
)
def test_a_list_with_a_letter_that_is_no_option_is_no_answer(text: str, several: object, single: object) -> None:
    form = find_form("options")
    gold = {"options": ["Calm", "Glad", "Sad", "Angry", "Odd"], "right": ["A"]}
    for is_several, expected in ((True, several), (False, single)):
        space = LabelSpace("own", "options", (), source="test", several=is_several)
        assert form.own_space is not None
        assert reason(form.read(text, form.own_space(space, gold), "en")) == expected

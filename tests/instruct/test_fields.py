"""Replies to two questions at once in other words than were asked for: read where only one thing can be meant."""

from __future__ import annotations

from typing import Any

import pytest

from affectllm.instruct import load_template
from affectllm.instruct.reader import Reader
from affectllm.instruct.slots import Slot
from affectllm.labels import LabelSpace
from affectllm.labels.reading import Unreadable

EMOTION = LabelSpace("emotion", "category", ("anger", "joy", "fear"), source="test")
LEVEL = LabelSpace("level", "dimension", ("intensity",), source="test", bounds=(0.0, 5.0))
CAUSE = LabelSpace("cause", "open", (), source="test")


def reader(name: str, form: str, space: LabelSpace, sentence: str) -> Reader:
    slots = (Slot("emotion", "choice", EMOTION, "crowd"), Slot(name, form, space, "crowd"))
    return Reader(slots, sentence, "en")


@pytest.fixture
def strength() -> Reader:
    return reader("intensity", "scores", LEVEL, "The emotion is {emotion}, of intensity {intensity}")


@pytest.fixture
def cause() -> Reader:
    return reader("cause", "reply", CAUSE, "They feel {emotion} since {cause}")


def values(reading: Any) -> list[Any]:
    assert not isinstance(reading, Unreadable), reading
    return [annotation.value for annotation in reading]


@pytest.mark.parametrize(
    "reply",
    [
        "Label: anger\nIntensity: 3",
        "label = anger, score = 3",
        "**Emotion:** anger\n**Rating:** 3",
        "- Category: anger\n- Intensity: 3",
        "intensity: 3; emotion: anger",
        '{"label": "anger", "score": 3}',
        '```json\n{"emotion": "anger", "rating": 3, "comment": "loud"}\n```',
        "The emotion is anger, of intensity 3",
    ],
)
def test_fields_are_read_by_the_kind_of_their_answer(reply: str, strength: Reader) -> None:
    reading = strength.read(reply)
    assert values(reading) == ["anger", {"intensity": 3.0}]


@pytest.mark.parametrize(
    "reply",
    [
        "Label: anger\nEmotion: joy\nIntensity: 3",  # two labels
        '{"label": "anger", "category": "joy", "score": 3}',
        "Label: anger",
        "Label: anger\nMood: 3",
        "It may be that label: anger\nIntensity: 3",
        "anger 3 2",
    ],
)
def test_what_could_mean_two_things_is_not_read(reply: str, strength: Reader) -> None:
    assert isinstance(strength.read(reply), Unreadable)


def test_a_label_beside_a_named_slot_of_the_same_kind_is_the_other_one() -> None:
    levels = LabelSpace("levels", "category", ("low", "high"), source="test")
    also = {"intensity": (levels, "crowd")}
    shipped = load_template("emotion_with_intensity", space=EMOTION, rater="crowd", modalities=("text",), also=also)
    for reply in (
        "Label: anger\nIntensity: high",
        '{"label": "anger", "intensity": "high"}',
        "intensity: high\nlabel: anger",
    ):
        assert values(shipped.read(reply)) == ["anger", "high"]


@pytest.mark.parametrize("reply", ["label: joy\nlabel: anger", '{"label": "joy", "emotion": "anger"}'])
def test_two_slots_of_one_kind_need_their_names(reply: str) -> None:
    also = {"reader": (EMOTION, "crowd")}
    both = load_template("writer_and_reader", space=EMOTION, rater="crowd", modalities=("text",), also=also)
    assert isinstance(both.read(reply), Unreadable)
    assert values(both.read("Reader = joy\nWriter = anger")) == ["anger", "joy"]


@pytest.mark.parametrize(
    "reply",
    [
        "anger; the cause is that he lost his ring",
        "anger\nhe lost his ring",
        "Anger; Cause: he lost his ring",
        '{"emotion": "anger", "reason": "he lost his ring"}',
        "Label: anger\nReason: he lost his ring",
    ],
)
def test_one_label_before_free_words_is_told_from_them(reply: str, cause: Reader) -> None:
    reading = cause.read(reply)
    assert values(reading) == ["anger", "he lost his ring"]


@pytest.mark.parametrize("reply", ["anger or joy; the cause is a ring", "He lost his ring; anger", "anger;"])
def test_words_without_one_label_before_them_are_not_read(reply: str, cause: Reader) -> None:
    assert isinstance(cause.read(reply), Unreadable)

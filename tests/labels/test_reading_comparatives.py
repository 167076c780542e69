"""A ranking in words that compare is read in the right order, or not at all."""

from __future__ import annotations

import pytest

from affectllm.labels import LabelSpace
from affectllm.labels.names import understood
from affectllm.labels.reading import Unreadable
from affectllm.labels.reading.order import read_order

SPACE = LabelSpace("four", "distribution", ("joy", "anger", "fear", "sadness"), source="test")


@pytest.mark.parametrize(
    ("text", "language", "order"),
    [
        ("anger is weaker than joy", "en", "joy anger"),
        ("Joy is stronger than anger.", "en", "joy anger"),
        ("anger is much less intense than joy", "en", "joy anger"),
        ("Answer: fear is more present than joy", "en", "fear joy"),
        ("Joy is stronger than anger, which is stronger than fear.", "en", "joy anger fear"),
        ("fear is lower than anger, and anger is lower than joy", "en", "joy anger fear"),
        ("Joy exceeds anger", "en", "joy anger"),
        ("Wut ist schwächer als Freude", "de", "joy anger"),
        ("Freude ist stärker als Wut", "de", "joy anger"),
        ("la colère est moins forte que la joie", "fr", "joy anger"),
        ("la ira es más fuerte que la alegría", "es", "anger joy"),
        ("la rabbia è meno forte della gioia", "it", "joy anger"),
        ("a raiva é menos forte do que a alegria", "pt", "joy anger"),
        ("愤怒弱于快乐", "zh", "joy anger"),
        ("joy > anger > fear", "en", "joy anger fear"),
        ("joy, then anger, then fear", "en", "joy anger fear"),
        ("1. joy\n2. anger\n3. fear", "en", "joy anger fear"),
        ("joy 60%, anger 30%, fear 10%", "en", "joy anger fear"),
        ("joy 0.9, anger 0.5", "en", "joy anger"),
        ("anger < joy", "en", "joy anger"),
        ("From least to most: fear, anger, joy", "en", "joy anger fear"),
        ('["joy", "anger"]', "en", "joy anger"),
        ('{"ranking": "joy, anger"}', "en", "joy anger"),
        ("Anger was seen first. Answer: joy, anger", "en", "joy anger"),
        ("I see 1 emotion: joy", "en", "joy"),
    ],
)
def test_comparatives_are_read_in_their_direction(text: str, language: str, order: str) -> None:
    assert read_order(text, understood(SPACE, language)) == tuple(order.split())


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("joy is not stronger than anger", "en"),
        ("joy isn't stronger than anger", "en"),
        ("joy is stronger than anger and fear", "en"),
        ("joy is stronger than fear, anger is stronger than joy", "en"),
        ("joy is stronger than anger, anger is stronger than joy", "en"),
        ("anger is weaker than joy and stronger than fear", "en"),
        ("Compared with anger, joy is stronger", "en"),
        ("1. joy\n3. anger\n2. fear", "en"),
        ("2. joy\n3. anger\n4. fear", "en"),
        ("anger: 40%, joy: 60%", "en"),
        ("joy is stronger than or weaker than anger", "en"),
        ("anger < joy > fear", "en"),
        ("From least to most: anger > joy", "en"),
        ('["joy", "anger", "joy"]', "en"),
        ('{"joy": 1, "anger": 2}', "en"),
        ("There is less anger than joy", "en"),
        ("Wut ist nicht schwächer als Freude", "de"),
        ("怒りは喜びより弱い", "ja"),
        ("愤怒比快乐强", "zh"),
    ],
)
def test_what_gives_no_order_is_not_read(text: str, language: str) -> None:
    reading = read_order(text, understood(SPACE, language))
    assert isinstance(reading, Unreadable) and reading.reason == "ambiguous"

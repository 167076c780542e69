"""Emotions in one's own words, listed."""

from __future__ import annotations

from typing import Any

from affectllm.labels.form import Form, shape_of
from affectllm.labels.forms._words import say_words, words
from affectllm.labels.reading.sets import read_open_labels
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def _read(text: str, space: LabelSpace, language: str) -> Any:
    reading = read_open_labels(text)
    return reading if isinstance(reading, Unreadable) else ", ".join(reading)


def _listed(value: Any, space: LabelSpace) -> list[str]:
    labels = read_open_labels(value)
    return [] if isinstance(labels, Unreadable) else list(labels)


def _agreement(answer: Any, gold: Any, space: LabelSpace) -> float:
    """Return the Jaccard similarity of the words of both."""
    ours, theirs = set(_listed(answer, space)), set(_listed(gold, space))
    return len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0


FORM = Form(
    description="words for emotions",
    kinds=("open",),
    gold=words,
    worded=say_words,
    read=_read,
    shape=shape_of("set"),
    tokens=64,
    truth=_listed,
    answer=_listed,
    agreement=_agreement,
    texts=lambda gold: [gold],
    free=True,
)

"""Emotions in one's own words, listed."""

from __future__ import annotations

from typing import Any

from affectllm.labels.form import Form, shape_of
from affectllm.labels.forms._words import say_words, words
from affectllm.labels.reading.sets import read_open_labels
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def _read(text: str, space: LabelSpace, language: str) -> Any:
    found = read_open_labels(text)
    return found if isinstance(found, Unreadable) else ", ".join(found)


def _listed(value: Any, space: LabelSpace) -> list[str]:
    found = read_open_labels(value)
    return [] if isinstance(found, Unreadable) else list(found)


def _agreement(answer: Any, gold: Any, space: LabelSpace) -> float:
    """Words in common among all that either names."""
    ours, theirs = set(_listed(answer, space)), set(_listed(gold, space))
    return len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0


FORM = Form(
    told="words for emotions",
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

"""Emotions in one's own words, listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from affectllm.labels.form import Form, shape_of
from affectllm.labels.forms._words import say_words, words
from affectllm.labels.pictures import Matrix, Rates, given_rates, matrix
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


def _pictured(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Matrix | Rates]:
    """Yield how the commonest right words are found, and how many words are given."""
    right = [_listed(gold, space) for gold in golds]
    given = [[] if one is None else _listed(one, space) for one in readings]
    common = [word for word, _ in Counter(word for one in right for word in set(one)).most_common(15)]
    yield given_rates("The commonest right words, as they are spelt", right, given, common)
    sizes = [(min(len(one), 6), min(len(other), 6)) for one, other in zip(right, given, strict=True)]
    yield matrix("Words of an item, right and given (6: or more)", sizes, range(7), "other")


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
    pictures=_pictured,
)

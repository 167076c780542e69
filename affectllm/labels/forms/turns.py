"""The turns of a dialogue, by number, and ``background`` for what was not said in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from affectllm.labels.form import Form, Refused, shape_of
from affectllm.labels.forms._passages import BACKGROUND, f1, last, shown_passages, turns
from affectllm.labels.pictures import Picture
from affectllm.labels.reading.spoken import words
from affectllm.labels.reading.structure import after_answer
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import bare
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace

# A range or a sign ("3–5", "3..5", "-3") is kept as a word, so that it is no list of two turns.
_WORD = re.compile(r"\w+|[-‐‑‒–—−~〜～](?=\s?(?:turn\s?)?\d)|(?<=\d)\s?(?:\.{2,3}|…|->|→)(?=\s?\d)")
_BULLET = re.compile(r"^\s*[-•*]\s+", re.MULTILINE)


def _gold(value: Any, space: LabelSpace) -> Any:
    return [{"turn": turn} for turn in turns(value)] or Refused("no_turn")


def _worded(gold: Any, space: LabelSpace, language: str, nothing: str) -> str:
    return ", ".join(map(str, turns(gold)))


def _read(text: str, space: LabelSpace, language: str) -> Any:
    """Read the numbers of the turns that an answer lists, in its order; prose is not searched."""
    part = answer_part(text)
    if isinstance(part, Unreadable):
        return part
    tokens = _WORD.findall(bare(_BULLET.sub("", after_answer(part) or part)))
    items = [word for word in tokens if word not in words("turn_words")]
    if not items:
        return Unreadable("no_number", text)
    if not all(word == BACKGROUND or (word.isdecimal() and len(word) <= 4) for word in items):
        return Unreadable("ambiguous", text)
    numbers = dict.fromkeys(word if word == BACKGROUND else int(word) for word in items)
    return tuple({"turn": turn} for turn in numbers)


def _names(value: Any, space: LabelSpace) -> list[str]:
    return [str(turn) for turn in turns(value)]


def _pictured(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Picture]:
    sides = [[turns(one or ()) for one in side] for side in (golds, readings)]
    yield from shown_passages("Turns that are found, by how many are right", *sides)


FORM = Form(
    description="turns of a dialogue",
    kinds=("spans",),
    gold=_gold,
    worded=_worded,
    read=_read,
    shape=shape_of("set"),
    tokens=48,
    truth=_names,
    answer=_names,
    agreement=lambda answer, gold, space: f1(turns(answer), turns(gold)),
    free=True,
    last_turn=last,
    pictures=_pictured,
)

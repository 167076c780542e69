"""Read a ranking of labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from affectllm.labels.reading.label import AMBIGUOUS, NO_LABEL
from affectllm.labels.reading.mentions import affirmed
from affectllm.labels.reading.spoken import any_word, compiled, pattern, words
from affectllm.labels.reading.structure import ABSENT, after_answer, json_objects, json_value
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import as_text, bare
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.reading.words import vocabulary
from affectllm.labels.space import LabelSpace

_NUMBERS = re.compile(r"(?<![\w.])\d{1,4}(?:\.\d{1,4})?(?!\w|\.\d)")
_exceeds = compiled(lambda: pattern("exceeds"))
_falls_short = compiled(lambda: pattern("falls_short"))
_denied_end = compiled(lambda: rf"(?<!\w)(?:{any_word('deny')}|\w+n['’]t)\W{{0,3}}$")
_compares = compiled(lambda: pattern("compares"))
_RISING = re.compile(r"\w\s*<\s*\w")
_LEVEL = re.compile(r"[^\W\d]\s*[=≈]\s*[^\W\d]")  # of two labels
_rising_order = compiled(lambda: rf"(?<!\w)(?:{any_word('rising_order')})")


def read_order(text: Any, space: LabelSpace) -> tuple[str, ...] | Unreadable:
    """Return the labels that an answer ranks, best first; ``a < b`` and ``from least to most: a, b`` rank b before a.

    Read are a JSON list, what follows ``Answer:``, and otherwise the labels that are mentioned and not denied, each
    where it is mentioned first. A list that names a label twice is ``ambiguous``, and so is ``a < b > c``.
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    if not bare(part):
        return Unreadable("empty", raw)
    label_words = vocabulary(space)
    value = json_value(part, words("field_order"))
    if value is not ABSENT and isinstance(value, list):
        listed = [label_words.get(bare(str(item))) for item in value]
        ranked = [name for name in listed if name is not None]
        if len(set(ranked)) < len(ranked):
            return Unreadable(AMBIGUOUS, raw)
        return tuple(ranked) if ranked and len(ranked) == len(listed) else Unreadable(NO_LABEL, raw)
    if not isinstance(value, str) and (value is not ABSENT or any(map(bool, json_objects(part)))):
        return Unreadable(AMBIGUOUS, raw)  # its numbers may be ranks or weights
    statement = value if isinstance(value, str) else after_answer(part) or part
    if (compared := _compared(statement, label_words)) is not None:
        return compared or Unreadable(AMBIGUOUS, raw)
    rising = _rises(statement, part)
    if rising is None:
        return Unreadable(AMBIGUOUS, raw)
    # Where the labels are numbers, such as points of a scale, a number is a label and no place.
    if _out_of_order([float(number) for number in _NUMBERS.findall(statement) if number not in label_words]):
        return Unreadable(AMBIGUOUS, raw)
    names = affirmed(statement.replace(">", ", ").replace("<", ", "), label_words)
    if not names:
        return Unreadable(NO_LABEL, raw)
    return tuple(reversed(names)) if rising else tuple(names)


def _rises(statement: str, part: str) -> bool | None:
    """Whether the first label is the weakest, by marks or by words of the answer; None where they say two things."""
    marked, named = _RISING.search(statement) is not None, _rising_order().search(part.lower()) is not None
    if _LEVEL.search(statement) or (">" in statement and (marked or named)):
        return None
    return marked or named


def _compared(statement: str, label_words: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the labels of "joy is stronger than anger", best first; None where no words compare labels.

    Empty where they do and no order follows: both directions, a denial, two labels on one side, another way to compare.
    """
    lowered = statement.lower()
    falling, rising = _exceeds().split(lowered), _falls_short().split(lowered)
    if len(falling) == len(rising) == 1:
        return () if _compares().search(lowered) else None
    if len(falling) > 1 and len(rising) > 1:
        return ()
    sides = [affirmed(side, label_words) for side in max(falling, rising, key=len)]
    names = [names[0] for names in sides if len(names) == 1]
    denied = any(_denied_end().search(side) for side in max(falling, rising, key=len)[:-1])
    if denied or len(names) < len(sides) or len(set(names)) < len(names):
        return ()
    return tuple(names if len(falling) > 1 else reversed(names))


def _out_of_order(numbers: Sequence[float]) -> bool:
    """Whether numbers are neither places from the first on nor falling weights: ``anger: 40%, joy: 60%``."""
    places = [float(place) for place in range(1, len(numbers) + 1)]
    falling = all(one > other for one, other in pairwise(numbers)) and sorted(numbers) != places
    return numbers != places and not falling

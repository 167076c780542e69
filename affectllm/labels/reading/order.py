"""Read a ranking of labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from affectllm.labels.reading.label import AMBIGUOUS, NO_LABEL
from affectllm.labels.reading.mentions import affirmed
from affectllm.labels.reading.spoken import words
from affectllm.labels.reading.structure import ABSENT, after_answer, json_objects, json_value
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import as_text, bare
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.reading.words import vocabulary
from affectllm.labels.space import LabelSpace

_NUMBERS = re.compile(r"(?<![\w.])\d{1,4}(?:\.\d{1,4})?(?!\w|\.\d)")
_RISING = re.compile(r"\w\s*<\s*\w")


def read_order(text: Any, space: LabelSpace) -> tuple[str, ...] | Unreadable:
    """Return the labels that an answer ranks, best first; ``a < b`` ranks b before a.

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
    rising = _RISING.search(statement) is not None
    if rising and ">" in statement:
        return Unreadable(AMBIGUOUS, raw)
    # Where the labels are numbers, such as points of a scale, a number is a label and no place.
    if _out_of_order([float(number) for number in _NUMBERS.findall(statement) if number not in label_words]):
        return Unreadable(AMBIGUOUS, raw)
    names = affirmed(statement.replace(">", ", ").replace("<", ", "), label_words)
    if not names:
        return Unreadable(NO_LABEL, raw)
    return tuple(reversed(names)) if rising else tuple(names)


def _out_of_order(numbers: Sequence[float]) -> bool:
    """Whether numbers are neither places from the first on nor falling weights: ``anger: 40%, joy: 60%``."""
    places = [float(place) for place in range(1, len(numbers) + 1)]
    falling = all(one > other for one, other in pairwise(numbers)) and sorted(numbers) != places
    return len(numbers) > 1 and numbers != places and not falling

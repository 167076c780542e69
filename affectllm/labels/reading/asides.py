"""Labels by which an answer speaks of itself, comments on its sentence or is polite; and labels denied right before."""

from __future__ import annotations

import re

from affectllm.labels.reading.chinese import simplified
from affectllm.labels.reading.english import ASIDES_OF
from affectllm.labels.reading.negation import ASIDES, BEFORE

_REACH = 80  # characters on either side of a label
_BEFORE = re.compile(BEFORE)
Pair = tuple[re.Pattern[str], re.Pattern[str]]


def _compiled(pairs: tuple[tuple[str, str], ...]) -> tuple[Pair, ...]:
    return tuple((re.compile(before), re.compile(after)) for before, after in pairs)


_ANY = _compiled(ASIDES)
_OF = {word: _compiled(pairs) for word, pairs in ASIDES_OF.items()}


def surroundings(sentence: str, start: int, end: int) -> tuple[str, str]:
    """What stands before and after a label, as far as it matters, with a letter in place of what is cut off."""
    before = ("x" if start > _REACH else "") + sentence[max(0, start - _REACH) : start]
    return before, sentence[end : end + _REACH] + ("x" if len(sentence) > end + _REACH else "")


def is_aside(word: str, before: str, after: str) -> bool:
    """Whether the label ``word`` between these words says nothing of what was asked."""
    before, after = simplified(before), simplified(after)
    return any(one.search(before) and other.match(after) for one, other in (*_ANY, *_OF.get(word, ())))


def is_denied_before(before: str) -> bool:
    """Whether what stands right before a label denies it: ``0% joy``, ``the opposite of joy``."""
    return _BEFORE.search(before) is not None

"""Labels by which an answer speaks of itself, comments on its sentence or is polite; and labels denied right before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from affectllm.labels.language import languages, split
from affectllm.labels.reading.negation import denies_before
from affectllm.labels.reading.spoken import compiled, simplified

_REACH = 80  # characters on either side of a label
_BEFORE = compiled(denies_before)
Pair = tuple[re.Pattern[str], re.Pattern[str]]


@cache
def _asides() -> Mapping[str, tuple[Pair, ...]]:
    """Label word → what stands around it where it states nothing; under the empty word, around any label."""
    found: dict[str, tuple[Pair, ...]] = {"": ()}
    for language in languages().values():
        for aside in language.asides:
            pair = re.compile(aside.before), re.compile(aside.after)
            for word in split(aside.words) or ("",):
                found[word] = (*found.get(word, ()), pair)
    return found


def surroundings(sentence: str, start: int, end: int) -> tuple[str, str]:
    """What stands before and after a label, as far as it matters, with a letter in place of what is cut off."""
    before = ("x" if start > _REACH else "") + sentence[max(0, start - _REACH) : start]
    return before, sentence[end : end + _REACH] + ("x" if len(sentence) > end + _REACH else "")


def is_aside(word: str, before: str, after: str) -> bool:
    """Whether the label ``word`` between these words says nothing of what was asked."""
    before, after = simplified(before), simplified(after)
    return any(one.search(before) and other.match(after) for one, other in (*_asides()[""], *_asides().get(word, ())))


def is_denied_before(before: str) -> bool:
    """Whether what stands right before a label denies it: ``0% joy``, ``the opposite of joy``."""
    return _BEFORE().search(before) is not None

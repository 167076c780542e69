"""Detect labels that state nothing (the answerer's own feelings, comments, courtesies) or are denied right before."""

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
    """Map a label word to the contexts in which it states nothing; the empty word holds the contexts of any label."""
    pairs: dict[str, tuple[Pair, ...]] = {"": ()}
    for language in languages().values():
        for aside in language.asides:
            pair = re.compile(aside.before), re.compile(aside.after)
            for word in split(aside.words) or ("",):
                pairs[word] = (*pairs.get(word, ()), pair)
    return pairs


def surroundings(sentence: str, start: int, end: int) -> tuple[str, str]:
    """Return the text within ``_REACH`` of a label, before and after it, with a letter for what is cut off behind."""
    # The letter keeps a pattern that is anchored at the end of a sentence from matching at the cut.
    after, more = sentence[end : end + _REACH], sentence[end + _REACH :]
    return sentence[max(0, start - _REACH) : start], after + ("x" if more else "")


def is_aside(word: str, before: str, after: str) -> bool:
    """Whether the label ``word`` in this context is an aside, which says nothing of what was asked."""
    before, after = simplified(before), simplified(after)
    return any(one.search(before) and other.match(after) for one, other in (*_asides()[""], *_asides().get(word, ())))


def is_denied_before(before: str) -> bool:
    """Whether the text right before a label denies it: ``0% joy``, ``the opposite of joy``."""
    return _BEFORE().search(before) is not None

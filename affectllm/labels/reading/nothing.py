"""Recognise whole answers that say that no label applies, in every language; shared by readers and builders."""

from __future__ import annotations

from functools import cache

from affectllm.labels.reading.spoken import compiled, pattern, words
from affectllm.labels.reading.text import bare

_SAYS_NOTHING = compiled(lambda: pattern("says_nothing"))


@cache
def nothing_words() -> frozenset[str]:
    """Return the whole answers that say that no label applies, as ``bare`` gives them."""
    return frozenset(map(bare, (*words("nothing"), *words("no_emotion"))))


def says_nothing(text: str) -> bool:
    """Whether a whole answer says that no label applies; ``neutral`` by itself only where that is no label."""
    answer = bare(text)
    return answer in nothing_words() or _SAYS_NOTHING().fullmatch(answer) is not None

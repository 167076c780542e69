"""The sentence of an answer: one or several answers between fixed words, filled in and taken apart again."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from functools import lru_cache


@lru_cache(maxsize=256)
def _pieces(sentence: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((literal, name) for literal, name, _, _ in string.Formatter().parse(sentence))


@lru_cache(maxsize=256)
def _pattern(sentence: str) -> re.Pattern[str]:
    """Fixed words with any blanks and any case between answers; each answer ends where the next fixed words begin."""
    parts = []
    for literal, name in _pieces(sentence):
        words = [re.escape(word) for word in literal.split()]
        # Blanks at the ends of the fixed words belong to them: "because" is no part of "{a} because {b}"'s answers.
        parts.append(r"\s*" + r"\s+".join(words) + r"\s*" if words else r"\s*")
        if name is not None:
            parts.append(f"(?P<{name}>.+?)")
    return re.compile("".join(parts) + r"\s*$", re.IGNORECASE | re.DOTALL)


def take_apart(sentence: str, text: str) -> Mapping[str, str] | None:
    """Answer name → its part of ``text``, or None where the fixed words are not there in their order."""
    found = _pattern(sentence).search(text.strip())
    return found.groupdict() if found else None


def is_plain(sentence: str) -> bool:
    """Whether the sentence is one answer and nothing else around it."""
    return len(_pieces(sentence)) == 1 and not _pieces(sentence)[0][0]

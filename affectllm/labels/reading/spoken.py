"""Words and patterns of all languages of the lexicon together, since a reader does not know the answer's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from affectllm.labels.language import languages
from affectllm.labels.reading.alternatives import alternatives


@cache
def words(key: str) -> tuple[str, ...]:
    """Return the words of a kind in every language, also in traditional characters, each once; English first."""
    unique: dict[str, None] = {}
    for language in languages().values():
        for word in language.listed(key):
            unique |= {word: None, language.traditional(word): None}
    return tuple(unique)


def any_word(key: str, but: Iterable[str] = ()) -> str:
    """Return a pattern that matches any word of a kind."""
    return alternatives(word for word in words(key) if word not in set(but))


def pattern(key: str, *, otherwise: str = "(?!)", **fills: str) -> str:
    """Return the patterns of a kind in every language, joined into one.

    Args:
        otherwise: where no language has one; by default what matches nothing.
        fills: what stands in place of ``@{labels}`` and ``@{end}``.
    """
    joined = "|".join(one for language in languages().values() for one in language.patterns.get(key, ()))
    for name, fill in fills.items():
        joined = joined.replace(f"@{{{name}}}", fill)
    return f"(?:{joined})" if joined else otherwise


def compiled(build: Callable[[], str], flags: int = 0) -> Callable[[], re.Pattern[str]]:
    """Return a function that compiles a regular expression when first called, so that import reads no lexicon page."""
    return cache(lambda: re.compile(build(), flags))


@cache
def simplified_table() -> dict[int, str]:
    """Map each traditional character to the simplified one, for ``str.translate``."""
    tables = (language.characters for language in languages().values() if language.characters)
    return {
        ord(other): plain
        for table in tables
        for plain, other in zip(table.simplified, table.traditional, strict=True)
        if plain != other
    }


def simplified(text: str) -> str:
    """Return ``text`` in simplified characters, character by character."""
    return text.translate(simplified_table())


def traditional(text: str) -> str:
    """Return ``text`` in traditional characters, as far as the lexicon has them."""
    for language in languages().values():
        text = language.traditional(text)
    return text

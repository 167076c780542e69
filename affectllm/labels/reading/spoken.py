"""What all languages of the lexicon say, together: nobody tells a reader in which language a model answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from affectllm.labels.language import languages
from affectllm.labels.reading.alternatives import alternatives


@cache
def words(key: str) -> tuple[str, ...]:
    """The words of a kind in every language, in both kinds of characters, each once; English first."""
    found: dict[str, None] = {}
    for language in languages().values():
        for word in language.listed(key):
            found |= {word: None, language.traditional(word): None}
    return tuple(found)


def any_word(key: str, but: Iterable[str] = ()) -> str:
    """A pattern of the words of a kind, for searching from place to place."""
    return alternatives(word for word in words(key) if word not in set(but))


def pattern(key: str, *, otherwise: str = "(?!)", **fills: str) -> str:
    """The patterns of a kind in every language as one.

    Args:
        otherwise: where no language has one; by default what matches nothing.
        fills: what stands in place of ``@{labels}`` and ``@{end}``.
    """
    found = "|".join(one for language in languages().values() for one in language.patterns.get(key, ()))
    for name, fill in fills.items():
        found = found.replace(f"@{{{name}}}", fill)
    return f"(?:{found})" if found else otherwise


def compiled(build: Callable[[], str], flags: int = 0) -> Callable[[], re.Pattern[str]]:
    """A regular expression that is made of words of the lexicon when it is first needed."""
    return cache(lambda: re.compile(build(), flags))


@cache
def simplified_table() -> dict[int, str]:
    """Traditional character → the simplified one."""
    tables = (language.characters for language in languages().values() if language.characters)
    return {
        ord(other): plain
        for table in tables
        for plain, other in zip(table.simplified, table.traditional, strict=True)
        if plain != other
    }


def simplified(text: str) -> str:
    """``text`` in simplified characters, character by character."""
    return text.translate(simplified_table())


def traditional(text: str) -> str:
    """``text`` in traditional characters, as far as the lexicon has them."""
    for language in languages().values():
        text = language.traditional(text)
    return text

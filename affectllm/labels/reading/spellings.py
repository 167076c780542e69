"""Generate spellings of a word: British and American, joined and apart, without accents, in traditional characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache

from affectllm.labels.language import languages, split
from affectllm.labels.reading.spoken import simplified, traditional, words

_ACCENT = re.compile("[\u0300-\u036f]")
_JOINTS = re.compile(r"[ \-]")


@cache
def _endings() -> tuple[tuple[str, str], ...]:
    """Return the pairs of endings that are spelt in two ways: -ise, -ize."""
    pair_lists = (split(language.endings) for language in languages().values())
    return tuple((one, other) for pairs in pair_lists for one, _, other in (pair.partition("/") for pair in pairs))


@cache
def _letters() -> tuple[dict[int, str], ...]:
    """Return, per language, the table of letters that people write in place of others."""
    tables = (language.letters for language in languages().values() if language.letters)
    return tuple({ord(letter): other for letter, other in letters.items()} for letters in tables)


@cache
def _respelt() -> Mapping[str, str]:
    """Map the first word of a name to another form of it."""
    return {word: other for language in languages().values() for word, other in language.respelt.items()}


def spellings(word: str) -> Iterator[str]:
    """Yield spellings of ``word``, with ``word`` itself, possibly with repetitions."""
    yield word
    yield traditional(word)
    yield simplified(word)
    yield from (word.translate(letters) for letters in _letters())
    yield unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", word)))
    for one, other in _endings():
        yield from (word.removesuffix(a) + b for a, b in ((one, other), (other, one)) if word.endswith(a))
    first, blank, rest = word.partition(" ")
    if first in _respelt():  # "strong negative"
        yield _respelt()[first] + blank + rest
    if _JOINTS.search(word) and len(word) > 3:
        yield from (_JOINTS.sub(joint, word) for joint in ("-", " ", ""))
    if "/" in word:
        yield word.replace("/", " / ")
        yield from (word.replace("/", f" {one} ") for one in words("or"))

"""The words of a text as comparisons see them: what two copies of one sentence have in common, however they were typed.

A text becomes NFKC, case-folded words, each without punctuation at its edges, since one release writes ``ring.`` and
the next ``ring .``; symbols (emoji among them) stay. Scripts without spaces between words (Chinese, Japanese, Thai,
Lao, Khmer, Burmese) are taken character by character.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from typing import NamedTuple

# Shorter texts ("Yeah.") recur by chance in any two corpora. Ten characters are about six words of Chinese.
SHORT_WORDS, SHORT_CHARACTERS = 6, 10
UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "km", "my"})
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Normalised(NamedTuple):
    """A text made comparable.

    Attributes:
        form: normalised words, one space between them; texts with the same form are the same text.
        tokens: words, or characters where the script has no spaces.
        short: too short for a resemblance to mean anything.
    """

    form: str
    tokens: list[str]
    short: bool


def normalised(text: str, language: str | None = None) -> Normalised:
    """Normalise a text; ``language`` is a BCP-47 tag, and without one the script decides whether words have spaces."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    edges = _ASCII if plain.isascii() else _punctuation()
    words = [word for raw in plain.casefold().split() if (word := raw.strip(edges))]
    form = " ".join(words)
    if not _unspaced(form, language):
        return Normalised(form, words, len(words) < SHORT_WORDS)
    characters = [letter for letter in "".join(words) if letter not in edges]
    return Normalised(form, characters, len(characters) < SHORT_CHARACTERS)


def _unspaced(form: str, language: str | None) -> bool:
    if language:
        return language.partition("-")[0].lower() in UNSPACED
    # More than half of the letters: a shrug with one katakana in it is still English.
    return not form.isascii() and 2 * len(_UNSPACED.findall(form)) > len(form) - form.count(" ")


@functools.cache
def _punctuation() -> str:
    return "".join(c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c).startswith("P"))


_ASCII = "".join(c for c in map(chr, range(128)) if unicodedata.category(c).startswith("P"))

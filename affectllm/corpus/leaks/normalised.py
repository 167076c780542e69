"""Normalise texts for comparison, so that two copies of one sentence are equal however they were typed.

A text becomes NFKC, case-folded words without HTML, addresses, names of users, accents, punctuation and signs that
cannot be seen, in the letters of one script (see ``lookalikes``); symbols (emoji among them) stay. One release writes
``ring.``, the next ``ring .``; one ``well-known``, the next ``well known``. Scripts without spaces between words
(Chinese, Japanese, Thai, Lao, Khmer, Burmese) are taken character by character.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from typing import NamedTuple

from affectllm.corpus.leaks.lookalikes import unmasked
from affectllm.corpus.leaks.markup import visible, without_accents, without_markup

# Shorter texts ("Yeah.") recur by chance in any two corpora. Ten characters are about six words of Chinese.
SHORT_WORDS, SHORT_CHARACTERS = 6, 10
UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "km", "my"})
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Normalised(NamedTuple):
    """A text made comparable.

    Attributes:
        form: normalised words, one space between them; texts whose forms have the same letters are the same text,
            since where words are parted is the taste of a tokenizer.
        tokens: words, or characters where the script has no spaces.
        short: too short for a resemblance to mean anything.
    """

    form: str
    tokens: list[str]
    short: bool


def normalised(text: str, language: str | None = None) -> Normalised:
    """Normalise a text; ``language`` is a BCP-47 tag, and without one the script decides whether words have spaces."""
    plain = without_markup(text)
    if not plain.isascii():
        plain = without_accents(unmasked(unicodedata.normalize("NFKC", visible(plain))))
    words = plain.casefold().translate(_ASCII_BREAKS if plain.isascii() else _breaks()).split()
    form = " ".join(words)
    if not _unspaced(form, language):
        return Normalised(form, words, len(words) < SHORT_WORDS)
    characters = list("".join(words))
    return Normalised(form, characters, len(characters) < SHORT_CHARACTERS)


def _unspaced(form: str, language: str | None) -> bool:
    if language:
        return language.partition("-")[0].lower() in UNSPACED
    # More than half of the letters: a shrug with one katakana in it is still English.
    return not form.isascii() and 2 * len(_UNSPACED.findall(form)) > len(form) - form.count(" ")


# Some write "dont", some "don't", some "don ’ t"; whatever else stands inside a word parts it.
_APOSTROPHES = "'`\u00b4\u02bc\u2018\u2019\u2032"


def _parting(codes: range) -> dict[int, str]:
    separators = {code: " " for code in codes if unicodedata.category(chr(code)) in _SEPARATING}
    return separators | dict.fromkeys(map(ord, _APOSTROPHES), "")


@functools.cache
def _breaks() -> dict[int, str]:
    return _parting(range(sys.maxunicode))


_SEPARATING = frozenset({"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Cc"})
_ASCII_BREAKS = _parting(range(128))

"""Replace letters of another script that look like the ones around them, by Unicode's confusables (UTS #39).

A text in Latin letters with a Cyrillic а in it reads as before and compares as another. Which script is meant is the
one of most letters: in a Latin text each lookalike becomes Latin, in a Cyrillic or Greek one Latin letters inside the
words of that script become its own. A text in one script stays as it is.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from string import ascii_letters

_LATIN = "LATIN"
_OTHERS = ("CYRILLIC", "GREEK")
_LETTERS = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
_PLAIN = frozenset(ascii_letters)
_STROKES = str.maketrans({"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H"})


def unmasked(text: str) -> str:
    """Return ``text`` with lookalikes replaced by letters of the script in which it is written."""
    text = text.translate(_STROKES)
    scripts = Counter(_script(letter) for letter in _LETTERS.findall(text))
    if not scripts:
        return text
    main = max((_LATIN, *_OTHERS), key=lambda name: scripts[name])
    if main == _LATIN:
        # Digits and strange alphabets stand in for Latin letters too, so nothing has to be a letter to be replaced.
        return text.translate(_to_latin()) if scripts[_LATIN] else text
    return _WORD.sub(lambda word: _mended(word[0], main), text) if scripts[_LATIN] else text


def _mended(word: str, script: str) -> str:
    """Return a word of another script with its Latin letters replaced; a whole Latin word stays."""
    if not any(_script(letter) == script for letter in word):
        return word
    return word.translate(_from_latin(script))


@functools.cache
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


@functools.cache
def _to_latin() -> dict[int, str]:
    """Return code point → the ASCII letter that it looks like."""
    from confusable_homoglyphs.confusables import confusables_data

    letters: dict[int, str] = {}
    for sign, alike in confusables_data.items():
        plain = next((one["c"] for one in alike if one["c"] in _PLAIN), "")
        if not plain or len(sign) != 1 or sign.isascii():
            continue
        if _script(sign) not in ("CJK", "HANGUL", "HIRAGANA", "KATAKANA", "EMOJI"):
            # The table has one prototype for I, l and the bar; the case of the sign says which letter is meant.
            letters[ord(sign)] = "I" if plain == "l" and unicodedata.category(sign) == "Lu" else plain
    return letters


@functools.cache
def _from_latin(script: str) -> dict[int, str]:
    letters: dict[int, str] = {}
    for code, plain in sorted(_to_latin().items()):
        sign = chr(code)
        if _script(sign) == script and f"{script} {_case(plain)} LETTER" in unicodedata.name(sign):
            letters.setdefault(ord(plain), sign)
    return letters


def _case(letter: str) -> str:
    return "CAPITAL" if letter.isupper() else "SMALL"

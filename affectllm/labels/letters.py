"""One form of every letter: what readers see of a text, and of the words that they look for in it."""

from __future__ import annotations

import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f_*`]")
# Arabic's vowel signs and stretched letters too: nobody means another word by them.
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u0640\u064b-\u0652\u0670]")
_APOSTROPHE = re.compile(r"[’‘´ʼ′]|(?<=n)`(?=t\b)")


def normalised(text: str) -> str:
    """Lower case, with one form of every letter, quote and dash; control characters and emphasis become blanks."""
    found = unicodedata.normalize("NFKC", _APOSTROPHE.sub("'", _INVISIBLE.sub("", text))).lower()
    return _CONTROL.sub(" ", found)

"""Normalise letters, in the texts of answers and in the words that readers search for."""

from __future__ import annotations

import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f_*`]")
# Arabic's vowel signs and stretched letters too: nobody means another word by them.
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u0640\u064b-\u0652\u0670]")
_APOSTROPHE = re.compile(r"[’‘´ʼ′]|(?<=n)`(?=t\b)")


def normalised(text: str) -> str:
    """Lower the case, unify the forms of letters, quotes and dashes, and blank control characters and emphasis."""
    composed = unicodedata.normalize("NFKC", _APOSTROPHE.sub("'", _INVISIBLE.sub("", text))).lower()
    return _CONTROL.sub(" ", composed)

"""The text of an answer before anything is read in it: missing values, control characters, full-width letters."""

from __future__ import annotations

import math
import re
import unicodedata
from numbers import Real
from typing import Any

EDGES = " \t\r\n.,;:!?\"'`*_#()[]{}<>“”‘’「」『』《》【】。，、；：！？…¿¡،؛؟"
HAN = "\u3040-\u30ff\u3400-\u9fff"  # with kana: scripts without blanks
LETTER = rf"[^\W\d_{HAN}]"
EDGE = rf"[^\W{HAN}]"  # letters, digits: what a word may not touch; Chinese and Japanese know no such edges
SENTENCE_ENDS = re.compile(r"[.!。！…\n;；]+|(?<=[?？؟])")  # a question keeps its mark
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f_*`]")
# Arabic's vowel signs and stretched letters too: nobody means another word by them.
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u0640\u064b-\u0652\u0670]")
_APOSTROPHE = re.compile(r"[’‘´ʼ′]|(?<=n)`(?=t\b)")


def as_text(value: Any) -> str:
    """The answer as a text; None and NaN, a table's missing values, are the empty text."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(value, Real) and math.isnan(value):
        return ""
    return value if isinstance(value, str) else str(value)


def normalised(text: str) -> str:
    """Lower case, with one form of every letter, quote and dash; control characters and emphasis become blanks."""
    found = unicodedata.normalize("NFKC", _APOSTROPHE.sub("'", _INVISIBLE.sub("", text))).lower()
    return _CONTROL.sub(" ", found)


def bare(text: str) -> str:
    """``normalised`` without the blanks and punctuation around it, and with single blanks."""
    return " ".join(normalised(text).strip(EDGES).split())

"""Normalise the text of an answer before it is read: missing values, control characters, full-width letters."""

from __future__ import annotations

import math
import re
import unicodedata
from numbers import Real
from typing import Any

from affectllm.labels.letters import normalised

__all__ = ["EDGE", "EDGES", "HAN", "HANGUL", "LETTER", "MARKS", "SENTENCE_ENDS", "as_text", "bare", "normalised"]
EDGES = " \t\r\n.,;:!?\"'`*_#()[]{}<>“”‘’「」『』《》【】。，、；：！？…¿¡،؛؟।"
HAN = "\u3040-\u30ff\u3400-\u9fff"  # with kana: scripts without blanks
HANGUL = "\uac00-\ud7a3"  # written with blanks, but its particles follow words of other scripts without one
LETTER = rf"[^\W\d_{HAN}]"
# Vowels and signs that scripts of India write behind or around a letter; \\w knows none of them.
MARKS = "".join(chr(code) for code in range(0x900, 0xE00) if unicodedata.category(chr(code)).startswith("M"))
EDGE = rf"[^\W{HAN}]"  # letters, digits: what a word may not touch; Chinese and Japanese know no such edges
SENTENCE_ENDS = re.compile(r"[.!。！…\n;；।]+|(?<=[?？؟])")  # a question keeps its mark


def as_text(value: Any) -> str:
    """Convert an answer to a string; None and NaN, a table's missing values, become the empty string."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(value, Real) and not isinstance(value, int) and math.isnan(value):
        return ""
    return value if isinstance(value, str) else str(value)


def bare(text: str) -> str:
    """Return ``normalised`` text without surrounding blanks and punctuation, and with single blanks."""
    return " ".join(normalised(text).strip(EDGES).split())

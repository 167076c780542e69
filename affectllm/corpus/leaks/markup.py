"""Strip from texts what releases add or change: HTML, addresses, names of users, accents, invisible characters."""

from __future__ import annotations

import functools
import html
import re
import sys
import unicodedata

# Inside a word these draw letters, between words they part them; all other tags part them.
_INLINE = re.compile(
    r"</?(?:a|abbr|b|big|code|em|font|i|mark|s|small|span|strong|sub|sup|tt|u|wbr)\b[^<>]{0,500}>", re.I
)
_HIDDEN = re.compile(r"(?is)<!--.*?-->|<(script|style)\b[^<>]*>.*?</\1\s*>")
_TAG = re.compile(r"</?[a-z][^<>]{0,500}>|<[!?][^<>]{0,500}>", re.I)
# Addresses and the masks that releases put for them: http, [URL], <url>, HTTPURL; @name, @USER, <user>, [USER].
_MASKS = re.compile(
    r"""(?ix)\b(?:https?|ftp)://\S+ | \bwww\.\S+ | \bhttpurl\b | (?<!\S)https?(?!\S)
      | (?<![\w.])@\w+ | [<\[{](?:url|link|user|username|mention)[>\]}]"""
)
_COMBINED = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")  # accents, vowel points


def without_markup(text: str) -> str:
    """Return ``text`` with entities decoded, and tags, comments, addresses and names of users removed."""
    if "&" in text:
        text = html.unescape(text)
        if "&" in text:
            text = html.unescape(text)  # escaped twice, by whoever stored it and whoever showed it
    if "@" in text or "<" in text or "[" in text or "{" in text or "http" in text.lower() or "www." in text.lower():
        text = _MASKS.sub(" ", text)
    if "<" in text:
        text = _TAG.sub(" ", _INLINE.sub("", _HIDDEN.sub(" ", text)))
    return text


def visible(text: str) -> str:
    """Return ``text`` without zero-width characters, with a blank for each control character."""
    return text.translate(_invisible())


def without_accents(text: str) -> str:
    """Letters without the accents above and the vowel points around them; ``text`` and the answer are composed."""
    return unicodedata.normalize("NFC", _COMBINED.sub("", unicodedata.normalize("NFD", text)))


@functools.cache
def _invisible() -> dict[int, str | None]:
    replacements: dict[int, str | None] = {}
    for code in range(sys.maxunicode):  # whose last is no character
        category = unicodedata.category(chr(code))
        if category == "Cf":
            replacements[code] = None
        elif category == "Cc":
            replacements[code] = " "
    # Blank or joining though they count as letters, marks or symbols: fillers, variation selectors, empty Braille.
    others = (0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)
    replacements.update(
        dict.fromkeys((*others, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
    )
    return replacements

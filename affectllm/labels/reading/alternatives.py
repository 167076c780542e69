"""Build one regular expression for many words, as a trie: it matches in far fewer steps than a plain alternation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_END = ""


def alternatives(words: Iterable[str]) -> str:
    """Return a pattern that matches the longest of ``words`` that fits, so that "not only" is not read as "not".

    A blank in a word matches one to three whitespace characters. Without words nothing matches.
    """
    root: dict[str, Any] = {}
    for word in words:
        node = root
        for letter in word:
            node = node.setdefault(letter, {})
        node[_END] = {}
    return _pattern(root) or "(?!)"


def _pattern(node: dict[str, Any]) -> str:
    parts = [_letter(letter) + _pattern(tail) for letter, tail in sorted(node.items()) if letter != _END]
    if not parts:
        return ""
    if len(parts) == 1 and _END not in node:
        return parts[0]
    return f"(?:{'|'.join(parts)}){'?' if _END in node else ''}"


def _letter(letter: str) -> str:
    return r"\s{1,3}" if letter == " " else re.escape(letter)

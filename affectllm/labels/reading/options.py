"""Tell letters that stand as options (labels of one letter) from articles, pronouns and names.

``(A)``, ``A.``, ``A: …``, ``answer is A`` and ``option a`` choose; ``A man smiles`` and ``I think`` do not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import cache

from affectllm.labels.reading.spoken import any_word, compiled, pattern, words

_LETTER = re.compile(
    r"(?<![^\W_\u3040-\u30ff\u3400-\u9fff])(?<!['’\-.\d])(?P<letter>[A-Za-z])(?![^\W_\u3040-\u30ff\u3400-\u9fff]|['’]\w|-\w|\.\w)"
)
_NAMED = compiled(
    lambda: rf"(?:{any_word('option_words')})s?\s(?:(?:=|{any_word('option_is')})\s)?[(\[\"'*]{{0,3}}$", re.IGNORECASE
)
# Persons and things that are told apart by letters: "Speaker B is angry", "plan B failed".
_LETTERED = compiled(lambda: rf"{pattern('lettered')}\s?$", re.IGNORECASE)
_REACH = 24  # characters before a letter that tell what it is
_OPENED = re.compile(r"[(\[{\"'“‘「*`]\s?$")
_CLOSED = re.compile(r"\s?[)\]}\"'”’」*`]")
_ENDS = re.compile(r"\s{0,9}(?:[.:：。、;!?)\]}\n]|[-–—](?:\s|$)|$)")
_GOES_ON = compiled(lambda: rf"\s{{0,3}},|\s{pattern('option_goes_on')}(?!\w)", re.IGNORECASE)
# "a, c" and "a or c": options in a list.
_LISTED = compiled(
    lambda: rf"\s{{0,3}}(?:[,&/+、]|{any_word('option_joins')})\s{{0,3}}[(\[\"']?[A-Za-z](?![\w'’]|\s[a-z])"
)


@cache
def _letter_words() -> Mapping[str, str]:
    """Map letters that are words themselves (a, I) to another word of the same kind."""
    return {word[0]: word.partition("/")[2] for word in words("letter_words")}


def without_articles(text: str, letters: Collection[str]) -> str:
    """Return ``text`` with another word in place of each of ``letters`` (labels) that does not stand as an option."""
    if not letters:
        return text
    normal_form = unicodedata.normalize("NFKC", text)

    def replaced(match: re.Match[str]) -> str:
        letter = match["letter"].lower()
        keeps = letter not in letters or (not _is_name(match) and (letter not in _letter_words() or _is_option(match)))
        return match["letter"] if keeps else _letter_words().get(letter) or next(iter(_letter_words().values()))

    return _LETTER.sub(replaced, normal_form)


def _before(match: re.Match[str]) -> str:
    return match.string[max(0, match.start() - _REACH) : match.start()]


def _is_name(match: re.Match[str]) -> bool:
    return _LETTERED().search(_before(match)) is not None


def _is_option(match: re.Match[str]) -> bool:
    # Forms that choose whatever the letter, then forms in which "a" and "I", which are words too, need more evidence.
    before, text, end = _before(match), match.string, match.end()
    if _OPENED.search(before) and _CLOSED.match(text, end):
        return True
    capital = match["letter"].isupper()
    if _ENDS.match(text, end) or _LISTED().match(text, end):
        return True
    named = _NAMED().search(before)
    if match["letter"] == "I":
        return named is not None
    if named:
        return capital or before.rstrip().lower().endswith(words("option_nouns"))
    return capital and (match["letter"] != "A" or _GOES_ON().match(text, end) is not None)

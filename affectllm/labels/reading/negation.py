"""The kinds of tokens around a label that deny, weaken or stress it; the words of each kind are in the lexicon.

``not angry``, ``neither angry nor sad``, ``rather than sad`` and ``no sign of fear, anger or disgust`` deny; ``might be
sad`` and ``a hint of sadness`` weaken; ``most likely angry`` and ``overall, angry`` stress. ``No doubt angry`` and
``not only angry`` deny nothing. What is only supposed (``if he were angry``, ``unclear whether``, ``pretends to be``)
is as little stated as what is denied; courtesies (``I'm afraid I cannot``, ``happy to help``) name no label.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from functools import cache

from affectllm.labels.language import languages, split
from affectllm.labels.reading.alternatives import alternatives
from affectllm.labels.reading.spoken import pattern, words

_YES_SIGNS = ("1", "1.0", "x", "✓", "✔", "✅", "☑")
_NO_SIGNS = ("0", "0.0", "0%", "✗", "✘", "❌", "×")


class Kind(Enum):
    """What a token does to the labels near it."""

    LABEL = auto()
    DENY = auto()  # up to a comma: "not anger, sadness" means sadness
    DENY_LIST = auto()  # beyond commas: "no sign of anger, fear or disgust" means none of them
    DENY_LONG = auto()  # to the end of the statement: "nothing in this long clip suggests that he is angry"
    FREE = auto()  # ends a denial: "could not hide his anger"
    WEAK = auto()
    STRONG = auto()
    LISTED = auto()  # begins a list of what could be answered: "options: anger, fear"
    TURN = auto()  # begins a new statement: "but", "because"
    JOIN = auto()
    OR = auto()
    FILLER = auto()
    COMMA = auto()
    COLON = auto()
    WORD = auto()


# Of two kinds that one language gives a word, the later one holds.
_KEYS: Mapping[str, Kind] = {
    **{"courtesy": Kind.WORD, "deny": Kind.DENY, "deny_long": Kind.DENY_LONG, "listed": Kind.LISTED},
    **{"deny_list": Kind.DENY_LIST, "free": Kind.FREE, "weak": Kind.WEAK, "strong": Kind.STRONG, "turn": Kind.TURN},
    **{"join": Kind.JOIN, "or": Kind.OR, "filler": Kind.FILLER},
}


@cache
def kinds(blanks: bool) -> Mapping[str, Kind]:
    """Map each word to its kind, for the languages with blanks between words, or for the others."""
    result: dict[str, Kind] = {}
    for language in languages().values():
        if language.blanks == blanks:
            own = {word: kind for key, kind in _KEYS.items() for word in language.listed(key)}
            result = {language.traditional(word): kind for word, kind in own.items()} | own | result
    return result


@cache
def yes() -> frozenset[str]:
    """Return the words that affirm a label, in a list of verdicts or as the answer to a question."""
    return frozenset((*words("yes"), *_YES_SIGNS))


@cache
def no() -> frozenset[str]:
    """Return the words that deny a label, in a list of verdicts or as the answer to a question."""
    return frozenset((*words("no"), *_NO_SIGNS))


@cache
def elided() -> frozenset[str]:
    """Return the articles and prepositions that are elided before a word: l', d'."""
    return frozenset(word for language in languages().values() for word in split(language.elided))


def denies_after(labels: str) -> str:
    """Return the pattern of what follows a label and denies it: "is absent", "can be ruled out", ": no".

    Args:
        labels: a pattern of the labels that are written without blanks, for denials that follow several of them.
    """
    alone = alternatives(word for word in no() if not (len(word) == 1 and word.isascii() and word.isalpha()))
    asks = any_pattern("asks_after")
    return (
        f"{pattern('denied_after', labels=labels)}"
        rf"|{asks}[\s,:=(\[→\|\-–—?]{{0,4}}{alone}(?=\s{{0,2}}(?:$|[,|)\]]))"
    )


def any_pattern(key: str) -> str:
    """Return an optional group of a kind of patterns, empty where no language has one."""
    return f"{pattern(key, otherwise='')}?" if pattern(key, otherwise="") else ""


def denies_before() -> str:
    """Return the pattern of what stands right before a label and denies it: "0% anger", "the opposite of anger"."""
    return pattern("denied_before")

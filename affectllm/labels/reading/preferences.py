"""Read preferences: which of two descriptions an answer finds better."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from affectllm.labels.reading.spoken import compiled, pattern, simplified, words
from affectllm.labels.reading.structure import after_answer, answer_keys, json_objects, json_value
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import EDGE, EDGES, SENTENCE_ENDS, as_text, bare, normalised
from affectllm.labels.reading.unreadable import Unreadable

_NAMES = {"a1": "first", "a2": "second", "same": "equal"}
_NAMED = compiled(
    lambda: "|".join(rf"(?<!{EDGE})(?P<{name}>{_names(name, key)})(?!{EDGE})" for name, key in _NAMES.items())
)
_PAUSE = re.compile(r"\s*(?:[,:\-—(，：（*\"']|$)")
# After a name and a pause: "a1: no", "a1: 5, a2: 8", "a1, a2" choose nothing.
_NO_CHOICE = compiled(lambda: rf"\W{{0,9}}(?:{pattern('chooses_none')}(?!{EDGE})|[\d.]+|$)")
_CHOSEN = compiled(lambda: f"{pattern('chosen_before')}$")
_BEATEN = compiled(lambda: f"{pattern('beaten_before')}$")
_DENIED = compiled(lambda: pattern("not_preferred"))
_WINS = compiled(lambda: pattern("wins"))
_FAULTS = compiled(lambda: pattern("faults"))
_UNSURE = compiled(lambda: rf"[?？؟]|{pattern('prefers_unsure')}")


def _names(name: str, key: str) -> str:
    """Return the pattern of the names of a description: ``a1``, and those of every language."""
    own = "" if name == "same" else rf"{name[0]}\s?{name[1]}|"
    return own + pattern(key)


@cache
def _alone() -> Mapping[str, str]:
    """Map whole answers that name a description to its key."""
    return {answer: name for name, key in _NAMES.items() for answer in words(f"{key}_alone")}


def read_preference(text: Any) -> str | Unreadable:
    """Return ``a1``, ``a2`` or ``same``: which of two descriptions an answer prefers.

    In this order: a JSON field or what follows ``Answer:``; the whole answer or its first word; the one that is said
    to be better or to be chosen; the only one that is named without fault. ``a1 is better than a2`` names a2 as the
    other one; ``a1 is not better than a2`` and ``a1 is vague`` prefer none.
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    value = json_value(part, answer_keys("judgement"))
    if not isinstance(value, str) and any({"a1", "a2"} <= set(fields) for fields in json_objects(part)):
        return Unreadable("ambiguous", raw)  # scores of both are no preference
    part = value if isinstance(value, str) else (after_answer(part) or part)
    if not bare(part):
        return Unreadable("empty", raw)
    preferred = _preferred(normalised(simplified(part[:100_000])))
    if len(preferred) == 1:
        return preferred.pop()
    return Unreadable("ambiguous" if preferred else "no_label", raw)


def _preferred(text: str) -> set[str]:
    if name := _alone().get(bare(text)):
        return {name}
    sentences = [sentence.strip(EDGES.replace("?", "").replace("؟", "")) for sentence in SENTENCE_ENDS.split(text)]
    first = _NAMED().match(sentences[0]) or (_NAMED().match(text.lstrip(EDGES)) if not sentences[0] else None)
    if first and _leads(first):
        return {str(first.lastgroup)}
    better, named = set(), set()
    for sentence in dict.fromkeys(sentences):
        if _NAMED().search(sentence) and not _UNSURE().search(sentence):
            wins, others = _compared(sentence)
            better |= wins
            named |= others
    return better or ({"same"} if named == {"a1", "a2", "same"} else named)


def _leads(first: re.Match[str]) -> bool:
    """Whether the answer begins with its choice: ``A2, since a1 lacks clues``."""
    pause = _PAUSE.match(first.string, first.end())
    if pause is None:
        return False
    rest = first.string[pause.end() :]
    return not rest.strip(EDGES) or not (_NO_CHOICE().match(rest) or _NAMED().match(rest.lstrip(EDGES)))


def _compared(sentence: str) -> tuple[set[str], set[str]]:
    """Return the names that a sentence finds better, and those that it names without denying or finding fault."""
    better: set[str] = set()
    others: set[str] = set()
    fault = _FAULTS().search(sentence) is not None
    for match in _NAMED().finditer(sentence):
        before = sentence[max(0, match.start() - 32) : match.start()]
        if denied := _DENIED().match(sentence, match.end()):
            fault = True  # "a1 and a2 are not the same" says nothing for a1
        if denied or _BEATEN().search(before):
            continue
        chosen = _WINS().match(sentence, match.end()) or _CHOSEN().search(before)
        (better if chosen else others).add(str(match.lastgroup))
    return better, set() if fault else others

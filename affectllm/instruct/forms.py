"""Forms of answers: how an annotation is worded, and how it is read back out of free text.

A form is made for one kind of label space. ``gold`` takes the value out of an annotation (or says why it cannot be
asked), ``worded`` writes it down, ``read`` is its inverse: a value of the same shape, or ``Unreadable``. Numbers are
written with at most three decimals and shares as whole percents; that is the precision at which the law holds.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from affectllm.labels import LabelSpace
from affectllm.labels.names import named, understood
from affectllm.labels.reading import (
    Unreadable,
    read_judgement,
    read_label,
    read_labels,
    read_number,
    read_numbers,
    read_open_labels,
    read_preference,
)
from affectllm.labels.reading.structure import after_answer, json_value
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import bare, normalised

DECIMALS = 3
_TURN_WORDS = frozenset(
    ("turn", "turns", "utterance", "utterances", "number", "numbers", "the", "and", "cause", "causes")
)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an annotation cannot be asked about: ``tie``, ``no_label``, ``outside_space``, ``no_votes``, …"""

    reason: str


OUTSIDE = Refused("outside_space")


@dataclass(frozen=True)
class Form:
    """One shape of answers.

    Args:
        kinds: kinds of label spaces that it fits.
        gold: (value of an annotation, space) → JSON value, or ``Refused``.
        worded: (gold, space, language, word for nothing) → the answer.
        read: (answer, space, language) → value of an annotation, or ``Unreadable``.
        free: whether an answer may hold any words, so that it must be tried whether they are read back.
    """

    kinds: tuple[str, ...]
    gold: Callable[[Any, LabelSpace], Any]
    worded: Callable[[Any, LabelSpace, str, str], str]
    read: Callable[[str, LabelSpace, str], Any]
    free: bool = False


def _one(value: Any, space: LabelSpace) -> Any:
    if not isinstance(value, str):
        return Refused("tie")
    return value if value in space.names else OUTSIDE


def _several(value: Any, space: LabelSpace) -> Any:
    return list(value) if set(value) <= set(space.names) else OUTSIDE


def _mentioned(value: Any, space: LabelSpace) -> Any:
    if isinstance(value, str):
        return _one(value, space)
    return _several(value, space) or Refused("no_label")


def _text(value: Any, space: LabelSpace) -> Any:
    return value.strip() or Refused("no_words")


def _numbers(value: Mapping[str, float], space: LabelSpace) -> Any:
    low, high = space.bounds or (-math.inf, math.inf)
    found = {name: _rounded(value[name]) for name in space.names if name in value}
    if not all(low <= number <= high for number in found.values()):  # false for NaN too
        return OUTSIDE
    return found or Refused("no_number")


def _classes(value: Mapping[str, float], space: LabelSpace) -> Any:
    found = _numbers(value, space)
    if isinstance(found, Refused):
        return found
    return found if all(number == int(number) for number in found.values()) else Refused("not_ordinal")


def _shares(value: Mapping[str, float], space: LabelSpace) -> Any:
    """Whole percents that sum to 100, by largest remainders; as fractions."""
    if not all(0 <= weight < math.inf for weight in value.values()) or not set(value) <= set(space.names):
        return OUTSIDE
    if not (total := sum(value.values())):
        return Refused("no_votes")
    exact = {name: 100 * value[name] / total for name in space.names if value.get(name)}
    percents = {name: int(share) for name, share in exact.items()}
    ranked = sorted(exact, key=lambda name: percents[name] - exact[name])
    for name in ranked[: 100 - sum(percents.values())]:
        percents[name] += 1
    return {name: percent / 100 for name, percent in percents.items() if percent}


def _rounded(number: float) -> float:
    return round(float(number), DECIMALS) + 0.0  # + 0.0: no negative zero


def last_turn(form: str, gold: Any) -> int:
    """The highest number of a turn that an answer in ``turns`` or ``spans`` names; 0 for any other."""
    if form not in ("turns", "spans"):
        return 0
    named_turns = re.findall(r"\d+", gold) if form == "turns" else [span["turn"] for span in json.loads(gold)]
    return max((int(turn) for turn in named_turns if turn != "background"), default=0)


def figure(number: float) -> str:
    """A number as answers write it: at most three decimals, none that say nothing."""
    text = f"{number:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _say_one(gold: str, space: LabelSpace, language: str, nothing: str) -> str:
    return named(space.names, language)[gold]


def _say_several(gold: list[str], space: LabelSpace, language: str, nothing: str) -> str:
    words = named(space.names, language)
    return ", ".join(words[name] for name in gold) or nothing


def _say_mentioned(gold: str | list[str], space: LabelSpace, language: str, nothing: str) -> str:
    words = named(space.names, language)
    joiner = {"zh": "和", "ja": "と", "ar": " و", "es": " y "}.get(language, " and ")
    return joiner.join(words[name] for name in ([gold] if isinstance(gold, str) else gold))


def _say_numbers(gold: Mapping[str, float], space: LabelSpace, language: str, nothing: str) -> str:
    if len(space.names) == 1:
        return figure(next(iter(gold.values())))
    words = named(space.names, language)
    return ", ".join(f"{words[name]}: {figure(number)}" for name, number in gold.items())


def _say_shares(gold: Mapping[str, float], space: LabelSpace, language: str, nothing: str) -> str:
    words = named(space.names, language)
    return ", ".join(f"{words[name]}: {round(100 * share)}%" for name, share in gold.items())


def _say_text(gold: str, space: LabelSpace, language: str, nothing: str) -> str:
    return gold


def _read_one(text: str, space: LabelSpace, language: str) -> Any:
    return read_label(text, understood(space, language))


def _read_several(text: str, space: LabelSpace, language: str) -> Any:
    if not bare(text):
        return Unreadable("empty", text)  # "[]" is no wording that a template asks for
    return read_labels(text, understood(space, language))


def _read_mentioned(text: str, space: LabelSpace, language: str) -> Any:
    """The names that a description mentions; one name in a ``category`` space is that name, several are a tie."""
    found = _read_several(text, space, language)
    if isinstance(found, Unreadable) or space.kind != "category":
        return found
    if not found:
        return Unreadable("no_label", text)
    return found[0] if len(found) == 1 else found


def _read_numbers(text: str, space: LabelSpace, language: str) -> Any:
    low, high = space.bounds or (0.0, 0.0)
    if len(space.names) == 1:
        found = read_number(text, low, high)
        return found if isinstance(found, Unreadable) else {space.names[0]: found}
    return _by_name(text, space, language, low, high)


def _by_name(text: str, space: LabelSpace, language: str, low: float, high: float) -> Any:
    """Numbers by the names of the space, in either language; those that the answer gives."""
    words = {word: name for name, word in named(space.names, language).items()} | {name: name for name in space.names}
    found = read_numbers(text, tuple(words), low, high, every=False)
    if isinstance(found, Unreadable):
        return found
    if _named_without_number(text, words, {words[word] for word in found}):
        return Unreadable("incomplete", text)
    by_name: dict[str, float] = {}
    for word, number in found.items():
        if by_name.setdefault(words[word], number) != number:
            return Unreadable("ambiguous", text)
    return {name: by_name[name] for name in space.names if name in by_name}


def _named_without_number(text: str, words: Mapping[str, str], found: set[str]) -> bool:
    """Whether the answer also speaks of a name for which it gives no number that can be read."""
    part = normalised(text)
    left = [word for word, name in words.items() if name not in found and not word[0].isdigit()]
    return any(re.search(rf"(?<!\w){re.escape(bare(word))}(?!\w)", part) for word in left)


def _read_classes(text: str, space: LabelSpace, language: str) -> Any:
    found = _read_numbers(text, space, language)
    if isinstance(found, Unreadable) or all(number == int(number) for number in found.values()):
        return found
    return Unreadable("out_of_range", text)


def _read_shares(text: str, space: LabelSpace, language: str) -> Any:
    """Percents or votes, as fractions of their sum."""
    found = _by_name(text, space, language, 0.0, float("inf"))
    if isinstance(found, Unreadable):
        return found
    total = sum(found.values())
    if not total > 0:
        return Unreadable("no_number", text)
    if "%" in text and not 98 <= total <= 102:
        return Unreadable("incomplete", text)
    return {name: number / total for name, number in found.items() if number}


def _read_text(text: str, space: LabelSpace, language: str) -> Any:
    part = answer_part(text)
    return part if isinstance(part, Unreadable) else part.strip() or Unreadable("empty", text)


def _read_open(text: str, space: LabelSpace, language: str) -> Any:
    found = read_open_labels(text)
    return found if isinstance(found, Unreadable) else ", ".join(found)


def _read_judged(text: str, space: LabelSpace, language: str) -> Any:
    found = read_judgement(text)
    return found if isinstance(found, Unreadable) else ("correct" if found else "incorrect")


def _read_preferred(text: str, space: LabelSpace, language: str) -> Any:
    return read_preference(text)


def _read_turns(text: str, space: LabelSpace, language: str) -> Any:
    """The numbers of the turns that an answer lists, in its order, and ``background``; prose is not searched."""
    part = answer_part(text)
    if isinstance(part, Unreadable):
        return part
    words = re.findall(r"\w+|-(?=\s?\d)", bare(after_answer(part) or part))
    found = [word for word in words if word not in _TURN_WORDS]
    if not found:
        return Unreadable("no_number", text)
    if not all(word == "background" or (word.isdecimal() and len(word) <= 4) for word in found):
        return Unreadable("ambiguous", text)
    return ", ".join(dict.fromkeys(word if word == "background" else str(int(word)) for word in found))


def _read_spans(text: str, space: LabelSpace, language: str) -> Any:
    """A JSON list of ``{"turn": …, "span": …}``, spelt as the builders spell it."""
    part = answer_part(text)
    if isinstance(part, Unreadable):
        return part
    value = json_value(part, ("spans", "causes"))
    if not isinstance(value, list) or not all(
        isinstance(item, dict) and set(item) == {"turn", "span"} for item in value
    ):
        return Unreadable("no_span", text)
    return json.dumps(value, ensure_ascii=False)


FORMS: Mapping[str, Form] = {
    "choice": Form(("category",), _one, _say_one, _read_one),
    "set": Form(("set",), _several, _say_several, _read_several),
    "description": Form(("category", "set"), _mentioned, _say_mentioned, _read_mentioned),
    "scores": Form(("dimension",), _numbers, _say_numbers, _read_numbers),
    "classes": Form(("dimension",), _classes, _say_numbers, _read_classes),
    "shares": Form(("distribution",), _shares, _say_shares, _read_shares),
    "judgement": Form(("category",), _one, _say_one, _read_judged),
    "preference": Form(("category",), _one, _say_one, _read_preferred),
    "open_set": Form(("open",), _text, _say_text, _read_open, free=True),
    "turns": Form(("open",), _text, _say_text, _read_turns, free=True),
    "spans": Form(("open",), _text, _say_text, _read_spans, free=True),
    "reply": Form(("open",), _text, _say_text, _read_text),
}
"""Name of a form → what it does."""
ONLY: Mapping[str, frozenset[str]] = {
    "judgement": frozenset({"correct", "incorrect"}),
    "preference": frozenset({"a1", "a2", "same"}),
}
"""Forms that are made for one set of names."""

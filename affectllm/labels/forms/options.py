"""One or several of the options that belong to the question, by letter or in their words.

The options stand in the annotation beside the right ones. A question shows them by letter, in an order that a hash of
the sample's id decides, so that no letter is favoured.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

from affectllm.labels.form import Form, Refused
from affectllm.labels.pictures import Bars, Rates, bars_of_names, share
from affectllm.labels.reading.label import read_label
from affectllm.labels.reading.sets import read_labels
from affectllm.labels.reading.spoken import words
from affectllm.labels.reading.structure import ABSENT, after_answer, answer_keys, json_value
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LETTERS, Kind, LabelSpace


def _gold(value: Mapping[str, Any], space: LabelSpace) -> Any:
    right = list(value["right"])
    if not right:
        return Refused("no_label")
    if len(right) > 1 and not space.several:
        return Refused("tie")
    options = list(value["options"])
    return {"options": options, "right": sorted(LETTERS[options.index(one)] for one in right)}


def _arranged(gold: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Shuffle the options by a hash, the same on every build, and renumber the right ones."""
    options = gold["options"]

    def place(number: int) -> bytes:
        return hashlib.blake2b(f"{key}/{number}".encode(), digest_size=8).digest()

    order = sorted(range(len(options)), key=place)
    right = sorted(LETTERS[order.index(LETTERS.index(letter))] for letter in gold["right"])
    return {"options": [options[number] for number in order], "right": right}


def _shown(gold: Mapping[str, Any]) -> dict[str, str]:
    return {"options": "\n".join(f"{letter}. {one}" for letter, one in zip(LETTERS, gold["options"], strict=False))}


def _own_space(space: LabelSpace, gold: Mapping[str, Any]) -> LabelSpace:
    """Return the space of one question: its letters, with the words of the options as aliases."""
    names = tuple(letter.lower() for letter in LETTERS[: len(gold["options"])])
    spelt = [one.strip().lower() for one in gold["options"]]
    plain = [one.rstrip(".!。！") for one in spelt]
    # Options that differ by case or a full stop only are told apart by their letters, not by their words.
    single = [plain.count(word) == 1 for word in plain]
    aliases = {word: name for own in (plain, spelt) for name, word, one in zip(names, own, single, strict=True) if one}
    kind: Kind = "set" if space.several else "category"
    return replace(space, kind=kind, names=names, aliases=aliases, several=False)


def _worded(gold: Mapping[str, Any], space: LabelSpace, language: str, nothing: str) -> str:
    return ", ".join(gold["right"])


_LETTERS_ONLY = re.compile(r"[\s(\[\"'*]*([A-Z]{2,}|[A-Z](?:\s+[A-Z])+)[\s)\]\"'*.!]*")
_LETTER = re.compile("[a-z]")
_JOINS = re.compile(r"\s*[,;/&+、]\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+|\s+")
_BRACKETED = re.compile(r"[(\[]\s?([A-Za-z])\s?[)\]]")
_ENDS = r"[.!?。！？]*(?=[\s\"'”’*]*(?:[,;}\]\n]|$))"


def _without_own_words(text: str, space: LabelSpace) -> str:
    """Shorten ``(B) Oh, what's wrong?`` to ``B)``: the words of an option after its letter deny and name nothing."""
    text = _BRACKETED.sub(r"\1)", text)
    for phrase_of, name in sorted(space.aliases.items(), key=lambda pair: -len(pair[0])):
        if len(phrase_of) > 1:
            phrase = r"\s+".join(map(re.escape, phrase_of.split()))
            own = rf"(?<![A-Za-z\d'’])({name})(?:[)\].:：、*]+\s*|\s[-–—]\s){phrase}{_ENDS}"
            text = re.sub(own, lambda match: f"{match[1].upper()})", text, flags=re.IGNORECASE)
    return text


@cache
def _verdicts() -> Callable[[str, str], str]:
    """Replace ``A) yes`` and ``(B) no``: a verdict on an option, and not the choice of it."""
    said = "|".join(sorted({*words("yes"), *words("no")} - {""}, key=len, reverse=True))
    return re.compile(rf"(?<![A-Za-z\d'’])([A-Z])[)\].]\s*(?=(?:{said})(?!\w))", re.IGNORECASE).sub


def _only_letters(text: str, space: LabelSpace) -> tuple[str, ...]:
    """Return the options of ``AC`` and ``A C``; none where the answer holds anything else."""
    match = _LETTERS_ONLY.fullmatch(text)
    letters = "".join(match[1].lower().split()) if match else ""
    return tuple(sorted(letters)) if len(set(letters)) == len(letters) and set(letters) <= set(space.names) else ()


def _names_no_option(text: str, space: LabelSpace) -> bool:
    """Whether an answer is a list of letters (``[A, E]``, ``A or E``), one of which is no option of the question."""
    part = answer_part(text)
    if isinstance(part, Unreadable):
        return False
    value = json_value(part, answer_keys("label"))
    parts = _JOINS.split(after_answer(part) or part) if value is ABSENT else value if isinstance(value, list) else []
    letters = [str(one).strip(" \t\n()[]\"'*.").lower() for one in parts]
    return len(letters) > 1 and all(map(_LETTER.fullmatch, letters)) and not set(letters) <= set(space.names)


def _read(text: str, space: LabelSpace, language: str) -> Any:
    """Read the letters that are chosen; ``space`` is that of the question."""
    if _names_no_option(text, space):
        return Unreadable("no_label", text)
    answer = _verdicts()(r"\1: ", _without_own_words(text, space))
    if space.kind == "category":
        if len(_only_letters(answer, space)) > 1:
            return Unreadable("ambiguous", text)
        reading = read_label(answer, space)
        return Unreadable(reading.reason, text) if isinstance(reading, Unreadable) else (reading,)
    if letters := _only_letters(answer, space):
        return letters
    several = read_labels(answer, space) or Unreadable("no_label", text)
    return Unreadable(several.reason, text) if isinstance(several, Unreadable) else several


def _restored(letters: Sequence[str], gold: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotation of the chosen letters: the options that they stand for, beside all that are shown."""
    options = tuple(gold["options"])
    return {"options": options, "right": tuple(options[LETTERS.index(letter.upper())] for letter in letters)}


def _commonest(golds: Sequence[Any], space: LabelSpace) -> Any:
    return {"right": list(Counter(tuple(gold["right"]) for gold in golds).most_common(1)[0][0])}


def _any(golds: Sequence[Any], space: LabelSpace, draw: Random) -> Any:
    return {"right": [draw.choice(space.names).upper()]}


def _wrong(gold: Mapping[str, Any], space: LabelSpace, draw: Random) -> Any:
    others = [letter for letter in LETTERS[: len(gold["options"])] if letter not in gold["right"]]
    return {**gold, "right": [draw.choice(others)]} if others else None


def _letters(gold: Mapping[str, Any], space: LabelSpace) -> Any:
    return list(gold["right"]) if space.several else gold["right"][0]


def _chosen(value: Mapping[str, Any], space: LabelSpace) -> Any:
    return _letters(_gold(value, space), space)


def _pictured(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Bars | Rates]:
    """Yield how often an answer is right by the letter of the right one, and how often each letter is given."""
    given = [() if one is None else tuple(_gold(one, replace(space, several=True))["right"]) for one in readings]
    right = [tuple(gold["right"]) for gold in golds]
    letters = [letter for letter in LETTERS if any(letter in one for one in (*right, *given))]
    rows = []
    for letter in letters:
        hits = [set(one) == set(answer) for one, answer in zip(right, given, strict=True) if letter in one]
        rows.append((letter, len(hits), (share(sum(hits), len(hits)),)))
    note = "Options are shuffled for each item, so differences say that a place is favoured."
    yield Rates("Right answers by the place of the right option", ("right",), tuple(rows), note)
    yield bars_of_names("How often each letter is right, and is given", right, given, letters)


FORM = Form(
    description="one of the question's own options",
    kinds=("options",),
    gold=_gold,
    worded=_worded,
    read=_read,
    shape=lambda space: "set" if space.several else "label",
    tokens=48,
    truth=_letters,
    answer=_chosen,
    majority=_commonest,
    chance=_any,
    wrong=_wrong,
    agreement=lambda answer, gold, space: float(sorted(answer["right"]) == sorted(gold["right"])),
    texts=lambda gold: gold["options"],
    choices=True,
    needs=("options",),
    arranged=_arranged,
    shown=_shown,
    own_space=_own_space,
    restored=_restored,
    pictures=_pictured,
)

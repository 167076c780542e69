"""Answers to several slots in a reply that does not keep to the sentence that was asked for.

Read is only what cannot mean anything else: a reply whose every field (of JSON, or ``name: value``) belongs to one
slot, by the slot's name or by the words that the lexicon has for its kind of answer, or one label before free words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from affectllm.instruct.slots import Slot
from affectllm.labels.reading import Unreadable
from affectllm.labels.reading.spoken import words
from affectllm.labels.reading.structure import json_objects

_FIELD = re.compile(
    r"(?:^|[\n,;，；、])[ \t*\-•#]{0,6}([^\W\d_][\w ]{0,30}?)[ \t*\"]{0,4}[:：=][ \t*]{0,4}", re.MULTILINE
)
_PAUSE = re.compile(r"[;；\n]")
_NUMBERS = ("number", "vector")


def of_json(text: str, slots: Sequence[Slot]) -> Mapping[str, str] | None:
    """Return the answers in a JSON object that has one field for each slot, or None."""
    for value in json_objects(text) if "{" in text else ():
        fields = [(str(key).lower().strip(), item) for key, item in value.items()]
        if parts := _assigned(fields, slots):
            return {name: item if isinstance(item, str) else json.dumps(item) for name, item in parts.items()}
    return None


def of_fields(text: str, slots: Sequence[Slot]) -> Mapping[str, str] | None:
    """Return the answers of ``name: value`` fields, one for each slot, or None."""
    matches = list(_FIELD.finditer(text))
    ends = [*(match.start() for match in matches[1:]), len(text)]
    if not matches or text[: matches[0].start()].strip():
        return None
    fields = [
        (match[1].lower().strip(), text[match.end() : end].strip(" \t\r\n*,;，；、"))
        for match, end in zip(matches, ends, strict=True)
    ]
    if len(fields) != len(slots) or not all(value for _, value in fields):
        return None
    return _assigned(fields, slots)


def label_then_words(text: str, slots: Sequence[Slot], language: str) -> Mapping[str, str] | None:
    """Return the answers of ``anger; the cause is that he left``: one label, a pause, and words; or None."""
    if len(slots) != 2 or slots[0].how.free or not slots[1].how.free or slots[0].how.own_space:
        return None
    pause = _PAUSE.search(text)
    if pause is None:
        return None
    label, rest = text[: pause.start()].strip(), text[pause.end() :].strip()
    if not rest or isinstance(slots[0].how.read(label, slots[0].space, language), Unreadable):
        return None
    is_words = "|".join(map(re.escape, words("is")))
    leading = rf"(?:\w+\s)?{re.escape(slots[1].name)}\s*(?:[:：]|\s(?:{is_words})\b)\s*(?:that\s)?"
    rest = re.sub(f"^{leading}", "", rest, flags=re.IGNORECASE).strip()
    return {slots[0].name: label, slots[1].name: rest} if rest else None


def _assigned(fields: Iterable[tuple[str, Any]], slots: Sequence[Slot]) -> dict[str, Any] | None:
    """Assign fields to slots, by name before kind; None unless each slot has exactly one.

    A field that is of no slot's kind is left out; one whose slots are all taken, or not told apart, means two things.
    """
    names = {slot.name for slot in slots}
    given = list(fields)
    parts = {key: value for key, value in given if key in names}
    if len(parts) < sum(key in names for key, _ in given):
        return None
    named = frozenset(parts)
    for key, value in given:
        if key in names or not (fitting := [slot.name for slot in slots if key in _words_of(slot, slots)]):
            continue
        free = [name for name in fitting if name not in named]
        if len(free) != 1 or free[0] in parts:
            return None
        parts[free[0]] = value
    return parts if parts.keys() == names else None


def _words_of(slot: Slot, slots: Sequence[Slot]) -> set[str]:
    """Return the words for the kind of answer of a slot, without those that are names of other slots."""
    numeric = slot.how.shape(slot.space) in _NUMBERS
    kinds = ("field_span", "field_reason") if slot.how.free else ("field_number",) if numeric else ("field_label",)
    return {word for kind in kinds for word in words(kind)} - {one.name for one in slots}

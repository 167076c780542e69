"""One label out of a closed set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affectllm.labels.reading.mentions import Mention, mentions
from affectllm.labels.reading.structure import ABSENT, LABEL_KEYS, after_answer, after_fields, json_value, texts_of
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import as_text, bare
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.reading.words import vocabulary
from affectllm.labels.space import LabelSpace

AMBIGUOUS, NO_LABEL = "ambiguous", "no_label"


def read_label(text: Any, space: LabelSpace) -> str | Unreadable:
    """The one label of ``space`` that an answer states, or why there is none; never a label in its place.

    In this order: the last ``<answer>`` (reasoning in ``<think>`` is left out); a JSON field; the whole answer, or one
    line of it, as a label, an alias or another form of its word; what follows ``Answer:`` or ``Emotion:``; the labels
    that the text mentions. Of several mentions, those that are denied do not count; one that is stressed
    (``most likely``, ``overall``) beats the others, and a plain one those that are only possible (``might be``).
    Where several are left, the answer is ``ambiguous``.
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    if not bare(part):
        return Unreadable("empty", raw)
    words = vocabulary(space)
    value = json_value(part, LABEL_KEYS)
    texts = None if value is ABSENT else texts_of(value)
    found = _prose(part, words) if texts is None else _agreed([_prose(item, words) for item in texts])
    return Unreadable(found or NO_LABEL, raw) if found in (None, AMBIGUOUS) else found


def _agreed(names: list[str | None]) -> str | None:
    """The name that all agree on; items that name no label do not count."""
    different = {name for name in names if name is not None}
    return AMBIGUOUS if len(different) > 1 else next(iter(different), None)


def _prose(text: str, words: Mapping[str, str]) -> str | None:
    if name := words.get(bare(text)):
        return name
    lines = {words[line] for line in map(bare, text.splitlines()) if line in words}
    if len(lines) == 1:
        return lines.pop()
    answer = after_answer(text)
    if answer is not None and (name := decided(mentions(answer, words))):
        return name
    fields = {decided(mentions(field, words)) for field in after_fields(text)} - {None}
    if len(fields) == 1:
        return fields.pop()
    return decided(mentions(text, words))


def decided(found: list[Mention]) -> str | None:
    """The one label that stands out among mentions, ``ambiguous`` when several do, None when there is none."""
    for mark in ("strong", "", "weak"):
        names = {mention.name for mention in found if not mention.denied and mention.mark == mark}
        if names:
            return names.pop() if len(names) == 1 else AMBIGUOUS
    return None

"""Read one label of a closed label space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affectllm.labels.reading.mentions import Mention, mentions
from affectllm.labels.reading.negation import no
from affectllm.labels.reading.spoken import compiled, pattern
from affectllm.labels.reading.structure import (
    ABSENT,
    after_answer,
    after_fields,
    answer_keys,
    differing_lists,
    end_of_last_correction,
    json_value,
    texts_of,
)
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import as_text, bare
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.reading.verdicts import Verdicts, verdicts
from affectllm.labels.reading.words import vocabulary
from affectllm.labels.space import LabelSpace

AMBIGUOUS, NO_LABEL = "ambiguous", "no_label"
_UNDECIDED = compiled(lambda: pattern("undecided"))


def read_label(text: Any, space: LabelSpace) -> str | Unreadable:
    """Return the one label of ``space`` that an answer states, or why there is none; never a default label.

    In this order: the last ``<answer>`` (reasoning in ``<think>`` is left out); labels that are judged one by
    one (``anger: no, joy: yes``), of which one may hold; a JSON field; the whole answer, or one line of it, as a label,
    an alias or another form of its word; what follows ``Answer:`` or ``Emotion:``; the labels that the text mentions.
    Of several mentions, those that are denied do not count; one that is stressed
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
    judged = verdicts(part, words)
    label = _stated(part, words) if judged is None else _only_affirmed(judged)
    return Unreadable(label or NO_LABEL, raw) if label in (None, AMBIGUOUS) else label


def _stated(part: str, words: Mapping[str, str]) -> str | None:
    if differing_lists(part, str):
        return AMBIGUOUS
    value = json_value(part, answer_keys("label"))
    texts = None if value is ABSENT else texts_of(value)
    return _prose(part, words) if texts is None else _agreed([_prose(item, words) for item in texts])


def _only_affirmed(judged: Verdicts) -> str | None:
    """Return the only affirmed label among labels that are judged one by one."""
    if judged.unclear or len(judged.affirmed) > 1:
        return AMBIGUOUS
    return next(iter(judged.affirmed), None)


def _agreed(names: list[str | None]) -> str | None:
    """Return the name that all items agree on; items that name no label do not count."""
    different = {name for name in names if name is not None}
    return AMBIGUOUS if len(different) > 1 else next(iter(different), None)


def _prose(text: str, words: Mapping[str, str]) -> str | None:
    end = end_of_last_correction(text)
    corrected = mentions(text[end:], words) if end else []
    if corrected:
        return decided(corrected)
    if name := _exact(text, words):
        return name
    for parts in ([after_answer(text) or ""], after_fields(text)):
        if any(_UNDECIDED().match(bare(part)) and bare(part) not in words for part in parts):
            return None  # "Answer: unclear. He was angry before."
        names = {_exact(part, words) or decided(mentions(part, words)) for part in parts} - {None}
        if len(names) == 1 and (name := names.pop()) != AMBIGUOUS:
            return name
    return decided(mentions(text, words))


def _exact(text: str, words: Mapping[str, str]) -> str | None:
    """Return the label that is the whole text or a whole line of it, unless a line is a mere no."""
    if name := words.get(bare(text)):
        return name
    lines = set(map(bare, text.splitlines()))
    names = {words[line] for line in lines & words.keys()}
    return names.pop() if len(names) == 1 and lines.isdisjoint(no()) else None


def decided(candidates: list[Mention]) -> str | None:
    """Return the label of the strongest mark among mentions; ``ambiguous`` for several, None for none."""
    for mark in ("strong", "", "weak"):
        names = {mention.name for mention in candidates if not mention.denied and mention.mark == mark}
        if names:
            return names.pop() if len(names) == 1 else AMBIGUOUS
    return AMBIGUOUS if len({mention.name for mention in candidates if mention.mark == "listed"}) > 1 else None

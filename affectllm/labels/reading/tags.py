"""The part of an answer that answers: what follows the reasoning, and what stands in ``<answer>`` tags."""

from __future__ import annotations

import re

from affectllm.labels.reading.unreadable import Unreadable

_END_OF_THOUGHT = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_THOUGHT = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_OPEN, _CLOSE = re.compile(r"<answer>", re.IGNORECASE), re.compile(r"</answer>", re.IGNORECASE)


def answer_part(text: str) -> str | Unreadable:
    """What is inside the last ``<answer>`` tags, else what follows ``<think>…</think>``, else the whole text.

    The opening tag of the reasoning may be missing, since many chat templates put it into the prompt. A last answer
    that is not closed was cut off after the answer began, and is taken as far as it goes; reasoning that is not closed
    never came to an answer.
    """
    if not text.strip():
        return Unreadable("empty", text)
    rest = text[_end_of_last(_END_OF_THOUGHT, text) :]
    opened = _end_of_last(_OPEN, rest)
    if opened:
        closed = _CLOSE.search(rest, opened)
        return rest[opened : closed.start() if closed else len(rest)]
    if _THOUGHT.search(rest):
        return Unreadable("unfinished", text)
    return rest


def has_answer_tag(text: str) -> bool:
    """Whether an answer is marked as one."""
    return bool(_OPEN.search(text[_end_of_last(_END_OF_THOUGHT, text) :]))


def _end_of_last(pattern: re.Pattern[str], text: str) -> int:
    end = 0
    for match in pattern.finditer(text):
        end = match.end()
    return end

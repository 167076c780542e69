"""Extract the answer from a reply: what follows the reasoning, the content of ``<answer>`` tags or of a LaTeX box."""

from __future__ import annotations

import re

from affectllm.labels.reading.turns import THOUGHTS, has_marks, own_turn
from affectllm.labels.reading.unreadable import Unreadable

_END_OF_THOUGHT = re.compile(rf"</(?:{THOUGHTS})>", re.IGNORECASE)
_THOUGHT = re.compile(rf"<(?:{THOUGHTS})>", re.IGNORECASE)
_OPEN = re.compile(r"<answer>|<\|begin_of_box\|>", re.IGNORECASE)  # GLM's vision models mark answers by a box
_CLOSE = re.compile(r"</answer>|<\|end_of_box\|>", re.IGNORECASE)
_BOX, _BRACE = re.compile(r"\\(?:boxed|fbox)\s?\{"), re.compile(r"[{}]")
_FACE = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s?\{([^{}]{0,200})\}")


def answer_part(text: str) -> str | Unreadable:
    """Return the answer in the assistant's turn: the last ``<answer>``, else what follows ``</think>``, else all of it.

    Of that, the last LaTeX box (``\\boxed{…}``) where there is one. ``turns`` finds the assistant's turn: in a
    transcript only its last answer counts, and turns that a model invents after its own never do.

    The opening tag of the reasoning may be missing, since many chat templates put it into the prompt. A last answer
    that is not closed was cut off after the answer began, and is taken as far as it goes; reasoning that is not closed
    never came to an answer.
    """
    if not text.strip():
        return Unreadable("empty", text)
    own = own_turn(text)
    if isinstance(own, Unreadable):
        return own
    rest = own[_end_of_last(_END_OF_THOUGHT, own) :]
    opened = _end_of_last(_OPEN, rest)
    if opened:
        closed = _CLOSE.search(rest, opened)
        return _boxed(rest[opened : closed.start() if closed else len(rest)])
    if _THOUGHT.search(rest):
        return Unreadable("unfinished", text)
    return _boxed(rest)


def reasoning_part(text: str) -> str:
    """Return the reasoning before the answer: what ``<think>`` holds, its opening tag missing or not; "" for none."""
    ends = list(_END_OF_THOUGHT.finditer(text))
    if not ends:
        return ""
    before = text[: ends[-1].start()]
    return before[_end_of_last(_THOUGHT, before) :].strip()


def _boxed(text: str) -> str:
    start = _end_of_last(_BOX, text)
    if not start:
        return text
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace.group() == "{" else -1
        if not depth:
            return _FACE.sub(r"\1", text[start : brace.start()])
    return text[start:]  # cut off within the box


def without_markup(text: str) -> str:
    """Strip from a gold value what a chat template puts around it: an empty ``<think></think>``, marks of turns."""
    if not (_END_OF_THOUGHT.search(text) or _OPEN.search(text) or has_marks(text)):
        return text
    part = answer_part(text)
    return text if isinstance(part, Unreadable) else part.strip()


def has_answer_tag(text: str) -> bool:
    """Whether the assistant's turn has an ``<answer>`` tag or a box mark."""
    own = own_turn(text)
    return isinstance(own, str) and bool(_OPEN.search(own[_end_of_last(_END_OF_THOUGHT, own) :]))


def _end_of_last(pattern: re.Pattern[str], text: str) -> int:
    end = 0
    for match in pattern.finditer(text):
        end = match.end()
    return end

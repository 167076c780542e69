"""The part of an answer that answers: what follows the reasoning, and what stands in ``<answer>`` tags or a box."""

from __future__ import annotations

import re

from affectllm.labels.reading.unreadable import Unreadable

_END_OF_THOUGHT = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_THOUGHT = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_OPEN, _CLOSE = re.compile(r"<answer>", re.IGNORECASE), re.compile(r"</answer>", re.IGNORECASE)

_BOX, _BRACE = re.compile(r"\\(?:boxed|fbox)\s?\{"), re.compile(r"[{}]")
_FACE = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s?\{([^{}]{0,200})\}")
# Where a model that was not stopped goes on with another turn.
_TURN_ENDS = re.compile(
    r"(?<=\S)\s{0,9}<(?:\|(?:im_end|endoftext|eot_id|end_of_text|end|user)\||end_of_turn)>", re.IGNORECASE
)


def answer_part(text: str) -> str | Unreadable:
    """What is inside the last ``<answer>`` tags, else what follows ``<think>…</think>``, else the whole text.

    Of it, the last LaTeX box (``\\boxed{…}``) where there is one. A next turn that a model invents does not count.

    The opening tag of the reasoning may be missing, since many chat templates put it into the prompt. A last answer
    that is not closed was cut off after the answer began, and is taken as far as it goes; reasoning that is not closed
    never came to an answer.
    """
    if not text.strip():
        return Unreadable("empty", text)
    rest = _own_turn(text[_end_of_last(_END_OF_THOUGHT, text) :])
    opened = _end_of_last(_OPEN, rest)
    if opened:
        closed = _CLOSE.search(rest, opened)
        return _boxed(rest[opened : closed.start() if closed else len(rest)])
    if _THOUGHT.search(rest):
        return Unreadable("unfinished", text)
    return _boxed(rest)


def _own_turn(text: str) -> str:
    end = _TURN_ENDS.search(text)
    return text[: end.start()] if end else text


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


def has_answer_tag(text: str) -> bool:
    """Whether an answer is marked as one."""
    return bool(_OPEN.search(text[_end_of_last(_END_OF_THOUGHT, text) :]))


def _end_of_last(pattern: re.Pattern[str], text: str) -> int:
    end = 0
    for match in pattern.finditer(text):
        end = match.end()
    return end

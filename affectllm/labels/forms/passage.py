"""One passage that is quoted from a text, or the word for none where there is nothing to quote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from affectllm.labels.form import Form, shape_of
from affectllm.labels.pictures import Rates, share
from affectllm.labels.reading.nothing import says_nothing
from affectllm.labels.reading.structure import after_answer
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace

_QUOTES = (('"', '"'), ("“", "”"), ("„", "“"), ("«", "»"), ("「", "」"))


def _worded(gold: str, space: LabelSpace, language: str, nothing: str) -> str:
    return gold or nothing


def _read(text: str, space: LabelSpace, language: str) -> Any:
    part = answer_part(text)
    if isinstance(part, Unreadable):
        return part
    quoted = (after_answer(part) or part).strip()
    if not quoted:
        return Unreadable("empty", text)
    if says_nothing(quoted):
        return ""
    for first, last in _QUOTES:
        inner = quoted[1:-1]
        if len(quoted) > 2 and quoted[0] == first and quoted[-1] == last and not {first, last} & set(inner):
            return inner.strip()
    return quoted


def _pictured(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Rates]:
    """Yield how often something is quoted, and to the letter, where there is a passage and where there is none."""
    rows = []
    for name, wanted in (("a passage", True), ("none", False)):
        own = [(gold, one) for gold, one in zip(golds, readings, strict=True) if bool(gold) is wanted]
        right = sum(gold == one for gold, one in own)
        kind = sum(one is not None and bool(one) is wanted for _, one in own)
        rows.append((name, len(own), (share(kind, len(own)), share(right, len(own)))))
    yield Rates("Answers that quote, where there is a passage", ("as it should", "to the letter"), tuple(rows))


FORM = Form(
    description="a quoted passage, or none",
    kinds=("open",),
    gold=lambda value, space: value.strip(),
    worded=_worded,
    read=_read,
    shape=shape_of("span"),
    tokens=128,
    texts=lambda gold: [gold],
    free=True,
    pictures=_pictured,
)

"""A text in free words: a reply, a caption, a reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from affectllm.labels.form import Form, shape_of
from affectllm.labels.forms._words import say_words, words
from affectllm.labels.pictures import Scatter, scatter
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def _read(text: str, space: LabelSpace, language: str) -> Any:
    part = answer_part(text)
    return part if isinstance(part, Unreadable) else part.strip() or Unreadable("empty", text)


def _lengths(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Scatter]:
    """Yield how many characters a text has, right and given, up to twice the longest right one."""
    both = zip(golds, readings, strict=True)
    pairs = [(float(len(gold)), None if one is None else float(len(one))) for gold, one in both]
    most = 2 * max((right for right, _ in pairs), default=1.0)
    longer = sum(given is not None and given > most for _, given in pairs)
    cut = [(right, given and min(given, most)) for right, given in pairs]
    note = f"{longer} given texts are longer and stand at the edge." if longer else ""
    yield replace(scatter("Characters of a text", cut, 0.0, most), note=note)


FORM = Form(
    description="a text",
    kinds=("open",),
    gold=words,
    worded=say_words,
    read=_read,
    shape=shape_of("text"),
    tokens=96,
    texts=lambda gold: [gold],
    free=True,
    judged=False,
    pictures=_lengths,
)

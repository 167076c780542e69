"""A text in free words: a reply, a caption, a reason."""

from __future__ import annotations

from typing import Any

from affectllm.labels.form import Form, shape_of
from affectllm.labels.forms._words import say_words, words
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def _read(text: str, space: LabelSpace, language: str) -> Any:
    part = answer_part(text)
    return part if isinstance(part, Unreadable) else part.strip() or Unreadable("empty", text)


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
)

"""Whether a statement is correct."""

from __future__ import annotations

from typing import Any

from affectllm.labels.form import Form, another_name, any_name, shape_of
from affectllm.labels.forms._names import one, say_one, shown_names
from affectllm.labels.reading.judgements import read_judgement
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def _read(text: str, space: LabelSpace, language: str) -> Any:
    reading = read_judgement(text)
    return reading if isinstance(reading, Unreadable) else ("correct" if reading else "incorrect")


FORM = Form(
    description="a judgement",
    kinds=("category",),
    gold=one,
    worded=say_one,
    read=_read,
    shape=shape_of("label"),
    tokens=24,
    chance=any_name,
    wrong=another_name,
    classes=True,
    choices=True,
    only=frozenset({"correct", "incorrect"}),
    pictures=shown_names,
)

"""Which of two descriptions is better, or that both are."""

from __future__ import annotations

from typing import Any

from affectllm.labels.form import Form, another_name, any_name, shape_of
from affectllm.labels.forms._names import one, say_one, shown_names
from affectllm.labels.reading.preferences import read_preference
from affectllm.labels.space import LabelSpace


def _read(text: str, space: LabelSpace, language: str) -> Any:
    return read_preference(text)


FORM = Form(
    description="a preference",
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
    only=frozenset({"a1", "a2", "same"}),
    pictures=shown_names,
)

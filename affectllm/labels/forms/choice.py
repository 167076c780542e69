"""One name of a label space."""

from __future__ import annotations

from typing import Any

from affectllm.labels.form import Form, another_name, any_name, shape_of
from affectllm.labels.forms._names import one, say_one, shown_names
from affectllm.labels.names import understood
from affectllm.labels.reading.label import read_label
from affectllm.labels.space import LabelSpace


def _read(text: str, space: LabelSpace, language: str) -> Any:
    return read_label(text, understood(space, language))


FORM = Form(
    description="one label",
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
    pictures=shown_names,
)

"""All names of a label space that hold, possibly none."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from affectllm.labels.form import Form, shape_of
from affectllm.labels.forms._names import as_set, other_set, same_set, several, shown_names
from affectllm.labels.names import named, understood
from affectllm.labels.reading.sets import read_labels
from affectllm.labels.reading.text import bare
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def _worded(gold: list[str], space: LabelSpace, language: str, nothing: str) -> str:
    words = named(space.names, language)
    return ", ".join(words[name] for name in gold) or nothing


def _read(text: str, space: LabelSpace, language: str) -> Any:
    if not bare(text):
        return Unreadable("empty", text)  # "[]" is no wording that a template asks for
    return read_labels(text, understood(space, language))


def _one(golds: Sequence[Any], space: LabelSpace, draw: Random) -> list[str]:
    return [draw.choice(space.names)]


FORM = Form(
    description="a set of labels",
    kinds=("set",),
    gold=several,
    worded=_worded,
    read=_read,
    shape=shape_of("set"),
    tokens=48,
    truth=as_set,
    answer=as_set,
    chance=_one,
    wrong=other_set,
    agreement=same_set,
    classes=True,
    needs=("labels",),
    pictures=shown_names,
)

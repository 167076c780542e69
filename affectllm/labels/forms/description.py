"""A sentence that mentions the name or names that hold; there is at least one."""

from __future__ import annotations

from random import Random
from typing import Any

from affectllm.labels.form import Form, Refused, any_name, shape_of
from affectllm.labels.forms import set as sets
from affectllm.labels.forms._names import as_set, one, other_set, same_set, shown_names
from affectllm.labels.language import asking
from affectllm.labels.names import named
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def _gold(value: Any, space: LabelSpace) -> Any:
    if isinstance(value, str):
        return one(value, space)
    return sets.FORM.gold(value, space) or Refused("no_label")


def _worded(gold: str | list[str], space: LabelSpace, language: str, nothing: str) -> str:
    words = named(space.names, language)
    return asking(language).joiner.join(words[name] for name in ([gold] if isinstance(gold, str) else gold))


def _read(text: str, space: LabelSpace, language: str) -> Any:
    """Read the names that a description mentions; one name in a ``category`` space is that name, several are a tie."""
    reading = sets.FORM.read(text, space, language)
    if isinstance(reading, Unreadable) or space.kind != "category":
        return reading
    if not reading:
        return Unreadable("no_label", text)
    return reading[0] if len(reading) == 1 else reading


def _other(gold: Any, space: LabelSpace, draw: Random) -> Any:
    names = other_set(gold, space, draw)
    return names[0] if names and isinstance(gold, str) else names


FORM = Form(
    description="a description that names labels",
    kinds=("category", "set"),
    gold=_gold,
    worded=_worded,
    read=_read,
    shape=shape_of("set"),
    tokens=64,
    truth=as_set,
    answer=as_set,
    chance=any_name,
    wrong=_other,
    agreement=same_set,
    classes=True,
    pictures=shown_names,
)

"""Passages of a dialogue, quoted: a JSON list of ``{"turn": …, "span": …}``, the span empty for what was not said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from affectllm.labels.form import Form, Refused, shape_of
from affectllm.labels.forms._passages import BACKGROUND, f1, last, listed, numbered, shown_passages
from affectllm.labels.pictures import Picture
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace


def _gold(value: Any, space: LabelSpace) -> Any:
    if not value or any("span" not in passage for passage in value):
        return Refused("no_span")
    return [{"turn": passage["turn"], "span": passage["span"]} for passage in value]


def _worded(gold: Any, space: LabelSpace, language: str, nothing: str) -> str:
    return json.dumps(gold, ensure_ascii=False)


def _read(text: str, space: LabelSpace, language: str) -> Any:
    """Read the passages as the answer spells them; a turn is a whole number or ``background``."""
    part = answer_part(text)
    if isinstance(part, Unreadable):
        return part
    items, is_list = listed(part, ("spans", "causes"))
    passages = [passage for item in items if (passage := _passage(item)) is not None]
    # An empty list says that there is none; an answer without a list says nothing.
    complete = len(passages) == len(items) and (passages or is_list)
    return tuple(passages) if complete else Unreadable("no_span", text)


def _passage(item: Any) -> dict[str, Any] | None:
    """Return turn and words of one passage, whatever else the answer says of it; None where one of them lacks."""
    if not isinstance(item, dict) or not isinstance(item.get("span"), str):
        return None
    turn = numbered(item.get("turn"))
    is_turn = turn == BACKGROUND or (type(turn) is int and turn >= 0)
    return {"turn": turn, "span": item["span"]} if is_turn else None


def _quoted(value: Any, space: LabelSpace) -> str:
    """Join the words of all passages, as extractive question answering compares them."""
    return " ".join(passage["span"] for passage in value).strip()


def _same(answer: Any, gold: Any, space: LabelSpace) -> float:
    return f1(_spoken(answer), _spoken(gold))


def _spoken(passages: Any) -> list[tuple[Any, str]]:
    return [(passage["turn"], passage["span"].strip().lower()) for passage in passages]


def _pictured(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Picture]:
    sides = [[_spoken(one or ()) for one in side] for side in (golds, readings)]
    yield from shown_passages("Passages that are quoted exactly, by how many are right", *sides)


FORM = Form(
    description="passages of a dialogue",
    kinds=("spans",),
    gold=_gold,
    worded=_worded,
    read=_read,
    shape=shape_of("span"),
    tokens=192,
    truth=_quoted,
    answer=_quoted,
    agreement=_same,
    texts=lambda gold: [passage["span"] for passage in gold],
    free=True,
    last_turn=last,
    pictures=_pictured,
)

"""Passages of a dialogue, quoted: a JSON list of ``{"turn": …, "span": …}``, the span empty for what was not said."""

from __future__ import annotations

import json
from typing import Any

from affectllm.labels.form import Form, Refused, shape_of
from affectllm.labels.forms._passages import BACKGROUND, f1, last
from affectllm.labels.reading.structure import json_value
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
    value = json_value(part, ("spans", "causes"))
    if not isinstance(value, list) or not all(map(_is_passage, value)):
        return Unreadable("no_span", text)
    return tuple({"turn": _turn(item["turn"]), "span": item["span"]} for item in value)


def _is_passage(item: Any) -> bool:
    if not isinstance(item, dict) or set(item) != {"turn", "span"} or not isinstance(item["span"], str):
        return False
    turn = item["turn"]
    return (
        turn == BACKGROUND
        or (type(turn) is int and turn >= 0)
        or (isinstance(turn, str) and turn.isdecimal() and len(turn) <= 4)
    )


def _turn(turn: Any) -> int | str:
    return turn if turn == BACKGROUND else int(turn)


def _quoted(value: Any, space: LabelSpace) -> str:
    """Join the words of all passages, as extractive question answering compares them."""
    return " ".join(passage["span"] for passage in value).strip()


def _same(answer: Any, gold: Any, space: LabelSpace) -> float:
    both = [[(passage["turn"], passage["span"].strip().lower()) for passage in side] for side in (answer, gold)]
    return f1(*both)


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
)

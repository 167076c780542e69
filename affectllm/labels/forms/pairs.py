"""Pairs of an emotion and its cause in a dialogue: a JSON list of ``{"turn": …, "emotion": …, "cause": …, "span": …}``.

``turn`` feels the emotion, ``cause`` is the turn that caused it and ``span`` the words in it that did; where only turns
were marked there is no span. An empty list says that there is no emotion with a cause.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from affectllm.labels.form import OUTSIDE, Form, shape_of
from affectllm.labels.forms._passages import f1, listed, numbered
from affectllm.labels.names import named, understood
from affectllm.labels.pictures import Rates, share
from affectllm.labels.reading.nothing import says_nothing
from affectllm.labels.reading.spoken import words
from affectllm.labels.reading.structure import after_answer, cut_off, differing_lists
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import bare
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace

_FIELDS = ("turn", "emotion", "cause", "span")
_EMPTY = re.compile(r"[\s`]*(?:json\s*)?\[\s*\][\s`.]*")


def _gold(value: Any, space: LabelSpace) -> Any:
    if any(pair["emotion"] not in space.names for pair in value):
        return OUTSIDE
    return [{key: pair[key] for key in _FIELDS if pair.get(key) is not None} for pair in value]


def _worded(gold: Any, space: LabelSpace, language: str, nothing: str) -> str:
    names = named(space.names, language)
    return json.dumps([{**pair, "emotion": names[pair["emotion"]]} for pair in gold], ensure_ascii=False)


def _read(text: str, space: LabelSpace, language: str) -> Any:
    """Read the pairs as the answer spells them, each of them or none; pairs of a neutral turn say nothing."""
    part = answer_part(text)
    if isinstance(part, Unreadable):
        return part
    answer = after_answer(part) or part
    if _EMPTY.fullmatch(answer) or (bare(answer) and (says_nothing(answer) or bare(answer) in words("no_span"))):
        return ()
    if differing_lists(part, dict):
        return Unreadable("ambiguous", text)
    items, is_list = listed(part, ("pairs",))
    known = understood(space, language)
    neutral = {"neutral", *named(("neutral",), language).values()}
    said = [item for item in items if not (isinstance(item, Mapping) and bare(str(item.get("emotion"))) in neutral)]
    pairs = [_pairs(item, known) for item in said]
    if not all(pairs) or not (items or is_list):
        return Unreadable("no_pair", text)
    if cut_off(part):  # what is there of the list is no answer to all of it
        return Unreadable("unfinished", text)
    return tuple(pair for several in pairs for pair in several)


def _pairs(item: Any, space: LabelSpace) -> list[dict[str, Any]]:
    """Return the pair of an item, or one for each of its causes; none where something of it lacks."""
    if not isinstance(item, Mapping) or not isinstance(item.get("emotion"), str):
        return []
    causes = item.get("cause")
    turns = [numbered(one) for one in (item.get("turn"), *(causes if isinstance(causes, list) else [causes]))]
    emotion, span = space.resolve(item["emotion"]), item.get("span")
    if emotion is None or not all(type(turn) is int and turn >= 1 for turn in turns) or len(turns) < 2:
        return []
    if not isinstance(span, str | None) or (span and len(turns) > 2):  # whose words they are is not said
        return []
    spoken = {} if span is None else {"span": span}
    return [{"turn": turns[0], "emotion": emotion, "cause": cause, **spoken} for cause in turns[1:]]


def _keys(pairs: Any) -> list[tuple[Any, ...]]:
    return [(pair["turn"], pair["emotion"], pair["cause"], (pair.get("span") or "").strip().lower()) for pair in pairs]


def _turns_of(pairs: Any, emotion: str) -> set[tuple[Any, ...]]:
    return {key[:3] for key in _keys(pairs) if key[1] == emotion}


def _other(gold: Any, space: LabelSpace, draw: Random) -> Any:
    """Give every pair another emotion; None where there is no other."""
    if len(space.names) < 2:
        return None
    if not gold:
        return [{"turn": 1, "emotion": draw.choice(space.names), "cause": 1}]
    others = {name: [one for one in space.names if one != name] for name in space.names}
    return [{**pair, "emotion": draw.choice(others[pair["emotion"]])} for pair in gold]


def _last(gold: Any) -> int:
    return max((max(pair["turn"], pair["cause"]) for pair in gold), default=0)


def _pictured(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Rates]:
    """Yield how many pairs of turns are found, by their emotion."""
    rows = []
    for name in space.names:
        sides = [[_turns_of(one or (), name) for one in side] for side in (golds, readings)]
        right, given = (sum(map(len, side)) for side in sides)
        both = sum(len(one & other) for one, other in zip(*sides, strict=True))
        rows.append((name, right, (share(both, given), share(both, right))))
    yield Rates("Pairs of turns that are found, by the emotion", ("precision", "recall"), tuple(rows))


FORM = Form(
    description="pairs of an emotion and its cause",
    kinds=("pairs",),
    gold=_gold,
    worded=_worded,
    read=_read,
    shape=shape_of("pairs"),
    tokens=1024,
    wrong=_other,
    agreement=lambda answer, gold, space: f1(_keys(answer), _keys(gold)),
    texts=lambda gold: [pair["span"] for pair in gold if pair.get("span")],
    free=True,
    needs=("labels",),
    last_turn=_last,
    pictures=_pictured,
)

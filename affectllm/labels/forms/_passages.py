"""Passages of a dialogue: ``{"turn": 3, "span": "words in it"}``; ``background`` is the turn of what was not said."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from affectllm.labels.pictures import Matrix, Rates, matrix, share
from affectllm.labels.reading.structure import json_objects, json_value

BACKGROUND = "background"
_NUMBERED = re.compile(r"[^\W\d]{0,12}\s?#?(\d{1,4})[^\W\d]?")  # "3", "Turn 3", "第3句"
Passage = Mapping[str, Any]


def listed(text: str, names: Sequence[str]) -> tuple[list[Any], bool]:
    """Return what an answer in JSON lists, its fields in lower case, and whether it has a list at all.

    Args:
        text: the answer.
        names: fields that may hold the list.
    """
    value = json_value(text, names)
    if not isinstance(value, list):
        value = json_objects(text)
        if any([*one.values()] == [[]] for one in value):  # {"pairs": []}
            return [], True
        return [_lowered(one) for one in value], False
    return [_lowered(one) for item in value for one in (item if isinstance(item, list) else [item])], True


def _lowered(item: Any) -> Any:
    return {str(key).strip().lower(): one for key, one in item.items()} if isinstance(item, dict) else item


def numbered(turn: Any) -> Any:
    """Return the number of ``3``, ``3.0``, ``"3"``, ``"Turn 3"``, ``"第3"``; anything else as it is."""
    if isinstance(turn, str) and (match := _NUMBERED.fullmatch(turn.strip())):
        return int(match[1])
    return int(turn) if isinstance(turn, float) and turn.is_integer() else turn


def turns(passages: Iterable[Passage]) -> list[int | str]:
    """Return the turns of passages in order, each once."""
    return list(dict.fromkeys(passage["turn"] for passage in passages))


def last(passages: Iterable[Passage]) -> int:
    """Return the highest turn number of passages; 0 where there is none."""
    return max((int(turn) for turn in turns(passages) if turn != BACKGROUND), default=0)


def f1(answer: Iterable[Any], gold: Iterable[Any]) -> float:
    """Return the F1 of two sets; 1 where both are empty."""
    ours, theirs = set(answer), set(gold)
    return 2 * len(ours & theirs) / (len(ours) + len(theirs)) if ours or theirs else 1.0


def shown_passages(
    title: str, golds: Sequence[Sequence[Hashable]], answers: Sequence[Sequence[Hashable]]
) -> Iterator[Matrix | Rates]:
    """Yield precision and recall of passages by how many of an item are right, and how many are given."""
    pairs = [(set(gold), set(answer)) for gold, answer in zip(golds, answers, strict=True)]
    rows = []
    for size in sorted({min(len(gold), 4) for gold, _ in pairs}):
        own = [(gold, answer) for gold, answer in pairs if min(len(gold), 4) == size]
        both = sum(len(gold & answer) for gold, answer in own)
        parts = [share(both, sum(len(side) for side in sides)) for sides in zip(*own, strict=True)]
        rows.append((f"{size}{' or more' if size == 4 else ''} right", len(own), (parts[1], parts[0])))
    yield Rates(title, ("precision", "recall"), tuple(rows))
    sizes = [(min(len(gold), 4), min(len(answer), 4)) for gold, answer in pairs]
    yield matrix("How many an item has, right and given (4: or more)", sizes, range(5), "other")

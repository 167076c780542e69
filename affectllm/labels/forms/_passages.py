"""Passages of a dialogue: ``{"turn": 3, "span": "words in it"}``; ``background`` is the turn of what was not said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

BACKGROUND = "background"
Passage = Mapping[str, Any]


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

"""What forms whose answers are names have in common."""

from __future__ import annotations

from random import Random
from typing import Any

from affectllm.labels.form import OUTSIDE, Refused
from affectllm.labels.names import named
from affectllm.labels.space import LabelSpace


def one(value: Any, space: LabelSpace) -> Any:
    """The one name that was given."""
    if not isinstance(value, str):
        return Refused("tie")
    return value if value in space.names else OUTSIDE


def say_one(gold: str, space: LabelSpace, language: str, nothing: str) -> str:
    """The name in the language of the answer."""
    return named(space.names, language)[gold]


def as_set(value: Any, space: LabelSpace) -> list[str]:
    """A list of names, also of one."""
    return [value] if isinstance(value, str) else list(value)


def same_set(answer: Any, gold: Any, space: LabelSpace) -> float:
    """1 where both name the same, in any order."""
    both = [{side} if isinstance(side, str) else set(side) for side in (answer, gold) if isinstance(side, (str, list))]
    return float(len(both) == 2 and both[0] == both[1])


def other_set(gold: Any, space: LabelSpace, draw: Random) -> Any:
    """As many names that do not hold, as far as there are; at least one, and never the same ones."""
    held = as_set(gold, space)
    outside = [name for name in space.names if name not in held]
    if not outside:
        return [draw.choice(held)] if len(held) > 1 else None
    chosen = draw.sample(outside, min(len(outside), max(1, len(held))))
    return [name for name in space.names if name in chosen]

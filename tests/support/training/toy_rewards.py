"""A graded reward for models of random weights, which never say a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def thirds(completion_ids: Sequence[Sequence[int]], **_: Any) -> list[float]:
    """The share of tokens whose number is divisible by three."""
    return [sum(token % 3 == 0 for token in reply) / len(reply) for reply in completion_ids]


def silent(completion_ids: Sequence[Sequence[int]], **_: Any) -> list[None]:
    """A judge that never answers."""
    return [None for _ in completion_ids]


def endless(completion_ids: Sequence[Sequence[int]], **_: Any) -> list[float]:
    """A division by next to nothing."""
    return [float("inf") for _ in completion_ids]


def breaks(completion_ids: Sequence[Sequence[int]], samples: Sequence[dict[str, Any]], **_: Any) -> list[float]:
    """A function with a mistake that shows with some rows only."""
    return [1 / (sample["gold"] != "sadness") for sample in samples]


async def later(completion_ids: Sequence[Sequence[int]], **_: Any) -> list[float]:
    """A judge that is asked over a network."""
    return [0.5 for _ in completion_ids]

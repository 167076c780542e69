"""Keep equal values in memory once: labels, lists of them and replies repeat, and an evaluation may have a million."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

_LABEL = 64  # characters
_MOST = 100_000  # values that are kept for being met again
_NOTHING = object()
_SHARED: dict[Hashable, Any] = {}
T = TypeVar("T")


def shared(value: Any) -> Any:
    """Return an equal value of the same types, whose labels, numbers, and lists and mappings of labels are there once.

    Nobody may change it.
    """
    key = _key(value)
    if key is not None:
        if len(_SHARED) > _MOST:
            _SHARED.clear()
        return _SHARED.setdefault(key, value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(shared, value))
    return {shared(name): shared(one) for name, one in value.items()} if type(value) is dict else value


def _key(value: Any) -> Hashable:
    """Return what tells values apart that may be shared; None for others, such as long texts."""
    if isinstance(value, str):
        return value if len(value) < _LABEL else None
    if isinstance(value, int):
        return type(value), value
    if isinstance(value, float):
        # 1.0 equals 1 and True, and 0.0 equals -0.0; each is written in its own way.
        return (float, value, math.copysign(1.0, value)) if value == value else None
    if isinstance(value, (list, tuple)):
        keys = [_key(one) for one in value]
        return None if None in keys else (type(value), *keys)
    if type(value) is dict:
        # Few items have the same numbers in the same places: then only the parts are shared.
        keys = [None if isinstance(one, float) else _key(one) for pair in value.items() for one in pair]
        return None if None in keys else (dict, *keys)
    return _NOTHING if value is None else None


def once_each(convert: Callable[[Any], T]) -> Callable[[Any], T]:
    """Return ``convert`` such that a ``shared`` value that is met again gives the same result, made once."""
    results: dict[int, tuple[Any, T]] = {}

    def converted(value: Any) -> T:
        known = results.get(id(value))
        if known is None:
            if len(results) > _MOST:
                results.clear()
            known = results[id(value)] = value, convert(value)  # held, so that no other value gets its id
        return known[1]

    return converted

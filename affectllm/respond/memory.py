"""Errors of memory: what did not fit at once is asked in halves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_parts(
    ask: Callable[[Sequence[T]], list[R]], items: Sequence[T], too_large: Callable[[Sequence[T]], None]
) -> Iterator[tuple[Sequence[T], list[R]]]:
    """Yield the items with their results: all at once where they fit into memory, else in halves, or halves of these.

    A part is yielded before the next one is asked, so that it can be stored.

    Args:
        too_large: called with each part that did not fit; raises where that is a single item.
    """
    from accelerate.utils.memory import clear_device_cache

    waiting = [items]
    while waiting:
        part = waiting.pop()
        results = _tried(ask, part)
        if results is None:
            clear_device_cache(garbage_collection=True)
            too_large(part)
            middle = -(-len(part) // 2)
            waiting += [part[middle:], part[:middle]]
        else:
            yield part, results


def _tried(ask: Callable[[Sequence[T]], list[R]], part: Sequence[T]) -> list[R] | None:
    # On return the error is gone, and with its traceback the tensors of the attempt.
    try:
        return ask(part)
    except RuntimeError as error:
        if not _is_of_memory(error):
            raise
        return None


def _is_of_memory(error: RuntimeError) -> bool:
    import torch
    from accelerate.utils.memory import should_reduce_batch_size

    return isinstance(error, torch.OutOfMemoryError) or should_reduce_batch_size(error)

"""Work done ahead by threads: clips are decoded and encoded while the model answers about earlier ones."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from affectllm.processes import usable_cores

T = TypeVar("T")
R = TypeVar("R")
_MOST = 8  # threads; the decoder has threads of its own


def default_workers() -> int:
    """Return how many threads encode: a process's share of the cores, less the one that drives the model."""
    return max(1, min(_MOST, usable_cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")) - 1))


def ahead(
    work: Callable[[T], R], items: Iterable[T], workers: int, most: Callable[[], int]
) -> Generator[tuple[T, R], None, None]:
    """Yield each item with its result, in order, while threads work on the items after it.

    An error that ``work`` raises is raised at its item's place. When the caller stops early, what has not begun is
    dropped. Decoders, tensor operations and tokenizers run without the interpreter's lock, so threads suffice, and
    nothing is copied between processes.

    Args:
        workers: threads; 0 works in the caller's own, when its turn has come.
        most: how many later items may be begun or finished; asked again at each item.
    """
    if not workers:
        yield from ((item, work(item)) for item in items)
        return
    waiting: deque[tuple[T, Future[R]]] = deque()
    with ThreadPoolExecutor(workers, "affectllm media") as pool:
        try:
            for item in items:
                waiting.append((item, pool.submit(work, item)))
                while len(waiting) > max(1, most()):
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            for _, future in waiting:
                future.cancel()

"""A model on a machine with little memory: torch itself refuses what a batch of more tokens would take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from affectllm.model.load import Model

_MORE_THAN_THERE_IS = 2**62  # bytes


@contextmanager
def little_memory(model: Model, tokens: int) -> Iterator[list[tuple[int, int]]]:
    """Let every pass over more than ``tokens`` tokens, padding included, fail as torch does without memory.

    Yields:
        The shapes ``(conversations, tokens)`` of the passes that fitted; of a generation the first one alone.
    """
    shapes: list[tuple[int, int]] = []

    def hook(_: Any, __: Any, inputs: dict[str, Any]) -> None:
        rows, length = inputs["input_ids"].shape
        if rows * length > tokens:
            torch.empty(_MORE_THAN_THERE_IS, dtype=torch.uint8)
        if length > 1:
            shapes.append((rows, length))

    handle = model.model.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield shapes
    finally:
        handle.remove()

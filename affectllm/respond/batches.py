"""Group questions into batches of like length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from affectllm.instruct.conversation import Messages
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded
from affectllm.model.length import BoundedEncoder

_WINDOW = 16  # batches that are encoded and sorted together; bounds the clips in memory
T = TypeVar("T")


def batches(
    encoder: BoundedEncoder, questions: Sequence[T], size: int, messages: Callable[[T], Messages]
) -> Iterator[tuple[list[T], list[Encoded] | MediaError]]:
    """Yield batches of at most ``size`` encoded questions, the longest of a window first, to fail early on these.

    A question whose clip cannot be read, or that is too long for the model, comes alone, with its error.

    Args:
        messages: a question → what is encoded of it.
    """
    for start in range(0, len(questions), _WINDOW * size):
        window = []
        for question in questions[start : start + _WINDOW * size]:
            encoded = encoder.encode(messages(question), generation_prompt=True)
            if isinstance(encoded, MediaError):
                yield [question], encoded
            else:
                window.append((question, encoded))
        window.sort(key=lambda pair: -pair[1].length)
        for first in range(0, len(window), size):
            pairs = window[first : first + size]
            yield [question for question, _ in pairs], [encoded for _, encoded in pairs]

"""Questions into batches of like settings and like length."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from affectllm.evaluate.requests import Question
from affectllm.model.encode import Encoded
from affectllm.model.length import BoundedEncoder
from affectllm.model.media import MediaError

_WINDOW = 16  # batches that are encoded and sorted together; bounds the clips in memory
Batch = tuple[list[Question], list[Encoded]]


def batches(
    encoder: BoundedEncoder, questions: Sequence[Question], size: int
) -> Iterator[Batch | tuple[list[Question], MediaError]]:
    """Encoded questions in batches of at most ``size``, the longest first, so that too long ones show at once.

    A question whose clip cannot be read, or that is too long for the model, comes alone, with its error.
    """
    for alike in _by_settings(questions):
        for start in range(0, len(alike), _WINDOW * size):
            window = []
            for question in alike[start : start + _WINDOW * size]:
                encoded = encoder.encode(question.messages, generation_prompt=True)
                if isinstance(encoded, MediaError):
                    yield [question], encoded
                else:
                    window.append((question, encoded))
            window.sort(key=lambda pair: -pair[1].length)
            for first in range(0, len(window), size):
                pairs = window[first : first + size]
                yield [question for question, _ in pairs], [encoded for _, encoded in pairs]


def _by_settings(questions: Sequence[Question]) -> list[list[Question]]:
    groups: dict[str, list[Question]] = {}
    for question in sorted(questions, key=lambda question: -question.weight):
        groups.setdefault(json.dumps(dict(question.settings), sort_keys=True), []).append(question)
    return list(groups.values())

"""Features of a linear protocol: what a frozen encoder makes of each sample, as dense rows, scaled as a page says."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from affectllm.corpus import Sample
from affectllm.evaluate.models.features import BUDGET, described, encoded, shown_of
from affectllm.evaluate.models.linear_page import LinearProtocol
from affectllm.evaluate.question import Question
from affectllm.instruct.content_parts import with_person
from affectllm.instruct.conversation import Conversation
from affectllm.model.clips.media import MediaError
from affectllm.model.embedding.embedder import Embedder, is_clip_like, load_embedder
from affectllm.model.load import has_family
from affectllm.model.pooled import PooledEncoder
from affectllm.voice import bar

Embed = Callable[[Question, Sequence[Sample]], Iterator[np.ndarray | None]]
Rows = Callable[[Question, list[Sample], list[Sample]], tuple[np.ndarray, np.ndarray]]


def protocol_rows(embed: Embed, protocol: LinearProtocol) -> Rows:
    """Return what makes dense float64 rows ``[items, features]`` of a question's samples, those to learn from first.

    A clip that cannot be used is the mean of what is learned from, and counted.
    """
    unit = protocol.normalise == "l2"

    def rows(question: Question, train: list[Sample], asked: list[Sample]) -> tuple[np.ndarray, np.ndarray]:
        samples = [*train, *asked]
        found = list(bar(embed(question, samples), desc="embed", total=len(samples), unit=" items"))
        if lost := sum(row is None for row in found):
            message = f"clips: {lost} of {len(found)} items have none that can be used, and count as average"
            print(message, file=sys.stderr)
        scaled = [None if row is None else _unit(row) if unit else row for row in found]
        known = [row for row in scaled[: len(train)] if row is not None]
        mean = np.mean(known, axis=0) if known else np.zeros(0)
        every = np.stack([mean if row is None else row for row in scaled]) if known else np.zeros((len(found), 0))
        return every[: len(train)], every[len(train) :]

    return rows


def _unit(row: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = row / max(float(np.linalg.norm(row)), 1e-12)
    return scaled


def embedding(path: str, layer: int | None, protocol: LinearProtocol, device: str | None) -> Embed:
    """Load an encoder, and return what describes samples by it.

    A model of texts and images (CLIP) and any family of ours give the vectors that ``affectllm-embedding`` compares;
    all other encoders the mean of their outputs over time.

    Raises:
        NotFound, WrongCheckpoint: when it cannot be loaded.
    """
    if layer is not None or not (is_clip_like(path) or has_family(path)):
        return _pooled(PooledEncoder(path, layer), protocol)
    return _embedded(load_embedder(path, device=device, **protocol.budget), protocol)


def _embedded(embedder: Embedder, protocol: LinearProtocol) -> Embed:
    def vectors(question: Question, samples: Sequence[Sample]) -> Iterator[np.ndarray | None]:
        embedder.roots[question.selection.corpus] = question.folder
        for sample in samples:
            messages = Conversation.of(sample, question.template).asked
            (vector,) = embedder.embed([_with_person(messages, sample, protocol)])
            yield None if isinstance(vector, MediaError) else np.asarray(vector, dtype=np.float64)

    return vectors


def _pooled(encoder: PooledEncoder, protocol: LinearProtocol) -> Embed:
    describer, budget = encoded(encoder), replace(BUDGET, **protocol.budget)

    def vectors(question: Question, samples: Sequence[Sample]) -> Iterator[np.ndarray | None]:
        for sample in samples:
            shown = shown_of(sample, question.template)
            if describer.words is not None:
                yield describer.words(f"{shown.before}\n{shown.words}".strip())
                continue
            (message,) = _with_person([{"role": "user", "content": shown.clips}], sample, protocol)
            parts = [described(part, question.folder, describer, budget) for part in message["content"]]
            used = [part for part in parts if len(part)]
            yield np.mean(used, axis=0) if used else None

    return vectors


def _with_person(messages: Sequence[Any], sample: Sample, protocol: LinearProtocol) -> Sequence[Any]:
    if protocol.person is None:
        return messages
    return with_person(messages, sample, beside=protocol.person == "beside")

"""Ask a model in batches of like length, whose clips are prepared while it answers the batch before."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any, TypeVar

from affectllm.instruct.conversation import Messages
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded
from affectllm.model.length import BoundedEncoder
from affectllm.respond.ahead import ahead, default_workers
from affectllm.respond.batch_size import BatchSize, does_not_fit
from affectllm.respond.memory import in_parts

# Batches' worth of conversations to choose like ones from, and to encode meanwhile; both bound the clips in memory.
_WINDOW, _AHEAD = 4, 2
T = TypeVar("T")
R = TypeVar("R")


class Batches:
    """Encodes questions ahead, batches them by length, and asks again in halves what does not fit into memory.

    Args:
        encoder: of the model.
        size: of the batches.
        workers: threads that open and encode clips; 0 does it between the model's batches, None takes what the
            machine has.

    Attributes:
        waited, worked: seconds in which the model waited for clips, and in which it did not.
    """

    def __init__(self, encoder: BoundedEncoder | Any, size: BatchSize, workers: int | None = None) -> None:
        self._encoder, self.size = encoder, size
        self._workers = default_workers() if workers is None else workers
        self.waited = self.worked = 0.0

    def encoded(
        self, questions: Sequence[T], messages: Callable[[T], Messages]
    ) -> Generator[tuple[T, Encoded | MediaError], None, None]:
        """Yield the questions in order, each encoded, or with the error of its clip or its length.

        Args:
            messages: a question → what is encoded of it.
        """

        def encode(question: T) -> Encoded | MediaError:
            return self._encoder.encode(messages(question), generation_prompt=True)

        return self._timed(
            ahead(encode, questions, self._workers, lambda: _AHEAD * max(self.size.present, self._workers))
        )

    def answered(
        self,
        questions: Sequence[T],
        messages: Callable[[T], Messages],
        ask: Callable[[Sequence[T], list[Encoded]], list[R]],
    ) -> Iterator[tuple[list[T], list[R] | MediaError]]:
        """Yield the questions in batches with their answers, the longest of those at hand first.

        A question whose clip cannot be read, or that is too long for the model, comes alone, with its error.

        Args:
            messages: a question → what is encoded of it.
            ask: questions and their encoded messages → as many answers.

        Raises:
            AffectError: when a single question does not fit into memory.
        """
        waiting: list[tuple[T, Encoded]] = []
        count = 0
        with closing(self.encoded(questions, messages)) as arriving:
            while True:
                taken = list(islice(arriving, self._wanted(count, len(waiting))))
                if not taken and not waiting:
                    return
                for question, prompt in taken:
                    if isinstance(prompt, MediaError):
                        yield [question], prompt
                    else:
                        waiting.append((question, prompt))
                if waiting:
                    waiting.sort(key=lambda pair: -pair[1].length)
                    fitting = self.size.fitting([prompt.length for _, prompt in waiting])
                    batch, waiting = waiting[:fitting], waiting[fitting:]
                    count += 1
                    yield from self._asked(batch, ask)

    def _wanted(self, batches: int, waiting: int) -> int:
        """Return how many more conversations the next batch is chosen from, after ``batches`` of them.

        The first batch is all there is, so that the model begins early; then more are kept little by little, since the
        model would wait for as many as are added at once.
        """
        return max(min(_WINDOW * self.size.present, self.size.present + batches) - waiting, 0)

    def _asked(
        self, batch: list[tuple[T, Encoded]], ask: Callable[[Sequence[T], list[Encoded]], list[R]]
    ) -> Iterator[tuple[list[T], list[R]]]:
        def ask_pairs(pairs: Sequence[tuple[T, Encoded]]) -> list[R]:
            with self.working():  # on a batch that does not fit, too
                return ask([question for question, _ in pairs], [prompt for _, prompt in pairs])

        def too_large(pairs: Sequence[tuple[T, Encoded]]) -> None:
            self.size.too_large([prompt.length for _, prompt in pairs])

        for part, answers in in_parts(ask_pairs, batch, too_large):
            self.size.answered(len(part))
            yield [question for question, _ in part], answers

    def _timed(self, items: Generator[T, None, None]) -> Generator[T, None, None]:
        with closing(items):
            while True:
                started = time.perf_counter()
                item = next(items, None)
                self.waited += time.perf_counter() - started
                if item is None:
                    return
                yield item

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count the time within as that of the model."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.worked += time.perf_counter() - started

    def __str__(self) -> str:
        return f"{self.size}; the model waited {self._share():.0%} of its time for clips"

    def to_json(self) -> dict[str, Any]:
        """Return the sizes of the batches, and the share of its time in which the model waited for clips."""
        return {**self.size.to_json(), "waited": round(self._share(), 3)}

    def _share(self) -> float:
        return self.waited / whole if (whole := self.waited + self.worked) else 0.0


def score_in_parts(score: Callable[[Sequence[T]], list[R]], choices: Sequence[T], length: int) -> list[R]:
    """Score the choices of one conversation, in halves where all of them at once do not fit into memory.

    Args:
        score: choices → their scores.
        choices: or conversations that begin alike.
        length: of the conversation in tokens.

    Raises:
        AffectError: when a single choice does not fit.
    """

    def too_large(part: Sequence[T]) -> None:
        if len(part) == 1:
            raise does_not_fit(f"one conversation of {length} tokens")

    # The parts come in the order of the choices.
    return [value for _, values in in_parts(score, choices, too_large) for value in values]

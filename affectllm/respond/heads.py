"""Answer conversations with a head: what it gives is worded as the form of its answers writes it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.instruct.conversation import Messages
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import Budget, MediaError
from affectllm.model.heads.answers import probabilities
from affectllm.model.heads.folder import LoadedHead
from affectllm.model.load import Model
from affectllm.respond.batch_size import BatchSize
from affectllm.respond.batches import Batches
from affectllm.respond.in_process import UNDEFINED
from affectllm.respond.responder import Ask, Reply, Unanswered
from affectllm.run import versions

if TYPE_CHECKING:
    import numpy as np

LEAST = -690.0
"""Log-probability that stands for an impossible answer: finite, and nothing beside any other."""


class HeadResponder:
    """A head as a ``Responder``.

    Args:
        budget: how much of each clip is used; None for that of its training.
        batch_size: conversations that are answered at once, or ``auto``.
        workers: threads that open and encode clips meanwhile; None takes what the cores allow.
    """

    def __init__(
        self,
        head: LoadedHead,
        *,
        budget: Budget | None = None,
        batch_size: int | str = 8,
        workers: int | None = None,
    ) -> None:
        self.head, self.budget, self._workers = head, budget or head.head.budget, workers
        self._device = next(head.network.parameters()).device
        self.size = BatchSize(batch_size, on_cpu=self._device.type == "cpu")

    @property
    def model(self) -> Model:
        """The backbone."""
        return self.head.model

    def identity(self) -> dict[str, Any]:
        """Return the digest of the weights, the budget and the versions."""
        installed = versions()
        return {
            "fingerprint": self.head.fingerprint,
            "budget": self.budget.to_json(),
            "versions": {name: installed[name] for name in ("affectllm", "torch", "transformers")},
        }

    def outputs(
        self, conversations: Sequence[Messages], roots: Mapping[str, Path]
    ) -> Iterator[tuple[int, np.ndarray | Unanswered]]:
        """Yield the index of each conversation and the outputs of the head, as ``probabilities`` gives them.

        Args:
            conversations: up to the answer; of a reward with the answer that it scores.
        """
        import numpy as np
        import torch

        encoder, bounded = self.head.encoders(roots, self.budget, MediaCache())
        kind = self.head.head.answers.kind
        batches = Batches(_Whole(bounded) if kind == "reward" else bounded, self.size, self._workers)

        def ask(_: Sequence[tuple[int, Messages]], prompts: list[Any]) -> list[np.ndarray]:
            batch = encoder.collate(prompts)
            batch.pop("labels", None)
            with torch.no_grad():
                result = self.head.network(**{name: one.to(self._device) for name, one in batch.items()})
            return list(probabilities(kind, result.logits.float()).cpu().numpy())

        for asked, answers in batches.answered(list(enumerate(conversations)), lambda pair: pair[1], ask):
            if isinstance(answers, MediaError):
                yield asked[0][0], Unanswered(answers.reason, answers.detail or answers.path, answers.path)
                continue
            for (number, _), row in zip(asked, answers, strict=True):
                yield number, row if np.isfinite(row).all() else Unanswered(UNDEFINED)

    def replies(self, asks: Sequence[Ask], roots: Mapping[str, Path]) -> Iterator[tuple[int, Reply]]:
        """Give each answer in the head's own label space and language; see ``Responder``."""
        answers = self.head.head.answers
        slot = answers.slot
        for number, row in self.outputs([ask.messages for ask in asks], roots):
            if isinstance(row, Unanswered):
                yield number, row
            else:
                yield number, answers.worded(slot, answers.value(slot, row), answers.language)

    def likelihoods(
        self, asks: Sequence[tuple[Messages, Sequence[str]]], roots: Mapping[str, Path]
    ) -> Iterator[tuple[int, list[float] | Unanswered]]:
        """Give the logarithm of each choice's probability among the choices; see ``Responder``.

        Raises:
            Malformed: when the head gives no classes, or a choice is none of its classes.
        """
        answers = self.head.head.answers
        if answers.kind != "classes":
            message = f"this head gives {answers.kind}, which are no choices"
            raise Malformed(message, where=str(self.head.folder), do="ask for the answer itself")
        chosen = [[self._class(text) for text in choices] for _, choices in asks]
        for number, row in self.outputs([messages for messages, _ in asks], roots):
            yield number, row if isinstance(row, Unanswered) else among(answers.names, row, chosen[number])

    def _class(self, text: str) -> str:
        answers = self.head.head.answers
        name = answers.class_named(text, answers.slot, answers.language)
        if name is None:
            message = f"{text!r} is none of the classes of this head"
            raise Malformed(message, where=str(self.head.folder), do=f"choose among {', '.join(answers.names)}")
        return name


class _Whole:
    """Encodes conversations that end with an answer."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder

    def encode(self, messages: Messages, *, generation_prompt: bool = False) -> Any:
        return self._encoder.encode(messages)


def among(names: Sequence[str], shares: np.ndarray, chosen: Sequence[str]) -> list[float]:
    """Return the logarithms of the probabilities of some names, which sum to 1 among them."""
    own = [float(shares[names.index(name)]) for name in chosen]
    total = math.fsum(own) or 1.0
    return [math.log(one / total) if one > 0 else LEAST for one in own]

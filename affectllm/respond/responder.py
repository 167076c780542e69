"""Responders: who answers conversations, a model in this process or a server, behind one interface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from affectllm.corpus.roots import locate
from affectllm.instruct.conversation import Conversation, Messages, media_parts

SENTENCE = 16  # tokens that the words around an answer take


@dataclass(frozen=True)
class Unanswered:
    """A conversation that could not be asked, or was not answered.

    Args:
        reason: of the clip (see ``MediaError``), or one of

            - ``too_many_tokens``: more than the model takes
            - ``not_finite``: the model's outputs are no numbers
            - ``refused``: the model, or the provider's filter, declines to answer
            - ``only_reasoning``: all tokens that were allowed went into reasoning, and no answer began
            - ``no_choice_likely``, ``ambiguous_choice``: the first tokens do not tell the choices apart

        detail: what exactly, where that is known.
        path: the clip, relative to its corpus, where it is one.
    """

    reason: str
    detail: str = ""
    path: str = ""


Reply = str | Unanswered


@dataclass(frozen=True)
class Ask:
    """One question to a responder, with the settings of its reply.

    Args:
        messages: the conversation up to the answer; media parts point at clips.
        max_new_tokens: longest reply in tokens.
        until: strings before which the reply ends.
        generation: further settings in transformers' names; greedy search unless they say otherwise.
        seed: of a reply that is drawn, where the responder takes one; None draws another reply each time.
    """

    messages: Messages
    max_new_tokens: int
    until: tuple[str, ...] = ()
    generation: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None


@runtime_checkable
class Responder(Protocol):
    """What answers conversations. Answers are yielded as they come, so that each can be stored at once."""

    def identity(self) -> dict[str, Any]:
        """Return everything that decides the answers beside the questions, as JSON values without secrets."""

    def replies(self, asks: Sequence[Ask], roots: Mapping[str, Path]) -> Iterator[tuple[int, Reply]]:
        """Yield the index of each question and its reply, in the order in which they arrive.

        Args:
            roots: corpus name → folder of its clips.
        """

    def likelihoods(
        self, asks: Sequence[tuple[Messages, Sequence[str]]], roots: Mapping[str, Path]
    ) -> Iterator[tuple[int, list[float] | Unanswered]]:
        """Yield the index of each question and the log-likelihoods of its choices.

        Raises:
            AffectError: when this responder knows no likelihoods.
        """


def asks_of(conversations: Sequence[Conversation], max_new_tokens: int | None = None, **generation: Any) -> list[Ask]:
    """Return the questions of conversations; all may be as long as the longest answer among them needs."""
    longest = max_new_tokens or max((_tokens(one) for one in conversations), default=SENTENCE)
    until = tuple(generation.pop("until", ()))
    return [Ask(one.asked, longest, until, generation) for one in conversations]


def places_of(conversations: Sequence[Conversation], roots: Mapping[str, Path]) -> dict[str, Path]:
    """Return corpus name → folder for all clips that the conversations show.

    Raises:
        MissingCorpus: when nobody says where the clips of a corpus lie.
    """
    corpora = {part["corpus"] for one in conversations for part in media_parts(one.asked)}
    return {name: locate(name, roots) for name in sorted(corpora)}


def cut(reply: str, until: Sequence[str]) -> str:
    """Return ``reply`` up to the first of the strings before which it ends."""
    ends = [reply.find(stop) for stop in until if stop and stop in reply]
    return reply[: min(ends)].strip() if ends else reply


def _tokens(conversation: Conversation) -> int:
    slots = conversation.reader.slots
    return sum(slot.how.tokens for slot in slots) + (SENTENCE if len(slots) > 1 else 0)

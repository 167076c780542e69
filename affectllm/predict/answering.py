"""Ask one model about conversations, many at a time, and keep its answers, so that nothing is asked twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from affectllm.evaluate.answers import Answers
from affectllm.evaluate.media_error import OF_THE_MODEL
from affectllm.evaluate.models.media_check import MediaCheck
from affectllm.evaluate.models.requests import content_digest
from affectllm.instruct.conversation import Messages, media_parts
from affectllm.respond.endpoint import Endpoint
from affectllm.respond.heads import HeadResponder
from affectllm.respond.in_process import InProcess
from affectllm.respond.responder import Ask, Reply, Unanswered
from affectllm.run import digest

_VERSION = 2  # of what is kept
_BATCHES = 4  # that are asked for together: of like length within, and as many items pass until a line is printed
Likelihoods = list[float] | Unanswered
ScoredBy = Literal["whole_reply", "first_token", ""]


@dataclass(frozen=True)
class Takes:
    """What a model can be shown.

    Args:
        name: of the model, for messages.
        modalities: of ``video``, ``audio``, ``image``, ``text``.
        sound: whether it hears the sound of a video.
    """

    name: str
    modalities: frozenset[str]
    sound: bool


class Answering:
    """A model that answers conversations, with a memory.

    Args:
        responder: who answers.
        roots: corpus → folder of the clips.
        folder: where answers are kept; None keeps nothing.
        selftest: whether an endpoint is tested with the first clips of each kind, see ``MediaCheck``.

    Attributes:
        asked: how many answers the model gave; the others were known.
        scored_by: what its likelihoods are those of; empty where it knows none.
    """

    def __init__(
        self,
        responder: InProcess | HeadResponder | Endpoint,
        roots: Mapping[str, Path],
        folder: Path | None = None,
        selftest: bool = True,
    ) -> None:
        self.responder, self.roots, self.asked = responder, roots, 0
        self._answers = Answers(folder)
        self._identity = {"version": _VERSION, **responder.identity()}
        self.check: MediaCheck | None = None
        of_choices = not isinstance(responder, HeadResponder) or responder.head.head.answers.kind == "classes"
        self.scored_by: ScoredBy = "whole_reply" if of_choices else ""
        if isinstance(responder, Endpoint):
            self.check = MediaCheck(responder, self._answers, roots, selftest)
            self.scored_by = "first_token" if responder.traits.logprobs else ""

    @property
    def takes(self) -> Takes:
        """What the model can be shown; of an endpoint, what can be sent."""
        if isinstance(self.responder, InProcess | HeadResponder):
            family = self.responder.model.family
            return Takes(family.name, frozenset(family.modalities), bool(family.sound))
        traits = self.responder.traits
        hears, sees = traits.sound != "none", traits.image != "none"
        names = {"text": True, "audio": hears, "image": sees, "video": sees}
        return Takes(self.responder.where, frozenset(name for name, sent in names.items() if sent), hears)

    @property
    def window(self) -> int:
        """How many items are asked about together."""
        responder = self.responder
        return _BATCHES * (responder.concurrency if isinstance(responder, Endpoint) else responder.size.most)

    def likelihoods(self, asks: Sequence[tuple[Messages, Sequence[str]]]) -> list[Likelihoods]:
        """Return the log-probabilities of the choices of each conversation, see ``scored_by``."""
        settings = [self._scoring(choices) for _, choices in asks]
        return self._known(
            [messages for messages, _ in asks],
            settings,
            lambda left: self.responder.likelihoods([asks[number] for number in left], self.roots),
        )

    def replies(self, asks: Sequence[Ask]) -> list[Reply]:
        """Return the reply to each question; those that are drawn are not kept, and another one each time."""
        settings = [_writing(ask) for ask in asks]
        return self._known(
            [ask.messages for ask in asks],
            settings,
            lambda left: self.responder.replies([asks[number] for number in left], self.roots),
        )

    def knows(self, ask: Ask, choices: Sequence[str] | None = None) -> bool:
        """Return whether a question was answered before: by a reply, or by the likelihoods of choices."""
        settings = _writing(ask) if choices is None else self._scoring(choices)
        return self._answers.get(self.key(ask.messages, settings)) is not None

    def _scoring(self, choices: Sequence[str]) -> dict[str, Any]:
        return {"choices": list(choices), "scored_by": self.scored_by}

    def _known(
        self,
        conversations: Sequence[Messages],
        settings: Sequence[Mapping[str, Any]],
        ask: Callable[[list[int]], Iterator[tuple[int, Any]]],
    ) -> list[Any]:
        """Return the answers, of which only those that are not known are asked for; each is stored as it comes."""
        keys = [
            f"draw {number}" if own.get("do_sample") else self.key(messages, own)
            for number, (messages, own) in enumerate(zip(conversations, settings, strict=True))
        ]
        left = {key: number for number, key in reversed(list(enumerate(keys))) if self._answers.get(key) is None}
        order = list(reversed(left.values()))
        if order and self.check is not None:
            self.check.run(conversations[number] for number in order)
        fresh: dict[str, Any] = {}
        for place, answer in ask(order) if order else ():
            number = order[place]
            fresh[keys[number]] = answer
            self.asked += not isinstance(answer, Unanswered)
            if self._is_kept(answer) and not settings[number].get("do_sample"):
                self._answers.add({keys[number]: asdict(answer) if isinstance(answer, Unanswered) else answer})
        return [fresh[key] if key in fresh else _restored(self._answers.get(key)) for key in keys]

    def _is_kept(self, answer: Any) -> bool:
        # A clip may be mended, and another version may take longer texts; what a server says was paid for.
        if not isinstance(answer, Unanswered):
            return True
        return isinstance(self.responder, Endpoint) and answer.reason in OF_THE_MODEL

    def key(self, messages: Messages, settings: Mapping[str, Any]) -> str:
        """Return the digest of everything that decides an answer: of clips their bytes, wherever they lie."""
        return digest({"model": self._identity, **content_of(messages, self.roots), "settings": settings})


def _writing(ask: Ask) -> dict[str, Any]:
    return {"max_new_tokens": ask.max_new_tokens, **ask.generation}


def _restored(answer: Any) -> Any:
    return Unanswered(**answer) if isinstance(answer, dict) else answer


def content_of(messages: Messages, roots: Mapping[str, Path]) -> dict[str, Any]:
    """Return what is said in messages, and of their clips the digests of their bytes, wherever they lie."""
    clips = [content_digest(roots[part["corpus"]] / part["path"]) for part in media_parts(messages)]
    return {"messages": _placeless(messages), "media": clips}


def _placeless(messages: Messages) -> list[Any]:
    """Return the messages without the places of their clips."""

    def bare(content: Any) -> Any:
        if isinstance(content, str):
            return content
        return [{key: value for key, value in part.items() if key not in ("corpus", "path")} for part in content]

    return [{**message, "content": bare(message["content"])} for message in messages]

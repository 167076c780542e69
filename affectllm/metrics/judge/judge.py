"""The interface of judges: language models that answer conversations and may fail. A failure is never a score."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed

if TYPE_CHECKING:
    from affectllm.metrics.core.result import Result
    from affectllm.metrics.judge.wording import Prompt

Messages = list[dict[str, str]]
GREEDY: Mapping[str, Any] = {"temperature": 0, "max_tokens": 512}


@dataclass(frozen=True)
class Failure:
    """A question that the judge did not answer.

    Args:
        reason: ``timeout``, ``connection``, ``http_<status>``, ``garbage`` (no chat completion), ``empty`` or
            ``not_stored``; when the answer came and no score is in it, the reason of its reader.
        detail: what was seen.
    """

    reason: str
    detail: str = ""

    @property
    def unanswered(self) -> bool:
        """Whether nobody answered, so that the failure says nothing of the judge."""
        return self.reason in ("timeout", "connection") or self.reason.startswith("http_")


@dataclass
class Judge(ABC):
    """A model that answers conversations.

    Args:
        model: its name, as results and stores give it.
        decoding: how it generates; greedy unless said otherwise.
        used: the prompts of the last metric that asked it, name → hash.
    """

    model: str
    decoding: Mapping[str, Any] = field(default_factory=lambda: dict(GREEDY))
    used: dict[str, str] = field(default_factory=dict)

    @abstractmethod
    def complete(self, batch: Sequence[Messages], prompt: Prompt | None = None) -> list[str | Failure]:
        """Return one answer or failure per conversation, in their order; ``prompt`` is what they were made from."""

    def decoding_as(self, decoding: Mapping[str, Any]) -> Judge:
        """Return the same judge with other decoding settings."""
        clone = copy(self)
        clone.decoding, clone.used = dict(decoding), {}
        return clone

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that a result must report, since scores of different judges are not comparable."""
        return {"model": self.model, "decoding": dict(self.decoding), "prompts": dict(sorted(self.used.items()))}


def comparable(first: Result, second: Result) -> None:
    """Check that two results may be compared: the same metric, asked of the same judge with the same prompts.

    Raises:
        Malformed: when they may not; says what differs.
    """
    if first.metric != second.metric:
        raise Malformed(f"{first.metric} and {second.metric} are different metrics", do="compare like with like")
    for name in ("compat", "judge", "model", "classifier"):
        one, other = first.settings.get(name), second.settings.get(name)
        if one != other:
            raise Malformed(
                f"two results of {first.metric} have different settings of {name}: {one!r} and {other!r}",
                do="score both systems with the same judge, prompts and settings",
            )

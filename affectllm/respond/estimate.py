"""Estimate what a set of questions would cost at an endpoint, without asking anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from affectllm.model.clips.media import MediaError
from affectllm.respond.contents import contents_of
from affectllm.respond.endpoint import Endpoint
from affectllm.respond.responder import Ask
from affectllm.respond.spending import Share

_DECODED = 32  # questions whose clips are decoded; the others are taken to be like them


@dataclass(frozen=True)
class Estimate:
    """What questions would cost.

    Args:
        requests: how many would be sent, without repetitions.
        prompt: tokens of the prompts.
        reply: tokens of the replies, at most.
        cost: in the unit of the prices; None where they are not known.
        measured: how many questions were looked at; the others are taken to be like them.
    """

    requests: int
    prompt: int
    reply: int
    cost: float | None
    measured: int

    def __str__(self) -> str:
        cost = "unknown: pass price_in and price_out, per million tokens" if self.cost is None else f"{self.cost:.4f}"
        return (
            f"{self.requests:,} requests, about {self.prompt:,} tokens of prompts, at most {self.reply:,} of replies; "
            f"cost at most about {cost} (from {self.measured} of the questions)"
        )


def estimate(endpoint: Endpoint, asks: Sequence[Ask], roots: Mapping[str, Path]) -> Estimate:
    """Estimate requests, tokens and cost; an unusable clip costs nothing."""
    stride = max(1, len(asks) // _DECODED)  # questions lie in the order of their corpus
    shares = [share for ask in asks[::stride] for share in _share(endpoint, ask, roots)]
    looked_at = len(asks[::stride])
    scale = len(asks) / looked_at if looked_at else 0.0
    requests = round(scale * len(shares))
    prompt, reply = round(scale * sum(s.prompt for s in shares)), round(scale * sum(s.reply for s in shares))
    return Estimate(requests, prompt, reply, endpoint.limits.cost(prompt, reply), looked_at)


def _share(endpoint: Endpoint, ask: Ask, roots: Mapping[str, Path]) -> list[Share]:
    contents = contents_of(ask.messages, endpoint.traits, endpoint.budget, roots)
    if isinstance(contents, MediaError):
        return []
    return [Share(contents.tokens(endpoint.traits), ask.max_new_tokens)]

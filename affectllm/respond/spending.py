"""Limits on what an endpoint may cost, in requests, tokens and money; each request is reserved before it is sent."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from affectllm.errors import AffectError, BudgetSpent

MILLION = 1_000_000


@dataclass(frozen=True)
class Limits:
    """What may be spent by one run of a command, and the prices.

    Args:
        max_requests: requests, repeated ones included.
        max_tokens_total: tokens of prompts and replies.
        max_cost: money, in the unit of the prices.
        price_in, price_out: of a million tokens of prompts and of replies, as the provider says.

    Raises:
        AffectError: when money is limited and no price is known, or a number is negative.
    """

    max_requests: int | None = None
    max_tokens_total: int | None = None
    max_cost: float | None = None
    price_in: float | None = None
    price_out: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and (not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0):
                raise AffectError(f"{name} is no number: {value!r}", do=f"write for example {name}=100")
        if self.max_cost is not None and (self.price_in is None or self.price_out is None):
            raise AffectError("max_cost needs the prices", do="pass price_in and price_out, per million tokens")

    def cost(self, prompt: float, reply: float) -> float | None:
        """Return the price of tokens; None where no price is known."""
        if self.price_in is None or self.price_out is None:
            return None
        return (prompt * self.price_in + reply * self.price_out) / MILLION


@dataclass(frozen=True)
class Share:
    """The tokens of one request: of its prompt, and the most that its reply may have."""

    prompt: int
    reply: int


class Spending:
    """Counts what was spent, and refuses a request that could exceed a limit. Safe under threads.

    Requests under way are counted with the longest reply that they may give, so the limits hold under concurrency.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.requests = self.prompt = self.reply = 0
        self._reserved_prompt = self._reserved_reply = 0
        self._lock = threading.Lock()

    def reserve(self, share: Share) -> None:
        """Count a request that is about to be sent.

        Raises:
            BudgetSpent: when it could exceed a limit.
        """
        with self._lock:
            prompt = self.prompt + self._reserved_prompt + share.prompt
            reply = self.reply + self._reserved_reply + share.reply
            limits, cost = self.limits, self.limits.cost(prompt, reply)
            _check("max_requests", limits.max_requests, self.requests + 1)
            _check("max_tokens_total", limits.max_tokens_total, prompt + reply)
            _check("max_cost", limits.max_cost, cost or 0.0)
            self.requests += 1
            self._reserved_prompt += share.prompt
            self._reserved_reply += share.reply

    def settle(self, reserved: Share, used: Share) -> None:
        """Replace what was reserved for a request by what it used."""
        with self._lock:
            self._reserved_prompt -= reserved.prompt
            self._reserved_reply -= reserved.reply
            self.prompt += used.prompt
            self.reply += used.reply

    def summary(self) -> str:
        """Return what was spent, in words."""
        cost = self.limits.cost(self.prompt, self.reply)
        words = f"{self.requests:,} requests, {self.prompt:,} tokens of prompts, {self.reply:,} of replies"
        return words if cost is None else f"{words}, {cost:.4f} in the unit of the prices"


def _check(name: str, limit: float | None, amount: float) -> None:
    if limit is not None and amount > limit:
        message = f"{name}={limit:g} would be exceeded: with the next request it could be {amount:g}"
        raise BudgetSpent(message, do="raise the limit, and the same command goes on with what is not answered yet")

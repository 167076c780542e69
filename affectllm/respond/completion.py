"""Read a server's response: the reply, refusals, first-token log-probabilities, and what was used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from affectllm.respond.failures import REFUSED, Transient, cleaned
from affectllm.respond.responder import Ask, Reply, Unanswered, cut
from affectllm.respond.spending import Share


@dataclass(frozen=True)
class Completion:
    """What came back for one question.

    Args:
        reply: the text, or why there is none.
        first: token → log-probability of the alternatives at the first position; None where the server gives none.
        used: tokens, as the server counts them; None where it does not.
        model: which model answered, as the server says; empty where it does not.
        sent: digest of what was sent; empty where nothing was.
    """

    reply: Reply
    first: Mapping[str, float] | None = None
    used: Share | None = None
    model: str = ""
    sent: str = ""


def completion_of(answer: Any, ask: Ask, key: str | None) -> Completion:
    """Read a response of the ``openai`` package, which checks nothing of what a server sends.

    Raises:
        Transient: when it is no completion: a page of HTML, an error under status 200, no choices, no message.
    """
    if isinstance(answer, str):
        page = "a page of HTML" if answer.lstrip().startswith("<") else "no JSON"
        what = f"the answer is {page}, no completion; base_url mostly ends with /v1 ({cleaned(answer[:80], key)})"
        raise Transient(what, nobody=True)
    choices = getattr(answer, "choices", None)
    if not isinstance(choices, list) or not choices:
        error = getattr(answer, "error", None)
        raise Transient(f"the answer has no choices{f': {cleaned(error, key)}' if error else ''}", charged=True)
    message = getattr(choices[0], "message", None)
    if message is None:
        raise Transient("the answer has no message", charged=True)
    model = getattr(answer, "model", None)
    return Completion(_reply(choices[0], message, ask), _first(choices[0]), _used(answer), str(model or ""))


def _reply(choice: Any, message: Any, ask: Ask) -> Reply:
    text, end = _text(getattr(message, "content", None)), getattr(choice, "finish_reason", None)
    if refusal := getattr(message, "refusal", None):
        return Unanswered(REFUSED, str(refusal))
    if end == "content_filter":
        return Unanswered(REFUSED, "the provider's filter")
    if not text and end == "length":
        return Unanswered("only_reasoning", f"{ask.max_new_tokens} tokens, and no answer began; allow more of them")
    return cut(text.strip(), ask.until)


def _text(content: Any) -> str:
    if isinstance(content, list):  # some servers send parts
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def _first(choice: Any) -> dict[str, float] | None:
    positions = getattr(getattr(choice, "logprobs", None), "content", None)
    if not positions:
        return None
    own = {positions[0].token: float(positions[0].logprob)}
    return {**own, **{one.token: float(one.logprob) for one in positions[0].top_logprobs or ()}}


def _used(answer: Any) -> Share | None:
    usage = getattr(answer, "usage", None)
    prompt, reply = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    return Share(prompt, reply) if isinstance(prompt, int) and isinstance(reply, int) else None

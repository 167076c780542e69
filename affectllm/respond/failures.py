"""What can go wrong with a request: to be repeated, counted as unanswered, or the end of the run."""

from __future__ import annotations

import email.utils
import time
from typing import Any

from affectllm.errors import EndpointFailed
from affectllm.model.length import TOO_MANY_TOKENS
from affectllm.respond.responder import Unanswered

REFUSED = "refused"
_AGAIN = (408, 409, 425, 429)
_SPENT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
_TOO_LONG = ("context_length_exceeded", "string_above_max_length")
_TOO_LONG_WORDS = (
    "maximum context length",
    "context length of",
    "exceeds the available context size",
    "too many tokens",
)
_FILTERED = ("content_filter", "content_policy_violation", "moderation_blocked", "cyber_policy_violation")
_MOST = 300  # letters of a server's own words


class Transient(Exception):
    """A failure that may pass: the request is sent again.

    Args:
        what: one sentence.
        after: seconds that the server asks to wait, or None.
        charged: whether the server may have done, and charged, the work.
        nobody: whether perhaps no such server is there at all: no connection, or a page instead of an answer.
    """

    def __init__(self, what: str, after: float | None = None, charged: bool = False, nobody: bool = False) -> None:
        self.what, self.after, self.charged, self.nobody = what, after, charged, nobody
        super().__init__(what)


class Declined(Exception):
    """A server's word that this one question has no answer."""

    def __init__(self, unanswered: Unanswered) -> None:
        self.unanswered = unanswered
        super().__init__(unanswered.reason)


def cleaned(text: object, key: str | None) -> str:
    """Return a server's words on one line, shortened, and without the key, which some servers repeat."""
    words = " ".join(str(text).split())
    if key:
        words = words.replace(key, "[key]")
        # A key is also quoted with its middle left out.
        words = " ".join("[key]" if _is_part(word, key) else word for word in words.split(" "))
    return words if len(words) <= _MOST else f"{words[:_MOST]}…"


def _is_part(word: str, key: str) -> bool:
    bare = word.strip(".,;:'\"()")
    return len(bare) > 8 and "*" in bare and key.startswith(bare.split("*", 1)[0][:4]) and bool(bare.split("*", 1)[0])


def sorted_out(error: Exception, key: str | None, where: str) -> Exception:
    """Convert an error of the ``openai`` package into ``Transient``, ``Declined`` or ``EndpointFailed``.

    Others, which are faults of this program, come back as they are.
    """
    import openai

    if isinstance(error, openai.APITimeoutError):
        return Transient("no answer in time", charged=True)
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__ or error
        broken = "Protocol" in type(cause).__name__ or "Read" in type(cause).__name__
        what = f"{'the answer broke off' if broken else 'no connection'}: {cleaned(cause, key)}"
        return Transient(what, charged=broken, nobody=not broken)
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, key, where)
    if isinstance(error, openai.APIResponseValidationError | ValueError):
        return Transient(f"the answer is no JSON: {cleaned(error, key)}", charged=True, nobody=True)
    return error


def _of_status(error: Any, key: str | None, where: str) -> Exception:
    status, code, words = error.status_code, str(error.code or error.type or ""), cleaned(_words(error), key)
    if status in _AGAIN or status >= 500:
        if code in _SPENT:
            return EndpointFailed(
                f"the account has nothing left: {words}", where=where, do="see the provider's console"
            )
        return Transient(f"HTTP {status}: {words}", _retry_after(error.response.headers))
    if code in _FILTERED:
        return Declined(Unanswered(REFUSED, words))
    if status == 413 or code in _TOO_LONG or (status == 400 and any(word in words.lower() for word in _TOO_LONG_WORDS)):
        return Declined(Unanswered(TOO_MANY_TOKENS, words))
    return EndpointFailed(f"HTTP {status}: {words}", where=where, do=_REMEDIES.get(status, _TRY))


_TRY = "check the model's name, the profile and its fields: docs/endpoints.md says which servers take what"
_REMEDIES = {
    401: "the key is missing or wrong: export it, and name its variable with api_key_env=NAME",
    403: "the key has no right to this model",
    404: "check model, which the server must know by this name, and base_url, which mostly ends with /v1",
    405: "check base_url, which mostly ends with /v1",
}


def _words(error: Any) -> str:
    body = error.body
    if isinstance(body, dict):
        return str(body.get("message") or body.get("detail") or body)
    text = error.response.text
    return f"a page of HTML ({text[:80]})" if text.lstrip().startswith("<") else text or error.message


def _retry_after(headers: Any) -> float | None:
    """Return the seconds of ``Retry-After``, which is a number or a date; None where there is none."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    date = email.utils.parsedate_tz(headers.get("retry-after", ""))
    return max(0.0, email.utils.mktime_tz(date) - time.time()) if date else None

"""A judge behind an OpenAI-compatible endpoint: a served local model, or a provider.

Requests use the standard library only: ``huggingface_hub.InferenceClient`` refuses every address, a local server too,
when ``HF_HUB_OFFLINE`` is set, and without a key it sends the user's Hub token.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from affectllm.errors import Malformed, NotFound
from affectllm.metrics.judge.judge import Failure, Judge, Messages
from affectllm.metrics.judge.wording import Prompt

_LONGEST = 10_000_000  # bytes of an answer
_PIECE = 65_536
_AGAIN = ("timeout", "connection", "http_429", "http_500", "http_502", "http_503", "http_504")


class _NoRedirect(HTTPRedirectHandler):
    """Refuse redirects, which would send the key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass
class EndpointJudge(Judge):
    """A judge that an OpenAI-compatible server provides.

    Args:
        url: base address, such as ``http://localhost:8000/v1``.
        api_key_env: environment variable that holds the key; without it no key is sent. A key is never stored.
        timeout: seconds for one question in total.
        workers: questions under way at once.
        retries: further tries after a timeout, a lost connection or a busy server.
        pause: seconds before the first of them, doubled before each next one.

    Raises:
        Malformed: when ``url`` is no http address or a number is not positive.
        NotFound: when ``api_key_env`` is not set.
    """

    url: str = ""
    api_key_env: str | None = None
    timeout: float = 60.0
    workers: int = 4
    retries: int = 2
    pause: float = 1.0

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise Malformed(f"{self.url!r} is no address of an endpoint", do="give url='http://host:port/v1'")
        if self.timeout <= 0 or self.workers < 1 or self.retries < 0:
            raise Malformed("timeout and workers are positive, retries not negative", where=self.url)
        self._key = self._secret()

    def _secret(self) -> str | None:
        if self.api_key_env is None:
            return None
        if not (key := os.environ.get(self.api_key_env)):
            raise NotFound(
                f"the environment variable {self.api_key_env} is not set", do="put the key of the judge there"
            )
        return key

    def complete(self, batch: Sequence[Messages], prompt: Prompt | None = None) -> list[str | Failure]:
        """Ask the judge, ``workers`` questions at a time."""
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(self._patiently, batch))

    def _patiently(self, messages: Messages) -> str | Failure:
        answer = self._once(messages)
        for number in range(self.retries):
            if not (isinstance(answer, Failure) and answer.reason in _AGAIN):
                break
            time.sleep(self.pause * 2**number)
            answer = self._once(messages)
        return answer

    def _once(self, messages: Messages) -> str | Failure:
        body = {"model": self.model, "messages": messages, "stream": False, **self.decoding}
        headers = {
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {self._key}"} if self._key else {}),
        }
        address = self.url.rstrip("/").removesuffix("/chat/completions") + "/chat/completions"
        request = Request(address, json.dumps(body).encode(), headers, method="POST")
        until = time.monotonic() + self.timeout
        try:
            with build_opener(_NoRedirect).open(request, timeout=self.timeout) as response:
                return _text_of(_read(response, until))
        except HTTPError as error:
            return Failure(f"http_{error.code}", str(error.reason))
        except TimeoutError:
            return Failure("timeout", f"no answer within {self.timeout:g} s")
        except URLError as error:
            slow = isinstance(error.reason, TimeoutError)
            return Failure("timeout" if slow else "connection", str(error.reason))
        except (ConnectionError, http.client.HTTPException) as error:
            return Failure("connection", repr(error))


def _read(response: Any, until: float) -> bytes:
    """Read the body; a server that sends a byte now and then runs into the timeout too."""
    pieces = []
    while piece := response.read1(_PIECE):
        pieces.append(piece)
        if time.monotonic() > until or sum(map(len, pieces)) > _LONGEST:
            raise TimeoutError
    return b"".join(pieces)


def _text_of(body: bytes) -> str | Failure:
    try:
        text = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return Failure("garbage", repr(body[:200]))
    if text is None or (isinstance(text, str) and not text.strip()):
        return Failure("empty")
    return text if isinstance(text, str) else Failure("garbage", repr(text)[:200])

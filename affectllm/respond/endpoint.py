"""Answer conversations through a server with OpenAI's interface: OpenAI, Gemini, vLLM, SGLang, llama.cpp, …"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from affectllm.errors import AffectError, EndpointFailed
from affectllm.instruct.conversation import Messages
from affectllm.model.clips.media import Budget, MediaError
from affectllm.respond import keys
from affectllm.respond.completion import Completion, completion_of
from affectllm.respond.contents import Contents, contents_of
from affectllm.respond.failures import Declined, Transient, sorted_out
from affectllm.respond.first_token import choice_likelihoods
from affectllm.respond.profiles import PROFILES, Profile, profile_of
from affectllm.respond.responder import Ask, Reply, Unanswered
from affectllm.respond.spending import Limits, Share, Spending
from affectllm.run import digest, versions

T = TypeVar("T")
_TRIED = 2  # repetitions after which a server that never answered is taken for an address that is wrong
_LONGEST_BACKOFF = 60.0  # seconds
_SETTINGS = ("temperature", "top_p", "seed", "frequency_penalty", "presence_penalty")


@dataclass
class Endpoint:
    """A model behind an address, as a ``Responder``.

    Args:
        model: its name at the server.
        profile: name of a row of ``profiles.PROFILES``, or a ``Profile``.
        base_url: address, which mostly ends with ``/v1``; None takes the profile's.
        budget: how much of each clip is sent.
        api_key_env: environment variable with the key; None takes the profile's, for the profile's host only.
        concurrency: requests under way at the same time.
        retries: how often a request is repeated that failed in passing.
        timeout: seconds until a request counts as failed.
        patience: the longest ``Retry-After`` that is waited for, in seconds.
        backoff: seconds before the first repetition, doubled each time; what the server asks for comes first.
        limits: what may be spent.
        extra: further fields of each request, such as ``{"reasoning_effort": "low"}``.

    Raises:
        AffectError: for an unknown profile, a missing address or key, or a missing package.
    """

    model: str
    profile: str | Profile = "frames"
    base_url: str | None = None
    budget: Budget = field(default_factory=Budget)
    api_key_env: str | None = None
    concurrency: int = 4
    retries: int = 6
    timeout: float = 120.0
    patience: float = 600.0
    backoff: float = 1.0
    limits: Limits = field(default_factory=Limits)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._profile = self.profile if isinstance(self.profile, Profile) else profile_of(self.profile)
        self._url = (self.base_url or self._profile.url).rstrip("/")
        keys.refuse_secrets({"base_url": self._url, **self.extra})
        if not self._url.startswith(("http://", "https://")):
            raise AffectError(f"no address of a server: {self._url!r}", do="pass base_url=http://HOST:PORT/v1")
        if not self.model:
            raise AffectError("no model is named", do="pass model=NAME, as the server knows it")
        if self.concurrency < 1:
            raise AffectError("concurrency is at least 1", do="leave it out")
        self._key = keys.key_for(self._profile, self._url, self.api_key_env)
        self.spending = Spending(self.limits)
        self.answered_as: Counter[str] = Counter()
        self.trimmed = 0
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._client = self._connect()

    def _connect(self) -> Any:
        import openai

        # Repetitions are ours: each counts as a request, and answers that are no replies are repeated too.
        # The organisation of the environment is told to its own host only.
        own_host = urlsplit(self._url).hostname == urlsplit(PROFILES["openai"].url).hostname
        headers = {} if own_host else dict.fromkeys(("OpenAI-Organization", "OpenAI-Project"), openai.Omit())
        settings: dict[str, Any] = {"base_url": self._url, "api_key": self._key or "none", "default_headers": headers}
        return openai.OpenAI(**settings, timeout=self.timeout, max_retries=0)

    @property
    def where(self) -> str:
        """The model and the host, for messages."""
        return f"{self.model} at {urlsplit(self._url).netloc}"

    @property
    def traits(self) -> Profile:
        """The profile's row, with its changes."""
        return self._profile

    def identity(self) -> dict[str, Any]:
        """Return host and path, model, profile, budget and further fields; the key is no part of it."""
        address = urlsplit(self._url)
        return {
            "endpoint": f"{address.netloc}{address.path}",
            "model": self.model,
            "profile": self._profile.to_json(),
            "budget": self.budget.to_json(),
            "extra": dict(self.extra),
            "versions": {"affectllm": versions()["affectllm"]},
        }

    def replies(self, asks: Sequence[Ask], roots: Mapping[str, Path]) -> Iterator[tuple[int, Reply]]:
        """Ask with ``concurrency`` requests at once; see ``Responder``.

        Raises:
            EndpointFailed: when the server refuses, or a request failed after all retries; what other requests
                brought by then has been yielded.
            BudgetSpent: when the next request could exceed a limit.
        """
        return self._each(len(asks), lambda number: self.ask(asks[number], roots).reply)

    def likelihoods(
        self, asks: Sequence[tuple[Messages, Sequence[str]]], roots: Mapping[str, Path]
    ) -> Iterator[tuple[int, list[float] | Unanswered]]:
        """Take the log-probability of each choice's first token; see ``Responder``.

        Raises:
            AffectError: when the server gives no log-probabilities.
        """
        if not self._profile.logprobs:
            raise AffectError(f"the profile {self._profile.name} gives no log-probabilities", where=self.where)

        def score(number: int) -> list[float] | Unanswered:
            messages, choices = asks[number]
            completion = self.ask(Ask(messages, 1), roots, logprobs=True)
            if completion.first is None:
                if isinstance(completion.reply, Unanswered) and completion.reply.reason != "only_reasoning":
                    return completion.reply
                message = "the server ignores the request for log-probabilities"
                raise AffectError(message, where=self.where, do="pass logprobs=0: then replies count")
            return choice_likelihoods(completion.first, choices)

        return self._each(len(asks), score)

    def ask(self, ask: Ask, roots: Mapping[str, Path], *, logprobs: bool = False, noted: bool = True) -> Completion:
        """Ask one question and wait for its answer.

        Args:
            logprobs: whether the alternatives of the first token are wanted.
            noted: see ``contents_of``.

        Raises:
            EndpointFailed, BudgetSpent: see ``replies``.
        """
        contents = contents_of(ask.messages, self._profile, self.budget, roots, noted=noted)
        if isinstance(contents, MediaError):
            return Completion(Unanswered(contents.reason, contents.detail, contents.path))
        with self._lock:
            self.trimmed += contents.trimmed
        share = Share(contents.tokens(self._profile), ask.max_new_tokens)
        completion = self._persist(self._request(ask, contents, logprobs), ask, share)
        return replace(completion, sent=digest(contents.messages))

    def _request(self, ask: Ask, contents: Contents, logprobs: bool) -> dict[str, Any]:
        given = {name: value for name, value in ask.generation.items() if value is not None}
        greedy = not given.pop("do_sample", given.get("temperature", 0) > 0)
        if strange := sorted(set(given) - set(_SETTINGS)):
            raise AffectError(f"an endpoint takes no {strange[0]}", do=f"choose of {', '.join(_SETTINGS)}")
        if greedy:
            given["temperature"] = 0.0
            if self._profile.greedy == "omit":
                del given["temperature"]
        elif ask.seed is not None and self._profile.seeds:
            given["seed"] = ask.seed
        stops = [stop for stop in ask.until if stop][: self._profile.stops]
        given |= {"stop": stops} if stops else {}
        given |= {"logprobs": True, "top_logprobs": self._profile.logprobs} if logprobs else {}
        fields = {"model": self.model, "messages": contents.messages, self._profile.tokens: ask.max_new_tokens}
        extra = {name: value for name, value in self.extra.items() if name not in given}  # a seed for all draws
        return {**fields, **given, **({"extra_body": extra} if extra else {})}

    def _persist(self, request: dict[str, Any], ask: Ask, share: Share) -> Completion:
        for attempt in range(self.retries + 1):
            self.spending.reserve(share)
            used = Share(0, 0)
            try:
                completion = self._once(request, ask)
                used = completion.used or Share(share.prompt, len(str(completion.reply)) // 3)
                return completion
            except Declined as declined:
                return Completion(declined.unanswered)
            except Transient as failure:
                used = Share(share.prompt, 0) if failure.charged else used
                self._wait(failure, attempt)
            finally:
                self.spending.settle(share, used)
        raise AssertionError("the last attempt returns or raises")

    def _once(self, request: dict[str, Any], ask: Ask) -> Completion:
        try:
            answer = self._client.chat.completions.create(**request)
        except Exception as error:
            # Without the cause: tracebacks would repeat the server's words, which may hold the key.
            raise sorted_out(error, self._key, self.where) from None
        completion = completion_of(answer, ask, self._key)
        if completion.model:
            with self._lock:
                self.answered_as[completion.model] += 1
            self._check_model(completion.model)
        return completion

    def _check_model(self, name: str) -> None:
        if self._profile.names_model and not _same_model(self.model, name):
            message = f"another model answers: {name}"
            do = "correct model, or pass names_model=false where the server uses other names"
            raise EndpointFailed(message, where=self.where, do=do)

    def _wait(self, failure: Transient, attempt: int) -> None:
        again = "what was answered is kept where answers are stored; the same command goes on from there"
        strange = failure.nobody and not self.answered_as  # perhaps the address is wrong
        if strange:
            again = f"is the server started, and is {self._url} its address? It mostly ends with /v1; {again}"
        if attempt >= (min(_TRIED, self.retries) if strange else self.retries) or self._stop.is_set():
            times = f"{attempt + 1} times" if attempt else "once"
            raise EndpointFailed(f"{failure.what} (tried {times})", where=self.where, do=again) from None
        if failure.after is not None and failure.after > self.patience:
            message = f"{failure.what}; the server asks to wait for {failure.after:.0f} s"
            raise EndpointFailed(message, where=self.where, do=f"{again} (or raise patience)") from None
        backoff = min(_LONGEST_BACKOFF, self.backoff * 2**attempt) * random.uniform(0.5, 1.0)
        self._stop.wait(backoff if failure.after is None else failure.after)

    def _each(self, count: int, task: Callable[[int], T]) -> Iterator[tuple[int, T]]:
        """Run ``task`` for each number in threads and yield results as they come; after a failure those under way."""
        self._stop.clear()
        failure: BaseException | None = None
        waiting: dict[Future[T], int] = {}
        numbers = iter(range(count))
        with ThreadPoolExecutor(self.concurrency) as pool:
            try:
                while True:
                    while failure is None and len(waiting) < self.concurrency:
                        if (number := next(numbers, None)) is None:
                            break
                        waiting[pool.submit(task, number)] = number
                    if not waiting:
                        break
                    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                        number = waiting.pop(future)
                        if error := future.exception():
                            failure = failure or error
                            self._stop.set()
                        else:
                            yield number, future.result()
            finally:
                self._stop.set()
        if failure is not None:
            raise failure


def _same_model(asked: str, answered: str) -> bool:
    """Return whether a response's model is the one that was asked for, perhaps with a version, path or provider."""
    ours, theirs = asked.lower().removeprefix("models/"), answered.lower().removeprefix("models/")
    return theirs.startswith(ours) or ours.endswith(f"/{theirs}") or theirs.endswith(f"/{ours}")

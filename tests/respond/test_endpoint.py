"""Endpoints against a server that misbehaves: what is repeated, what is counted, and what ends the run."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from stand_in_server import MODEL, StandIn, label_of

from affectllm.errors import AffectError, BudgetSpent, EndpointFailed
from affectllm.respond.endpoint import Endpoint
from affectllm.respond.profiles import profile_of
from affectllm.respond.responder import Ask, Responder, Unanswered
from affectllm.respond.spending import Limits

KEY = "sk-abcdefghijklmnop1234567890"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def _endpoint(server: StandIn, **options: Any) -> Endpoint:
    return Endpoint(**{"model": MODEL, "base_url": server.url, "backoff": 0.01, "timeout": 1.0, **options})


def _asks(count: int = 1, **options: Any) -> list[Ask]:
    return [Ask([{"role": "user", "content": f"question {n}"}], 8, **options) for n in range(count)]


def _replies(endpoint: Endpoint, asks: Sequence[Ask]) -> list[Any]:
    replies = dict(endpoint.replies(asks, {}))
    return [replies[number] for number in range(len(asks))]


def _expected(asks: Sequence[Ask]) -> list[str]:
    return [label_of({"messages": [{"content": ask.messages[0]["content"]}]}) for ask in asks]


def test_replies_belong_to_their_questions_and_no_more_run_at_once_than_allowed() -> None:
    asks = _asks(20)
    with StandIn(seconds=0.02) as server:
        endpoint = _endpoint(server, concurrency=3)
        assert _replies(endpoint, asks) == _expected(asks)
        assert isinstance(endpoint, Responder)
    assert server.most_under_way == 3 and len(server.bodies) == 20
    assert len(set(_expected(asks))) > 3


@pytest.mark.parametrize("fault", ["429", "500", "slow", "cut", "html", "no json", "empty", "null"])
def test_failures_that_pass_are_repeated(fault: str) -> None:
    asks = _asks()
    with StandIn(faults=[fault, fault]) as server:
        assert _replies(_endpoint(server), asks) == _expected(asks)
    assert len(server.bodies) == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("429", "HTTP 429: slow down"),
        ("500", "HTTP 500: oops"),
        ("slow", "no answer in time"),
        ("cut", "the answer broke off"),
        ("html", "a page of HTML"),
        ("no json", "no JSON"),
        ("empty", "no choices"),
    ],
)
def test_a_failure_that_stays_ends_the_run_and_says_how_to_go_on(fault: str, words: str) -> None:
    server = StandIn(faults=[fault] * 9, retry_after="0.01")
    with server, pytest.raises(EndpointFailed, match=words) as error:
        _replies(_endpoint(server, retries=1, timeout=0.3), _asks())
    assert len(server.bodies) == 2
    assert "tried 2 times" in str(error.value) and "goes on from there" in str(error.value)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("401", "HTTP 401.*\n.*api_key_env"),
        ("404", "HTTP 404.*does not exist"),
        ("quota", "the account has nothing left"),
        ("other model", "another model answers: another-model"),
        ("no field", "HTTP 422: Unexpected fields"),
    ],
)
def test_what_cannot_pass_is_not_repeated(fault: str, words: str) -> None:
    with StandIn(faults=[fault] * 3) as server, pytest.raises(EndpointFailed, match=f"(?s){words}"):
        _replies(_endpoint(server), _asks())
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("refusal", "refused"),
        ("filter", "refused"),
        ("filtered", "refused"),
        ("too long", "too_many_tokens"),
        ("reasoning", "only_reasoning"),
    ],
)
def test_questions_without_an_answer_are_counted_and_the_others_go_on(fault: str, reason: str) -> None:
    asks = _asks(3)
    with StandIn(faults=["", fault]) as server:
        replies = _replies(_endpoint(server, concurrency=1), asks)
    assert isinstance(replies[1], Unanswered) and replies[1].reason == reason
    assert [replies[0], replies[2]] == [_expected(asks)[0], _expected(asks)[2]]


def test_answers_under_way_are_not_lost_when_another_request_fails() -> None:
    with StandIn(faults=["", "404"], seconds=0.1) as server:
        arrived = []
        with pytest.raises(EndpointFailed):
            for number, _ in _endpoint(server, concurrency=4).replies(_asks(12), {}):
                arrived.append(number)
    assert len(arrived) == len(server.bodies) - 1 < 9


def test_retry_after_is_waited_for_and_not_for_ever() -> None:
    with StandIn(faults=["429"], retry_after="0.6") as server:
        _replies(_endpoint(server), _asks())
    assert next(later - before for before, later in pairwise(server.times)) >= 0.6
    with StandIn(faults=["429"], retry_after="5000") as server, pytest.raises(EndpointFailed, match="wait for 5000 s"):
        _replies(_endpoint(server), _asks())


def test_nobody_listening_is_explained() -> None:
    with StandIn() as server:
        pass
    with pytest.raises(EndpointFailed, match=r"no connection.*tried 3 times(?s:.*)is the server started") as error:
        _replies(_endpoint(server, retries=9), _asks())
    assert f"is {server.url} its address" in str(error.value)


def test_a_server_that_was_there_is_waited_for_longer_than_one_that_never_answered() -> None:
    with StandIn(faults=["", *["html"] * 4]) as server:
        assert len(_replies(_endpoint(server, concurrency=1), _asks(2))) == 2
    with (
        StandIn(faults=["html"] * 4) as server,
        pytest.raises(EndpointFailed, match=r"(?s)HTML.*3 times.*ends with /v1"),
    ):
        _replies(_endpoint(server, concurrency=1), _asks(2))


def test_settings_are_sent_as_the_profile_wants_them() -> None:
    asks = _asks(until=("\n", "a", "b", "c", "zzz"))
    with StandIn(answer=lambda body: "joy zzz fear") as server:
        assert _replies(_endpoint(server, extra={"seed": 3}), asks) == ["joy"]
        openai = profile_of("openai", {"greedy": "omit"})
        _replies(_endpoint(server, profile=openai), asks)
        _replies(_endpoint(server), _asks(generation={"do_sample": True, "temperature": 0.7}))
    first, second, third = server.bodies
    assert (first["max_tokens"], first["temperature"], first["seed"]) == (8, 0.0, 3)
    assert first["stop"] == ["\n", "a", "b", "c"]  # the fifth is applied to the reply
    assert second["max_completion_tokens"] == 8 and "temperature" not in second and "max_tokens" not in second
    assert third["temperature"] == 0.7
    with pytest.raises(AffectError, match="takes no num_beams"), StandIn() as server:
        _replies(_endpoint(server), _asks(generation={"num_beams": 2}))


def test_limits_hold_although_several_requests_run_at_once() -> None:
    for limits in (Limits(max_requests=5), Limits(max_tokens_total=150), Limits(None, None, 1.5e-4, 1.0, 1.0)):
        with StandIn(seconds=0.02, counts=False) as server:
            endpoint, arrived = _endpoint(server, limits=limits, concurrency=4), []
            with pytest.raises(BudgetSpent, match="would be exceeded") as error:
                for number, _ in endpoint.replies(_asks(50), {}):
                    arrived.append(number)
        assert "raise the limit" in str(error.value)
        assert len(arrived) == len(server.bodies) == endpoint.spending.requests
        assert 3 <= len(arrived) <= 12
        used = endpoint.spending.prompt + endpoint.spending.reply
        assert limits.max_tokens_total is None or used <= limits.max_tokens_total
        assert limits.max_cost is None or (limits.cost(used, 0) or 0) <= limits.max_cost


def test_repeated_requests_count_as_requests() -> None:
    with StandIn(faults=["500"] * 9) as server, pytest.raises(BudgetSpent):
        _replies(_endpoint(server, limits=Limits(max_requests=3)), _asks())
    assert len(server.bodies) == 3


def test_money_cannot_be_limited_without_prices() -> None:
    with pytest.raises(AffectError, match="needs the prices"):
        Limits(max_cost=1.0)


def test_a_key_goes_to_its_own_host_or_where_it_was_named_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("MY_KEY", "mine-0123456789")
    with StandIn() as server:
        _replies(_endpoint(server, profile="openai"), _asks())
        _replies(_endpoint(server), _asks())
        _replies(_endpoint(server, api_key_env="MY_KEY"), _asks())
    assert server.keys[2] == "Bearer mine-0123456789"
    assert not any(KEY in key for key in server.keys)
    assert not any("org-mine" in headers for headers in server.headers)
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(AffectError, match="OPENAI_API_KEY is not set"):
        Endpoint("gpt", "openai")


def test_a_key_that_a_server_repeats_is_in_no_message_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with StandIn(faults=["401"]) as server, pytest.raises(EndpointFailed, match="key") as error:
        _replies(_endpoint(server, api_key_env="MY_KEY"), _asks())
    assert server.keys == [f"Bearer {KEY}"]
    shown = "".join(traceback.format_exception(error.value))
    assert KEY not in shown and KEY[:12] not in shown
    assert KEY not in repr(_endpoint(server, api_key_env="MY_KEY"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"profile": "gemni"}, "did you mean 'gemini'"),
        ({"base_url": "localhost:8000"}, "no address"),
        ({"base_url": "https://me:secret@host/v1"}, "user, a password"),
        ({"base_url": "https://host/v1?key=secret"}, "user, a password or a query"),
        ({"api_key_env": KEY}, "is not set"),
        ({"extra": {"api_key": "x"}}, "written into logs"),
        ({"model": ""}, "no model"),
    ],
)
def test_wrong_options_are_explained_without_repeating_a_secret(options: dict[str, Any], words: str) -> None:
    with pytest.raises(AffectError, match=words) as error:
        Endpoint(**{"model": MODEL, "base_url": "http://127.0.0.1:1/v1", **options})
    assert "secret" not in str(error.value) and KEY not in str(error.value)

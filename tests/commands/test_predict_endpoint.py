"""`affectllm predict` and `chat` with a model behind an endpoint: the options of `eval`, and nothing asked twice."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from stand_in_server import MODEL, StandIn, label_of

from affectllm.cli import main
from affectllm.corpus.miniature import Clip, Picture, Tone, materialise

NAMES = [f"clips/{number:02}.wav" for number in range(12)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files: dict[str, Any] = {name: Tone(0.3, pitch=120 + 40 * number) for number, name in enumerate(NAMES)}
    films = {"film.mp4": Clip(), "mute.mp4": Clip(sound=False), "face.png": Picture(), "clips/zz.wav": b"no sound"}
    materialise({**files, **films}, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


def options(server: StandIn, *more: str) -> list[str]:
    arguments = [f"base_url={server.url}", f"model={MODEL}", "backoff=0.01", *more]
    return ["--model", "affectllm-api", "--model_args", ",".join(arguments)]


def answer(body: dict[str, Any]) -> str:
    return label_of(body).replace("boredom", "surprise")


def objects(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["predict", *words, "--answers", "kept", "--json"]) == status
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_folder_is_asked_at_once_in_order_and_not_again(capsys) -> None:
    with StandIn(answer=answer, seconds=0.05) as server:
        rows = objects(capsys, "clips", *options(server, "concurrency=3"))
        asked = [body for body in server.bodies if "Describe in detail" not in str(body)]
        assert len(asked) == 12 and server.most_under_way == 3
        assert [Path(row["item"]).name for row in rows] == [*(Path(name).name for name in NAMES), "zz.wav"]
        replies = {json.dumps(body["messages"]): answer(server.heard(body)) for body in asked}
        assert Counter(row["answer"] for row in rows[:12]) == Counter(replies.values())
        assert len(set(replies.values())) > 2 and rows[12]["reason"] == "unreadable"
        assert {str(row["likelihoods"]) for row in rows} == {"None"}  # this server tells none
        before = len(server.bodies)
        assert objects(capsys, "clips", *options(server, "concurrency=1", "max_requests=0")) == rows
        assert len(server.bodies) == before


def test_likelihoods_of_first_tokens_are_marked_so_and_unclear_ones_ask_for_a_reply(capsys) -> None:
    with StandIn(answer=answer, logprobs=True) as server:
        words = options(server, "profile=vllm", "selftest=false", "concurrency=1")  # so that they arrive in order
        assert main(["predict", *NAMES[:3], *words, "--answers", "kept", "--csv"]) == 0
        shown = capsys.readouterr()
        rows = list(csv.DictReader(io.StringIO(shown.out)))
        assert {row["scored_by"] for row in rows} == {"first_token"} and "of the first token" in shown.err
        assert [row["answer"] for row in rows] == [answer(server.heard(body)) for body in server.bodies]
        assert all(body["top_logprobs"] == 20 for body in server.bodies)
        server.bodies.clear()
        labels = ["--labels", "feeling sad,feeling fear"]  # which begin with the same token
        server.answer = lambda body: "feeling fear"
        (row,) = objects(capsys, NAMES[0], *words, *labels)
    assert row["answer"] == row["reply"] == "feeling fear" and row["likelihoods"] is row["scored_by"] is None


def test_refusals_are_counted_and_kept_and_the_costs_are_told(capsys) -> None:
    with StandIn(answer=answer, faults=["refusal"]) as server:
        words = ["predict", *NAMES[:3], *options(server, "selftest=false", "concurrency=1"), "--answers", "kept"]
        for _ in range(2):
            assert main(words) == 0
            shown = capsys.readouterr()
            assert "without an answer: 1 of 3: 1 × refused" in shown.err and shown.out.count("\n") == 3
    assert len(server.bodies) == 3


def test_a_run_that_ends_early_goes_on(capsys) -> None:
    with StandIn(answer=answer) as server:
        words = ["predict", "clips", *options(server, "selftest=false"), "--answers", "kept", "--explain"]
        assert main([*words, "--model_args", "max_requests=7"]) == 2
        assert "max_requests=7 would be exceeded" in capsys.readouterr().err and len(server.bodies) == 7
        assert main(words) == 0
        assert len(server.bodies) == len({json.dumps(body["messages"]) for body in server.bodies}) == 24


def test_a_dry_run_counts_what_is_not_known_yet_and_asks_nothing(capsys) -> None:
    with StandIn(answer=answer) as server:
        objects(capsys, *NAMES[:2], *options(server, "selftest=false"))
        server.bodies.clear()
        words = ["predict", "clips", *options(server, "price_in=1", "price_out=2", "dry_run=true"), "--answers", "kept"]
        assert main(words) == 0
    shown = capsys.readouterr()
    assert "10 requests, about " in shown.err and "cost at most about 0.0" in shown.err and shown.out == ""
    assert "16 requests of the media self-test" in shown.err and server.bodies == []


def test_a_deaf_server_is_found_out_before_anything_is_answered(capsys) -> None:
    with StandIn(answer=answer, deaf=["input_audio"]) as server:
        assert main(["predict", "clips", *options(server), "--answers", "kept"]) == 2
    shown = capsys.readouterr()
    assert "audio does not reach the model through the profile frames" in shown.err and shown.out == ""


def test_films_are_shown_as_the_profile_and_the_budget_say(capsys) -> None:
    with StandIn(answer=answer) as server:
        words = [*options(server, "selftest=false", "max_frames=4"), "--budget", "fps=30"]
        film, mute = objects(capsys, "film.mp4", "mute.mp4", *words)
        kinds = [Counter(part["type"] for part in body["messages"][-1]["content"]) for body in server.bodies]
        assert sorted(one["input_audio"] for one in kinds) == [0, 1] and {one["image_url"] for one in kinds} == {4}
        assert film["shown"] == ["video", "audio"] and mute["shown"] == ["video"]
        (row,) = objects(capsys, "face.png", *options(server, "image=none"), status=1)
    assert row["reason"] == "model_takes_no_image"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model_args", "model=x"], "pass base_url="),
        (["--model_args", "base_url=http://127.0.0.1:1/v1"], "pass model=NAME"),
        (["--model_args", "base_url"], "'base_url' has no value"),
        (["--model_args", "base_url=http://127.0.0.1:1/v1,modle=x"], "did you mean model?"),
        (["--model_args", "base_url=http://127.0.0.1:1/v1,model=x,profile=vlm"], "did you mean 'vllm'?"),
        (["--model_args", "profile=openai,model=x"], "export OPENAI_API_KEY"),
        (["--model_args", "base_url=http://127.0.0.1:1/v1,model=x,api_key=secret"], "would be written into logs"),
        (["--model_args", "base_url=http://127.0.0.1:1/v1,model=x,dry_run=maybe"], "neither true nor false"),
        (["--model_args", "base_url=http://127.0.0.1:1/v1,model=x,backoff=0.01"], "is the server started"),
        (["--model_args", "base_url=http://127.0.0.1:1/v1,model=x", "--dtype", "float32"], "--dtype is for weights"),
        (["--model_args", "base_url=http://127.0.0.1:1/v1,model=x", "--batch-size", "2"], "concurrency=N says"),
        (["--model", "tiny:qwen2", "--model_args", "model=x"], "belong to --model affectllm-api"),
    ],
)
def test_mistakes_are_explained(words: list[str], message: str, capsys) -> None:
    assert main(["predict", NAMES[0], "--model", "affectllm-api", "--answers", "kept", *words]) == 2
    shown = capsys.readouterr()
    assert message in shown.err and "Traceback" not in shown.err and "secret" not in shown.err


def test_a_chat_shows_clips_tests_the_server_once_and_says_what_went_wrong(monkeypatch, capsys) -> None:
    lines = ["Hello.", f"How is {NAMES[0]}?", f"And {NAMES[1]}?", "Hm?", "/quit"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    with StandIn(answer=answer, faults=["", *[""] * 3, "refusal"]) as server:
        assert main(["chat", *options(server, "concurrency=1")]) == 0
    replies = capsys.readouterr().out.splitlines()
    assert replies[0] in ("surprise", *map(str, replies)) and any("error: refused" in line for line in replies)
    asked = [body for body in server.bodies if "Describe in detail" not in str(body)]
    tested = [body for body in server.bodies if "Describe in detail" in str(body)]
    assert len(asked) == 4 and len(tested) == 3  # whole, again, and without the sound
    assert [len(body["messages"]) for body in asked] == [1, 3, 3, 5]  # what was refused leaves no trace

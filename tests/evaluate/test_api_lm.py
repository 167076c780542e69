"""Tasks through an endpoint: kept answers, kills, refusals, choices, limits, dry runs, and keys that stay secret."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from evaluating import use
from stand_in_server import LABELS, MODEL, StandIn, label_of

from affectllm import api
from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import AffectError, BudgetSpent, EndpointFailed, ModalityUnheard
from affectllm.evaluate.harness import lm_eval_main
from affectllm.evaluate.models.api_lm import EndpointLM
from affectllm.evaluate.run import evaluate
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.respond.endpoint import Endpoint

KEY = "sk-abcdefghijklmnop1234567890"
TEXTS = (("a01", "W"), ("b02", "N"), ("a04", "T"))


@pytest.fixture(scope="module")
def emodb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine recordings of three test speakers of different pitch, and a broken one."""
    names = [f"{who}{text}{emotion}a" for who in ("11", "12", "14") for text, emotion in TEXTS]
    files: dict[str, Any] = {f"wav/{name}.wav": Tone(0.3, pitch=120 + 60 * i) for i, name in enumerate(names)}
    return materialise({**files, "wav/14b10La.wav": b"RIFF and nothing more"}, tmp_path_factory.mktemp("emodb"))


@pytest.fixture(autouse=True)
def place(emodb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, {"emodb": emodb})
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def _requests(task: str) -> list[Any]:
    loaded = AffectTaskManager().load([task])["tasks"][task]
    loaded.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    return list(loaded.instances)


def _lm(server: StandIn, **options: Any) -> EndpointLM:
    return EndpointLM(**{"model": MODEL, "base_url": server.url, "backoff": 0.01, "selftest": False, **options})


def _evaluate(server: StandIn, out: Path, *tasks: str, **options: Any) -> dict[str, Any]:
    arguments = {"model": MODEL, "base_url": server.url, "backoff": 0.01, **options}
    return evaluate(tasks or ("emodb_emotion",), "affectllm-api", out, model_args=arguments)


def _kept(out: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in (out / "answers").glob("*.jsonl"))


def test_a_task_is_scored_as_with_weights_and_refusals_and_broken_clips_are_counted(tmp_path: Path) -> None:
    with StandIn(faults=["refusal"]) as server:
        scores = _evaluate(server, tmp_path / "run", selftest=False, concurrency=1)
    details = json.loads((tmp_path / "run" / "details.json").read_text())["emodb_emotion"]
    assert details["unreadable"] == {"refused": 1, "media_error:unreadable": 1} and details["n"] == 10
    assert scores["emodb_emotion"] and len(server.bodies) == 9
    (results,) = (tmp_path / "run").glob("results*.json")
    config = json.loads(results.read_text())["config"]
    assert config["answered_as"] == {MODEL: 9} and config["spent"]["requests"] == 9


def test_what_was_answered_is_not_asked_again_after_a_failure(tmp_path: Path) -> None:
    with StandIn(faults=[""] * 4 + ["404"]) as server:
        with pytest.raises(EndpointFailed):
            _evaluate(server, tmp_path / "run", selftest=False, concurrency=1)
        assert _kept(tmp_path / "run") == 4
        server.bodies.clear()
        # Neither other limits nor another number of requests at once make it a new run.
        broken_off = _evaluate(server, tmp_path / "run", selftest=False, concurrency=2, max_requests=5)
        assert len(server.bodies) == 5
    with StandIn() as server:
        assert _evaluate(server, tmp_path / "whole", selftest=False) == broken_off


def test_limits_end_a_run_that_can_be_continued(tmp_path: Path) -> None:
    with StandIn() as server:
        with pytest.raises(BudgetSpent):
            _evaluate(server, tmp_path / "run", selftest=False, max_requests=6)
        assert len(server.bodies) == _kept(tmp_path / "run") == 6
        _evaluate(server, tmp_path / "run", selftest=False, max_requests=3)
        assert len(server.bodies) == 9


@pytest.mark.slow
def test_killed_runs_ask_nothing_twice(emodb: Path, tmp_path: Path) -> None:
    names = [f"{who}{text}{e}a" for who in ("11", "12", "14") for text in ("a01", "a02", "b01", "b02") for e in "WNTF"]
    root = materialise({f"wav/{n}.wav": Tone(0.3, pitch=99 + 7 * i) for i, n in enumerate(names)}, tmp_path / "emodb")
    out = tmp_path / "out"
    with StandIn(seconds=0.05) as server:
        arguments = f"base_url={server.url},model={MODEL},concurrency=2,selftest=false"
        command = [sys.executable, "-m", "affectllm.evaluate", "--model", "affectllm-api", "--model_args", arguments]
        command += ["--tasks", "emodb_emotion", "--root", f"emodb={root}", "--output_path", str(out)]
        for enough in (6, 25):
            process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)
            deadline = time.time() + 60
            while _kept(out) < enough and time.time() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert enough <= _kept(out) < len(names) and not (out / "scores.json").exists()
        lm_eval_main(command[3:])
        asked = Counter(json.dumps(body["messages"]) for body in server.bodies)
    # Only those under way when it was killed, two at a time, were asked again.
    assert _kept(out) == len(asked) == len(names) and sum(asked.values()) <= len(names) + 4


def test_the_self_test_stops_a_deaf_server_and_is_not_repeated_when_a_run_goes_on(tmp_path: Path) -> None:
    with StandIn(deaf=["input_audio"]) as server, pytest.raises(ModalityUnheard, match="profile frames"):
        _evaluate(server, tmp_path / "deaf")
    with StandIn() as server:
        with pytest.raises(BudgetSpent):
            _evaluate(server, tmp_path / "run", max_requests=18)
        tests = len([body for body in server.bodies if "Describe in detail" in str(body)])
        assert tests == 16
        _evaluate(server, tmp_path / "run")
        assert len(server.bodies) == tests + 9


def test_choices_are_scored_by_the_first_token_and_marked_so(tmp_path: Path) -> None:
    with StandIn(logprobs=True) as server:
        _evaluate(server, tmp_path / "run", "emodb_emotion_choice", profile="vllm")
        bodies = [body for body in server.bodies if "Describe in detail" not in str(body)]
        assert len(bodies) == 9 and all(body["top_logprobs"] == 20 and body["max_tokens"] == 1 for body in bodies)
        expected = [label_of(server.heard(body)) for body in bodies]
    (results,) = (tmp_path / "run").glob("results*.json")
    assert json.loads(results.read_text())["config"]["choices_scored_by"] == "first_token"
    (samples,) = (tmp_path / "run").glob("samples*.jsonl")
    readings = [json.loads(line)["reading"] for line in samples.read_text().splitlines()]
    assert Counter(filter(None, readings)) == Counter(expected)


def test_without_log_probabilities_the_task_that_generates_is_named(tmp_path: Path) -> None:
    with StandIn() as server:
        with pytest.raises(AffectError, match=r"ask the task that generates instead: .*emodb_emotion"):
            _evaluate(server, tmp_path / "run", "emodb_emotion_choice")
        with pytest.raises(AffectError, match="ignores the request for log-probabilities"):
            _evaluate(server, tmp_path / "other", "emodb_emotion_choice", profile="vllm", selftest=False)


def test_a_dry_run_prints_an_estimate_asks_nothing_and_writes_nothing(tmp_path: Path, capsys: Any) -> None:
    with StandIn() as server:
        arguments = f"base_url={server.url},model={MODEL},dry_run=true,price_in=1,price_out=2"
        words = ["--model", "affectllm-api", "--model_args", arguments, "--tasks", "emodb_emotion"]
        assert lm_eval_main([*words, "--output_path", str(tmp_path / "out")]) == {}
        assert server.bodies == []
    shown = capsys.readouterr()
    assert "9 requests, about " in shown.err and "cost at most about 0.0" in shown.err
    assert "16 requests of the media self-test" in shown.err
    assert shown.out == "" and not (tmp_path / "out").exists()


def test_keys_are_in_no_file_and_no_message(tmp_path: Path, monkeypatch: Any, capsys: Any, caplog: Any) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with StandIn(faults=["401"]) as server:
        with pytest.raises(EndpointFailed) as error:
            _evaluate(server, tmp_path / "run", selftest=False, api_key_env="MY_KEY")
        _evaluate(server, tmp_path / "run", selftest=False, api_key_env="MY_KEY")
        assert set(server.keys) == {f"Bearer {KEY}"}
        for wrong in ({"api_key": KEY}, {"api_key_env": KEY}, {"base_url": f"http://me:{KEY}@127.0.0.1/v1"}):
            with pytest.raises(AffectError) as refused:
                _evaluate(server, tmp_path / "wrong", **wrong)
            words = ["--model", "affectllm-api", "--tasks", "emodb_emotion", "--model_args"]
            with pytest.raises(AffectError) as also:
                lm_eval_main([*words, ",".join(f"{name}={value}" for name, value in {"model": "m", **wrong}.items())])
            assert KEY not in f"{refused.value}{also.value}"
    assert not (tmp_path / "wrong").exists()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    shown = capsys.readouterr()
    assert written and KEY.encode() not in written
    assert KEY not in f"{error.value}{shown.out}{shown.err}{caplog.text}"


def test_keys_of_answers_change_with_what_decides_them_and_with_nothing_else(tmp_path: Path) -> None:
    with StandIn() as server:
        ways = ({}, {"profile": "vllm"}, {"max_seconds": 9.0}, {"jpeg_quality": 50}, {"extra": {"seed": 1}})
        for number, options in enumerate(ways, 1):
            _lm(server, answers=str(tmp_path), **options).generate_until(_requests("emodb_emotion"))
            assert len(server.bodies) == 9 * number
        asides = {"concurrency": 1, "timeout": 9, "max_requests": 1, "tokens_per_second": 3.0}
        _lm(server, answers=str(tmp_path), **asides).generate_until(_requests("emodb_emotion"))
        assert len(server.bodies) == 9 * len(ways)


def test_several_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with StandIn() as server, pytest.raises(AffectError, match="raise concurrency"):
        _lm(server)


def test_unknown_arguments_are_explained() -> None:
    with StandIn() as server, pytest.raises(AffectError, match=r"no argument 'concurency'\n.*concurrency"):
        _lm(server, concurency=3)
    with StandIn() as server, pytest.raises(AffectError, match="concurrency is no number"):
        _lm(server, concurrency="many")


def test_ask_takes_an_endpoint_and_keeps_its_replies(emodb: Path, tmp_path: Path) -> None:
    corpus = api.load_corpus("emodb", emodb)
    template = api.load_template("emotion_choice", corpus, space="emodb_7", rater="actor", modalities=["audio"])
    conversations = corpus.conversations(template, "test")
    with StandIn(faults=[""] * 3 + ["404"]) as server:
        endpoint = Endpoint(MODEL, base_url=server.url, concurrency=1)
        with pytest.raises(EndpointFailed):
            api.ask(endpoint, conversations, corpus, answers=tmp_path, progress=False)
        replies = api.ask(endpoint, conversations, corpus, answers=tmp_path, progress=False)
        assert len(server.bodies) == 3 + 1 + 6
        assert replies == api.ask(endpoint, conversations, corpus, progress=False)
    assert sum(reply in LABELS for reply in replies) == 9
    assert api.score("accuracy", conversations, replies)

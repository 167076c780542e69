"""A run at an endpoint that is killed at any moment goes on, and asks nothing again that it had kept an answer to."""

from __future__ import annotations

import json
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from evaluating import use
from killing import Worker, worker
from stand_in_server import LABELS, MODEL, StandIn

from affectllm.corpus.miniature import Tone, materialise

TASK = "emodb_emotion"
VOTES = ("--votes", "3", "--votes-temperature", "2.0")
IMPORTS = ("affectllm.evaluate.harness", "affectllm.evaluate.models.api_lm", "lm_eval.__main__", "openai", "av")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with worker(tmp_path_factory.mktemp("worker"), IMPORTS) as process:
        yield process


@pytest.fixture
def emodb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve recordings of three test speakers."""
    use(monkeypatch, {})
    names = [f"{who}{text}a" for who in ("11", "12", "14") for text in ("a01W", "b02N", "a04T", "a05F")]
    return materialise(
        {f"wav/{name}.wav": Tone(0.3, pitch=120 + 40 * i) for i, name in enumerate(names)}, tmp_path / "emodb"
    )


class Lethal(StandIn):
    """Kills its client a moment after a request; each request has an answer of its own, which names it.

    Args:
        client: whose run is killed.
    """

    def __init__(self, client: Worker) -> None:
        super().__init__(answer=self.named, seconds=0.01)
        self._client, self._left, self._delay = client, 0, 0.0

    def kill_after(self, requests: int, delay: float) -> None:
        """Kill ``delay`` seconds after the answer to so many more requests."""
        self._left, self._delay = requests, delay

    def named(self, body: dict[str, Any]) -> str:
        with self.lock:
            self._left -= 1
            due = self._left == 0
        if due:
            threading.Timer(self._delay, self._client.kill).start()
        return reply_to(body)


def reply_to(body: dict[str, Any]) -> str:
    """A label, and the number of the request: what is asked, of which clip, with which seed."""
    number = hash(json.dumps([body["messages"], body.get("seed")])) % 10**12
    return f"{LABELS[number % len(LABELS)]} ({number})"


def kept(out: Path) -> list[str]:
    """The answers that are kept."""
    lines = [line for path in (out / "answers").glob("*.jsonl") for line in path.read_text().splitlines(keepends=True)]
    return [json.loads(line)["answer"] for line in lines if line.endswith("\n")]


def outcome(out: Path) -> tuple[bytes, list[Any]]:
    """The scores as they were written, and the replies of each item."""
    (samples,) = out.glob(f"samples_{TASK}_*.jsonl")
    return (out / "scores.json").read_bytes(), [json.loads(line)["resps"] for line in samples.open()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("votes", "draws"),
    [
        pytest.param((), 1, marks=pytest.mark.thorough, id="replies"),
        pytest.param(VOTES, 3, marks=pytest.mark.thorough, id="votes"),
    ],
)
def test_a_killed_run_asks_nothing_again_that_was_answered(
    votes: Sequence[str], draws: int, one: Worker, emodb: Path, tmp_path: Path
) -> None:
    chance = random.Random(draws)
    with Lethal(one) as server:
        arguments = f"base_url={server.url},model={MODEL},selftest=false,concurrency=3"
        words = ["--model", "affectllm-api", "--model_args", arguments, "--tasks", TASK, *votes]
        words += ["--root", f"emodb={emodb}", "--output_path"]

        def run(out: Path) -> int:
            return one.run("affectllm.evaluate.__main__", [*words, str(out)], tmp_path)

        out, asked, answered = tmp_path / "out", Counter[str](), set[str]()
        for _ in range(3):
            before = len(server.bodies)
            server.kill_after(chance.randint(1, 3 * draws), chance.uniform(0, 0.03))
            assert run(out) == -signal.SIGKILL, one.output[-2000:]
            again = [reply_to(server.heard(body)) for body in server.bodies[before:]]
            assert len(again) == len(set(again)) and not answered & set(again)
            asked.update(again)
            answered = set(kept(out))
            assert answered <= asked.keys() and not (out / "scores.json").exists()
        before = len(server.bodies)
        assert run(out) == 0, one.output[-2000:]
        last = [reply_to(server.heard(body)) for body in server.bodies[before:]]
        assert answered and len(last) == 12 * draws - len(answered) > 0 and not answered & set(last)
        assert len(kept(out)) == len(set(kept(out))) == 12 * draws
        assert run(tmp_path / "whole") == 0
    assert outcome(out) == outcome(tmp_path / "whole")

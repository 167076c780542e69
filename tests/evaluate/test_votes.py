"""Votes: every draw has a number and a seed, is kept as it comes, and is not asked again after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from evaluating import use
from stand_in_server import LABELS, MODEL, StandIn

from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import BudgetSpent
from affectllm.evaluate.harness import lm_eval_main

TASK, VOTES = "emodb_emotion", 4


@pytest.fixture
def emodb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nine recordings of three test speakers."""
    use(monkeypatch, {})
    names = [
        f"{who}{text}{label}a"
        for who in ("11", "12", "14")
        for text, label in (("a01", "W"), ("b02", "N"), ("a04", "T"))
    ]
    return materialise(
        {f"wav/{name}.wav": Tone(0.3, pitch=120 + 60 * i) for i, name in enumerate(names)}, tmp_path / "emodb"
    )


def words_of(model: str, arguments: str, root: Path, out: Path, *more: str) -> list[str]:
    words = ["--model", model, "--model_args", arguments, "--tasks", TASK, "--root", f"emodb={root}"]
    return [*words, "--output_path", str(out), "--votes", str(VOTES), "--votes-temperature", "2.0", *more]


def kept(out: Path) -> list[str]:
    """The keys of the answers, in the order in which they were kept."""
    lines = [line for path in (out / "answers").glob("*.jsonl") for line in path.read_text().splitlines(keepends=True)]
    return [json.loads(line)["key"] for line in lines if line.endswith("\n") and "selftest/" not in line]


def outcome(out: Path) -> tuple[bytes, list[Any]]:
    """The scores as they were written, and the replies of each item."""
    (samples,) = out.glob(f"samples_{TASK}_*.jsonl")
    replies = [json.loads(line)["resps"] for line in samples.read_text().splitlines()]
    return (out / "scores.json").read_bytes(), replies


def by_seed(body: dict[str, Any]) -> str:
    """A label that the clip and the seed decide."""
    return LABELS[(hash(json.dumps(body["messages"])) + body["seed"]) % len(LABELS)]


def test_a_vote_at_an_endpoint_goes_on_after_it_ended_and_asks_no_draw_again(emodb: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    with StandIn(answer=by_seed) as server:
        arguments = f"base_url={server.url},model={MODEL},selftest=false,concurrency=3"
        with pytest.raises(BudgetSpent):
            lm_eval_main(words_of("affectllm-api", f"{arguments},max_requests=14", emodb, out))
        assert len(kept(out)) == 14
        lm_eval_main(words_of("affectllm-api", arguments, emodb, out))
        asked = Counter(json.dumps([body["messages"], body["seed"]]) for body in server.bodies)
        assert len(server.bodies) == len(asked) == len(kept(out)) == 9 * VOTES
        lm_eval_main(words_of("affectllm-api", arguments, emodb, whole))
        assert outcome(out) == outcome(whole)
        server.bodies.clear()
        lm_eval_main(words_of("affectllm-api", arguments, emodb, tmp_path / "other", "--shots-seed", "1"))
        others = {json.dumps([body["messages"], body["seed"]]) for body in server.bodies}
    assert len(others) == 9 * VOTES and not others & set(asked)
    assert any(len(set(replies[0])) > 1 for replies in outcome(whole)[1])


def test_a_server_that_takes_no_seeds_is_sent_none_and_its_draws_are_kept(emodb: Path, tmp_path: Path) -> None:
    with StandIn() as server:
        arguments = f"base_url={server.url},model={MODEL},selftest=false,profile=gemini"
        for _ in range(2):
            lm_eval_main(words_of("affectllm-api", arguments, emodb, tmp_path / "out"))
    assert len(server.bodies) == 9 * VOTES and not any("seed" in body for body in server.bodies)


@pytest.mark.slow
@pytest.mark.thorough  # test_lm kills a run of replies
def test_a_vote_that_is_killed_ends_with_the_same_bytes(emodb: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    arguments = "pretrained=tiny:qwen2_audio,selftest=False"
    words = words_of("affectllm", arguments, emodb, out, "--batch_size", "3")
    command = [sys.executable, "-m", "affectllm.evaluate", *words]
    with subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL) as process:
        assert any(len(kept(out)) >= 8 for _ in waiting())
        process.send_signal(signal.SIGKILL)
    before = kept(out)
    assert 8 <= len(before) < 9 * VOTES and not (out / "scores.json").exists()
    lm_eval_main(words)
    assert sorted(kept(out)) == sorted(set(kept(out))) and set(before) < set(kept(out))
    assert len(kept(out)) == 9 * VOTES
    lm_eval_main(words_of("affectllm", arguments, emodb, whole, "--batch_size", "2"))
    assert outcome(out) == outcome(whole)
    assert any(len(set(replies[0])) > 1 for replies in outcome(whole)[1])


def waiting(seconds: float = 120) -> Iterator[None]:
    """Come round every hundredth of a second, for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.005)

"""`affectllm converse`: simulated users, the model's own replies, scores that name their simulator, and resuming."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from judging import Served, said, served, words_of

from affectllm.cli import main
from affectllm.empathy.converse import compare_talks
from affectllm.errors import Malformed

WARM = "That sounds hard, I hear you"
USERS = [
    {"id": "u1", "persona": "A nurse after a night shift", "need": "to be thanked", "opening": "I am so tired."},
    {
        "id": "u2",
        "persona": "A student",
        "need": "to hear that failing is no shame",
        "opening": "I failed.",
        "feeling": 90,
    },
    *(
        {"id": f"u{n}", "persona": "A neighbour", "need": "company", "opening": f"Nobody called for {n} days."}
        for n in range(3, 8)
    ),
]


def user(request: dict[str, Any]) -> tuple[int, bytes]:
    """A simulator that likes warm words, and a model that knows some: everything is decided by what is asked."""
    words = words_of(request)
    if "change what you feel" in words:
        last = re.findall(r"The other: (.*)", words)[-1]
        return said(json.dumps({"score": 10 if WARM in last else -10, "reason": "as it sounded"}))
    if "Say your next turn" in words:
        return said(f"I feel {words.rpartition('at peace): ')[2].split()[0]} of a hundred.")
    earlier = [one for one in request["messages"] if one["role"] == "assistant"]
    return said(f"{WARM}, {len(earlier) + 1}." if request["model"] == "warm" else "Pull yourself together.")


@pytest.fixture
def server() -> Iterator[Served]:
    with served(user) as record:
        yield record


def page(folder: Path, server: Served, model: str, simulator: str = "listener") -> Path:
    def args(name: str) -> str:
        return f"base_url={server.url},model={name},names_model=false,selftest=false"

    (folder / "users.jsonl").write_text("".join(json.dumps(one) + "\n" for one in USERS))
    path = folder / f"{model} {simulator}.yaml"
    path.write_text(
        f"personas: users.jsonl\nturns: 4\nanswers: kept\n"
        f"model: {{model: affectllm-api, model_args: '{args(model)}', name: {model}}}\n"
        f"simulator: {{model: affectllm-api, model_args: '{args(simulator)}', name: {simulator}}}\n"
    )
    return path


def played(path: Path) -> Path:
    out = path.with_suffix("")
    assert main(["converse", str(path), "--out", str(out)]) == 0
    return out


def talks_of(folder: Path) -> dict[str, Any]:
    lines = (folder / "conversations.jsonl").read_text().splitlines()
    return {one["id"]: one for one in map(json.loads, lines)}


def test_feelings_follow_the_replies_and_the_score_names_its_simulator(tmp_path: Path, server: Served) -> None:
    warm, cold = (played(page(tmp_path, server, name)) for name in ("warm", "cold"))
    talk = talks_of(warm)["u1"]
    assert [turn.get("emotion-point") for turn in talk["history"]] == [50, 60, None, 70, None, 80, None, 90]
    assert talk["end"] == "turns" and talks_of(warm)["u2"]["end"] == "peace"
    assert talk["history"][-1]["content"] == f"{WARM}, 4."  # its own replies were part of what it was asked
    scores = json.loads((warm / "scores.json").read_text())
    (name,) = (key for key in scores if key.startswith("sage_emotion by listener@"))
    assert scores[name]["value"] == pytest.approx((6 * 90 + 100) / 7) and scores["simulator"] in name
    assert scores["mean_feeling_by_turn"][0] == pytest.approx((6 * 50 + 90) / 7)
    (one,) = compare_talks([warm, cold])
    assert one.difference > 50 and one.low is not None and one.low > 0


def test_the_hidden_need_stays_hidden_from_the_model(tmp_path: Path, server: Served) -> None:
    played(page(tmp_path, server, "warm"))
    by_model = [json.dumps(one) for one in server.asked if one["model"] == "warm"]
    by_simulator = [json.dumps(one) for one in server.asked if one["model"] == "listener"]
    assert by_model and not any("to be thanked" in one or "at peace" in one for one in by_model)
    assert any("to be thanked" in one for one in by_simulator)


def test_two_simulators_are_never_compared(tmp_path: Path, server: Served, capsys) -> None:
    runs = [played(page(tmp_path, server, "warm", name)) for name in ("listener", "critic")]
    with pytest.raises(Malformed, match="two simulators are no comparison"):
        compare_talks(runs)
    assert main(["converse", "--compare", *map(str, runs)]) == 2
    capsys.readouterr()
    assert main(["converse", "--compare", str(runs[0]), str(tmp_path / "nowhere")]) == 2
    assert "nowhere is no converse run" in (told := capsys.readouterr().err) and "`affectllm converse` made" in told


def test_who_does_not_answer_ends_the_conversation_under_a_reason(tmp_path: Path) -> None:
    def mumbles(request: dict[str, Any]) -> tuple[int, bytes]:
        return said("well, who knows") if "change what you feel" in words_of(request) else user(request)

    with served(mumbles) as server:
        out = played(page(tmp_path, server, "warm"))
    scores = json.loads((out / "scores.json").read_text())
    assert scores["ends"] == {"feeling_no_number": len(USERS)}
    assert not any(key.startswith("sage_emotion") for key in scores)


def test_a_talk_goes_on_from_the_answers_that_are_kept(tmp_path: Path, server: Served) -> None:
    path = page(tmp_path, server, "warm")
    first = (played(path) / "conversations.jsonl").read_bytes()
    once = len(server.asked)
    (kept, *_) = sorted((tmp_path / "kept").glob("*.jsonl"), key=lambda file: -file.stat().st_size)
    lines = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(b"".join(lines[:-3]) + lines[-3][:25])  # killed while it wrote
    shutil.rmtree(path.with_suffix(""))
    assert (played(path) / "conversations.jsonl").read_bytes() == first
    assert len(server.asked) == once + 3


@pytest.mark.slow(minutes=0.5)
@pytest.mark.thorough
def test_killed_again_and_again_it_ends_with_the_same_bytes_and_asks_nothing_twice(tmp_path: Path) -> None:
    def slowly(request: dict[str, Any]) -> tuple[int, bytes]:
        time.sleep(0.03)
        return user(request)

    with served(user) as server:
        whole = played(page(tmp_path, server, "warm"))
        once = len(server.asked)
        expected = (whole / "conversations.jsonl").read_bytes()
    (tmp_path / "again").mkdir()
    with served(slowly) as server:
        path = page(tmp_path / "again", server, "warm")
        command = [sys.executable, "-m", "affectllm.cli", "converse", str(path), "--out", str(tmp_path / "out")]
        for kill in range(1, 4):
            process = subprocess.Popen(
                command, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            while len(server.asked) < kill * 12 and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait()
        subprocess.run(command, check=True, capture_output=True)
        questions = [json.dumps(one, sort_keys=True) for one in server.asked]
    assert (tmp_path / "out/conversations.jsonl").read_bytes() == expected
    # What was under way when it was killed had not been answered; nothing else is asked a second time.
    assert len(set(questions)) == once and len(questions) - once <= 3 * 8


def test_a_tiny_model_talks_with_a_tiny_user(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("id,persona,need,opening\na,A cook,praise,Nobody liked the soup.\n")
    (tmp_path / "page.yaml").write_text(
        "personas: users.csv\nturns: 2\nanswers: kept\n"
        "model: {model: 'tiny:qwen2', max_new_tokens: 8}\nsimulator: {model: 'tiny:qwen2', max_new_tokens: 8}\n"
    )
    out = played(tmp_path / "page.yaml")
    (talk,) = talks_of(out).values()
    assert talk["history"][1]["role"] == "assistant" or talk["end"].startswith("model_")
    assert json.loads((out / "scores.json").read_text())["simulator"].startswith("tiny:qwen2@")

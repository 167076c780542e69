"""From replies to judged voices: evaluations and talks are spoken, runs are killed, `affectllm fidelity` judges."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import soundfile
import yaml
from tiny_recogniser import tiny_recogniser

from affectllm.cli import main
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.model.tiny import tiny_whole_folder

OMNI = "tiny:qwen2_5_omni"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def page(folder: Path, **keys: Any) -> Path:
    path = folder / "speak.yaml"
    path.write_text(yaml.safe_dump({"model": OMNI, "max_seconds": 0.5, "answers": "kept", "name": "ours", **keys}))
    return path


def evaluation(folder: Path, task: str, *documents: dict[str, Any]) -> Path:
    """What `affectllm eval --output_path` leaves of one task."""
    folder.mkdir()
    name = f"samples_{task}_2026-01-01T00-00-00.000000.jsonl"
    (folder / name).write_text("".join(json.dumps(one) + "\n" for one in documents))
    (folder / "scores.json").write_text(json.dumps({task: {}}))
    (folder / "sources.json").write_text(json.dumps({"samples": {task: name}}))
    return folder


def logged(item: str, reading: Any, *parts: dict[str, Any]) -> dict[str, Any]:
    content = [*parts, {"type": "text", "text": "I got the job!"}]
    doc = {
        **{"id": item, "corpus": "avamerg", "gold": {"emotion": "proud", "reply": "How wonderful!"}},
        **{"messages": [{"role": "user", "content": content}], "about": {"language": "en"}},
    }
    return {"doc": doc, "filtered_resps": [json.dumps(reading)], "reading": reading}


@pytest.mark.thorough
@pytest.mark.parametrize("name", [OMNI, "tiny:qwen3_omni"])
def test_replies_of_an_evaluation_are_spoken_and_judged_against_the_real_ones(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = materialise(load_builder("avamerg").MINIATURE, tmp_path / "avamerg")
    heard = {"type": "audio", "corpus": "avamerg", "path": "audio/dia00001utt_0_12.wav"}
    evaluation(
        tmp_path / "scores",
        "avamerg_chain",
        logged("train/00001/0", {"emotion": "proud", "reply": "Good for you!"}, heard),
        logged("train/00001/1", {"emotion": "proud", "reply": "So soon?"}),
        logged("test/00003/0", None),
    )
    keys = {"target": {"space": "empathetic_dialogues_32", "rater": "chain"}, "reference": "response_audio"}
    path = page(tmp_path, model=name, evaluation="scores", **keys)
    assert main(["speak", str(path), "--out", str(tmp_path / "voices"), "--root", f"avamerg={corpus}"]) == 0
    assert "2 × spoken" in capsys.readouterr().out
    first, second, third = lines(tmp_path / "voices/spoken.jsonl")
    assert (first["reply"], first["target"], first["language"]) == ("Good for you!", "proud", "en")
    assert first["reference"] == str(corpus / "audio/dia00001utt_1_12.wav")
    assert (second["reply"], second["reference"], third["reason"]) == ("So soon?", None, "no_reply")
    assert all(soundfile.info(tmp_path / "voices" / one["clip"]).frames for one in (first, second))
    judged = tmp_path / "judged.yaml"
    judge = {"name": "omni", "model": "tiny:qwen2_audio"}
    judged.write_text(yaml.safe_dump({"table": "voices/spoken.jsonl", "labels": ["proud", "sad"], "judges": [judge]}))
    assert main(["fidelity", str(judged), "--out", str(tmp_path / "judged")]) == 0
    result = json.loads((tmp_path / "judged/fidelity.json").read_text())
    assert (result["clips"], result["left_out"]) == (2, {"no_clip": 1})
    metrics = result["judges"]["omni"]["systems"]["ours"]["metrics"]
    assert metrics["target_emotion_accuracy"]["n"] == 1 and metrics["emotion_preservation"]["n"] == 1


@pytest.mark.thorough
def test_every_reply_of_a_talk_is_spoken_after_what_was_said_before_it(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("id,persona,need,opening\na,A cook,praise,Nobody liked the soup.\n")
    side = {"model": OMNI, "max_new_tokens": 8}
    talks = {"personas": "users.csv", "turns": 2, "answers": "kept", "model": {**side, "system": "Listen."}}
    (tmp_path / "talk.yaml").write_text(yaml.safe_dump({**talks, "simulator": side}))
    assert main(["converse", str(tmp_path / "talk.yaml"), "--out", str(tmp_path / "talks")]) == 0
    (talk,) = lines(tmp_path / "talks/conversations.jsonl")
    said = [turn["content"] for turn in talk["history"] if turn["role"] == "assistant"]
    assert said
    assert main(["speak", str(page(tmp_path, talks="talks")), "--out", str(tmp_path / "voices")]) == 0
    rows = lines(tmp_path / "voices/spoken.jsonl")
    assert [row["reply"] for row in rows] == said and rows[0]["id"] == "a turn 1" and rows[0]["clip"]
    # The same words sound the same after the same words, and otherwise after others.
    before = ("Nobody liked the soup.", "I am happy.")
    said_again = [{"id": words, "text": words, "reply": said[0]} for words in before]
    (tmp_path / "again.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said_again))
    path = page(tmp_path, table="again.jsonl", system="Listen.", answers="elsewhere")
    assert main(["speak", str(path), "--out", str(tmp_path / "again")]) == 0
    same, other = ((tmp_path / "again" / row["clip"]).read_bytes() for row in lines(tmp_path / "again/spoken.jsonl"))
    assert (tmp_path / "voices" / rows[0]["clip"]).read_bytes() == same != other


@pytest.mark.thorough
def test_what_a_speech_model_hears_is_held_against_the_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"id": str(number), "text": "Hello", "reply": reply} for number, reply in enumerate(("A", "A b c", ""))]
    (tmp_path / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = page(tmp_path, table="replies.jsonl", heard=str(tiny_recogniser(tmp_path / "recogniser")))
    for _ in range(2):  # the second time from what is kept
        assert main(["speak", str(path), "--out", str(tmp_path / "out")]) == 0
        assert "word error rate 0.500 no interval, heard by" in capsys.readouterr().out
        assert [row["heard"] for row in lines(tmp_path / "out/spoken.jsonl")] == ["a", "a", None]
        shutil.rmtree(tmp_path / "out")
    path = page(tmp_path, table="replies.jsonl", heard=str(tmp_path))
    assert main(["speak", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "cannot be loaded as a speech model" in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.slow(minutes=1)
@pytest.mark.thorough
def test_killed_again_and_again_it_speaks_nothing_twice_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    rows = [{"id": f"r/{number}", "text": "Nobody came.", "reply": f"I am here, {number}."} for number in range(14)]
    (tmp_path / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    whole = page(tmp_path, table="replies.jsonl", answers="whole")
    assert main(["speak", str(whole), "--out", str(tmp_path / "expected")]) == 0
    path = page(tmp_path, table="replies.jsonl")
    command = [sys.executable, "-m", "affectllm.cli", "speak", str(path), "--out", str(tmp_path / "out")]
    times: dict[str, int] = {}
    for kill in (2, 5, 9):
        process = subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(list(tmp_path.glob("kept/sounds/*.wav"))) < kill and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = {one.name: one.stat().st_mtime_ns for one in tmp_path.glob("kept/sounds/[!.]*.wav")}
        assert kept.items() >= times.items()
        times = kept
    assert 0 < len(times) < len(rows)
    subprocess.run(command, check=True, capture_output=True)
    assert {one.name: one.stat().st_mtime_ns for one in tmp_path.glob("kept/sounds/[!.]*.wav")}.items() >= times.items()

    def contents(folder: Path) -> dict[str, bytes]:
        names = [one for one in folder.rglob("*") if one.is_file() and one.suffix in (".wav", ".jsonl")]
        return {str(one.relative_to(folder)): one.read_bytes() for one in names}

    assert contents(tmp_path / "out") == contents(tmp_path / "expected") and len(contents(tmp_path / "out")) == 15
    # A finished run is not spoken again, and a longer table speaks its new rows alone.
    shutil.rmtree(tmp_path / "kept/sounds")
    subprocess.run(command, check=True, capture_output=True)
    assert not (tmp_path / "kept/sounds").exists()


@pytest.mark.thorough
def test_a_longer_table_speaks_its_new_rows_alone_and_another_voice_all(tmp_path: Path) -> None:
    checkpoint = Path(shutil.copytree(tiny_whole_folder("qwen2_5_omni"), tmp_path / "checkpoint"))

    def spoken(count: int, **keys: Any) -> int:
        rows = [{"id": str(number), "text": "Hello", "reply": f"Hello {number}"} for number in range(count)]
        (tmp_path / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        path = page(tmp_path, model=str(checkpoint), table="replies.jsonl", **keys)
        assert main(["speak", str(path), "--out", str(tmp_path / "out")]) == 0
        assert len(list((tmp_path / "out/voices").glob("*.wav"))) == count
        return len(list((tmp_path / "kept/sounds").glob("*.wav")))

    assert [spoken(2), spoken(3), spoken(3, voice="Ethan"), spoken(3, seed=1)] == [2, 3, 6, 9]
    assert spoken(3, description="the same") == 9
    (checkpoint / "spk_dict.pt").write_bytes((checkpoint / "spk_dict.pt").read_bytes() + b" ")  # other voices
    assert spoken(3) == 12

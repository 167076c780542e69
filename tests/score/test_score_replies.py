"""Files of replies as harnesses and trainers write them: their columns, and what chat templates add to gold values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scoring import scored, write_csv

from affectllm.cli import main

THOUGHT = "<think>\n\n</think>\n\n"
ROWS = [
    {"prompt": "p1", "predict": f"{THOUGHT}happy", "label": f"{THOUGHT}happy"},
    {"prompt": "p2", "predict": f"{THOUGHT}sad", "label": f"{THOUGHT}angry"},
    {"prompt": "p3", "predict": "\nangry", "label": "\nangry<|im_end|>"},
]


def written(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("options", [["--read", "strict", "--labels", "happy,angry,sad"], ["--read", "strict"], []])
def test_reasoning_that_a_chat_template_adds_is_no_part_of_a_gold_value(capsys, tmp_path: Path, options) -> None:
    file = written(tmp_path / "generated_predictions.jsonl", ROWS)
    result = scored(capsys, "--metric", "accuracy", "--gold", file, "--pred", file, *options)
    assert result["value"] == pytest.approx(2 / 3)
    labels = set(result["per_class"]) or {"angry", "happy", "sad"}
    assert labels <= {"angry", "happy", "sad"}


def test_sets_and_numbers_behind_such_marks(capsys, tmp_path: Path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("1", f"{THOUGHT}joy, love"), ("2", THOUGHT)], ("id", "label"))
    pred = write_csv(tmp_path / "p.csv", [("1", "love and joy"), ("2", "none")], ("id", "predict"))
    result = scored(capsys, "--metric", "jaccard", "--gold", gold, "--pred", pred, "--read", "strict")
    assert result["value"] == 1 and result["unreadable"] == 0
    gold = write_csv(tmp_path / "g.csv", [(n, f"{THOUGHT}{n}") for n in (1, 2, 3)], ("id", "target"))
    pred = write_csv(tmp_path / "p.csv", [(n, f"<answer>{n}</answer>") for n in (1, 2, 3)], ("id", "predict"))
    assert scored(capsys, "--metric", "mae", "--gold", gold, "--pred", pred)["value"] == 0


def test_samples_of_lm_eval_are_known_by_their_columns(capsys, tmp_path: Path) -> None:
    rows = [
        {"doc_id": n, "doc": {"x": 1}, "target": gold, "resps": [[reply]], "filtered_resps": [reply]}
        for n, (gold, reply) in enumerate([("joy", "It is joy."), ("anger", "joy"), ("fear", "[fear]")])
    ]
    file = written(tmp_path / "samples_task.jsonl", rows)
    result = scored(capsys, "--metric", "accuracy", "--gold", file, "--pred", file, "--read", "strict")
    assert result["value"] == pytest.approx(2 / 3) and result["unreadable"] == 0


def test_whole_transcripts_are_scored_by_their_answers(capsys, tmp_path: Path) -> None:
    begin, end = "<|im_start|>", "<|im_end|>\n"
    frame = f"{begin}system\nNotice anger.{end}{begin}user\nShe says: I am so happy.{end}{begin}assistant\n{{}}{end}"
    gold = write_csv(tmp_path / "g.csv", [("1", "sad"), ("2", "neutral"), ("3", "sad")], ("id", "label"))
    replies = [frame.format("sad"), frame.format("neutral"), frame.format("Sadly, I cannot hear it.")]
    pred = written(tmp_path / "p.jsonl", [{"id": n, "prediction": text} for n, text in enumerate(replies, 1)])
    asked = ["--read", "strict", "--labels", "angry,happy,sad,neutral"]
    result = scored(capsys, "--metric", "accuracy", "--gold", gold, "--pred", pred, *asked)
    assert result["value"] == pytest.approx(2 / 3) and result["unreadable"] == pytest.approx(1 / 3)


def test_one_of_something_is_printed_as_a_count_and_not_as_a_share(capsys, tmp_path: Path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("1", "joy"), ("2", "joy")], ("id", "label"))
    pred = write_csv(tmp_path / "p.csv", [("1", "joy"), ("2", "no idea")], ("id", "predict"))
    words = ["--read", "strict", "--labels", "joy,anger"]
    assert main(["score", "--metric", "accuracy", "--gold", str(gold), "--pred", str(pred), *words]) == 0
    printed = capsys.readouterr().out
    assert "labels_in_gold 1, unreadable_no_label 1\n" in printed and "majority 1.0000" in printed

"""`affectllm predict`: any clip, folder, table or text gets an answer, or a reason why there is none."""

from __future__ import annotations

import csv
import io
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

from affectllm.cli import main
from affectllm.corpus.miniature import Clip, Picture, Tone, materialise
from affectllm.model.load import load_model
from affectllm.predict import command
from affectllm.predict.answering import Answering
from affectllm.predict.items import ROOTS, read_items
from affectllm.predict.predicting import Prediction, predict
from affectllm.predict.question import Question
from affectllm.respond.in_process import InProcess

OMNI, AUDIO, TEXT = "tiny:qwen2_5_omni", "tiny:qwen2_audio", "tiny:qwen2"
CLIPS = {
    "clips/a.wav": Tone(),
    "clips/deep/film.mp4": Clip(),
    "clips/mute.mp4": Clip(sound=False),
    "clips/face.png": Picture(),
    "clips/broken.mp4": b"no film",
    "clips/notes.md": "not a clip",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    materialise(CLIPS, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def objects(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> list[dict[str, Any]]:
    """The JSON lines of a prediction."""
    capsys.readouterr()
    assert main(["predict", *words, "--answers", "kept", "--json"]) == status
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_folder_is_answered_and_what_cannot_be_used_is_a_line_with_its_reason(capsys) -> None:
    rows = objects(capsys, "clips", "gone.wav", "clips/notes.md", "--model", OMNI)
    by_name = {Path(row["item"]).name: row for row in rows}
    assert {name: row["shown"] for name, row in by_name.items()} == {
        "a.wav": ["audio"],
        "film.mp4": ["video", "audio"],
        "mute.mp4": ["video"],  # no sound to be heard
        "face.png": ["image"],
        **{"broken.mp4": [], "gone.wav": [], "notes.md": []},
    }
    reasons = {name: row["reason"] for name, row in by_name.items() if row["reason"]}
    assert reasons == {"broken.mp4": "unreadable", "gone.wav": "missing", "notes.md": "not_media"}
    for row in rows:
        if row["shown"]:
            shares = row["likelihoods"]
            assert len(shares) == 7 and sum(shares.values()) == pytest.approx(1)
            assert row["answer"] == max(shares, key=shares.get)
    assert by_name["a.wav"]["likelihoods"] != by_name["film.mp4"]["likelihoods"]


def test_a_table_has_clips_and_texts_and_the_answers_come_as_a_table(folder: Path, capsys) -> None:
    text = 'id,clip,text\none,clips/a.wav,"so, glad"\ntwo,,I lost my keys\nthree,clips/none.wav,\nfour,,\n'
    (folder / "t.csv").write_text(text)
    (folder / "rows.jsonl").write_text('{"utterance": "again"}\n')
    words = ["predict", "t.csv", "rows.jsonl", "--text", "at last", "--model", AUDIO, "--labels", "very keen,bored"]
    assert main([*words, "--csv", "--answers", "kept"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["item"], row["shown"], row["reason"]) for row in rows] == [
        ("one", "audio+text", ""),
        ("two", "text", ""),
        ("three", "", "missing"),
        ("four", "", "empty_row"),
        ("rows.jsonl:1", "text", ""),
        ("text 1", "text", ""),
    ]
    assert {row["answer"] for row in rows} <= {"very keen", "bored", ""}
    assert float(rows[0]["p_very keen"]) + float(rows[0]["p_bored"]) == pytest.approx(1, abs=1e-4)


def test_the_status_is_1_when_nothing_could_be_used(capsys) -> None:
    (row,) = objects(capsys, "clips/face.png", "--model", TEXT, status=1)
    assert row["reason"] == "model_takes_no_image" and row["answer"] is None


def test_templates_that_ask_for_words_or_numbers_are_read_as_their_readers_do(capsys) -> None:
    (row,) = objects(capsys, "clips/a.wav", "--model", AUDIO, "--template", "emotion_open", "--explain")
    assert row["likelihoods"] is None and row["reply"] and row["explanation"]
    (row,) = objects(capsys, "clips/a.wav", "--model", AUDIO, "--template", "dimension_scores", "--bounds", "1", "9")
    assert row["reply"] and row["reason"].startswith("unreadable:")  # a random model writes no numbers


def test_a_span_of_a_clip_and_fewer_modalities_change_what_is_answered(folder: Path, capsys) -> None:
    (folder / "spans.tsv").write_text("clip\tstart\tend\nclips/deep/film.mp4\t\t\nclips/deep/film.mp4\t0.0\t0.2\n")
    whole, part = objects(capsys, "spans.tsv", "--model", OMNI)
    (heard,) = objects(capsys, "clips/deep/film.mp4", "--model", OMNI, "--modalities", "audio")
    assert heard["shown"] == ["audio"] and whole["shown"] == part["shown"] == ["video", "audio"]
    assert len({str(row["likelihoods"]) for row in (whole, part, heard)}) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--template", "cause_turns"], "which a clip alone does not have"),
        (["--template", "best_option"], "options that belong to each item"),
        (["--template", "nothing"], "there is no template"),
        (["--labels", "joy"], "are not several labels"),
        (["--labels", "joy,joy"], "are not several labels"),
        (["--paraphrase", "99"], "choose --paraphrase 0 to 5"),
        (["--modalities", "smell"], "unknown modalities"),
        (["--budget", "frames=2"], "choose among fps"),
        (["--budget", "max_frames=two"], "is no number"),
        (["--language", "xx"], "does not speak 'xx'"),
    ],
)
def test_what_cannot_be_asked_is_said(words: list[str], message: str, capsys) -> None:
    assert main(["predict", "clips/a.wav", "--model", TEXT, "--answers", "kept", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_table_without_a_row_is_named(folder: Path, capsys) -> None:
    (folder / "t.csv").write_text("clip,text\n")
    assert main(["predict", "t.csv", "--model", TEXT]) == 2
    assert "there is nothing to predict in t.csv" in capsys.readouterr().err


def test_a_table_without_a_column_of_clips_or_texts_names_those_that_it_has(folder: Path, capsys) -> None:
    (folder / "t.csv").write_text("mood,age\njoy,3\n")
    assert main(["predict", "t.csv", "--model", TEXT]) == 2
    assert "no column of clips or texts among mood, age" in capsys.readouterr().err
    (row,) = objects(capsys, "t.csv", "--model", TEXT, "--text-column", "mood")
    assert row["shown"] == ["text"]


def test_what_was_answered_is_not_asked_again_wherever_the_clip_lies(folder: Path) -> None:
    model = load_model(AUDIO)
    model.model.eval()

    def asked(name: str, **changes: Any) -> int:
        answering = Answering(InProcess(model), ROOTS, folder=folder / "kept")
        assert all(one.used for one in predict(read_items([name]), Question(**changes), answering))
        return answering.asked

    shutil.copy("clips/a.wav", "copy.wav")
    assert [asked("clips/a.wav"), asked("clips/a.wav"), asked("copy.wav")] == [1, 0, 0]
    assert [asked("copy.wav", paraphrase=1), asked("copy.wav", labels=("joy", "fear"))] == [1, 1]
    materialise({"copy.wav": Tone(pitch=660.0)}, folder)
    assert asked("copy.wav") == 1


def test_no_model_is_loaded_where_nothing_can_be_asked(capsys) -> None:
    assert main(["predict", "gone.wav", "clips/notes.md", "--model", "there/is/no/such/model"]) == 1
    shown = capsys.readouterr()
    assert "without an answer: 2 of 2: 1 × missing, 1 × not_media" in shown.err and shown.out.count("\n") == 2


@pytest.mark.parametrize("template", ["emotion_choice", "emotion_open"])
def test_batches_answer_as_one_at_a_time_in_order(template: str, folder: Path) -> None:
    files: dict[str, Any] = {f"many/{n}.wav": Tone(0.2 + 0.1 * (n % 3), pitch=150 + 50 * n) for n in range(5)}
    materialise({**files, "many/1x.wav": b"no sound", "many/2x.mp4": Clip(sound=False)}, folder)
    model = load_model(OMNI)
    model.model.eval()

    def answers(size: int) -> list[Prediction]:
        responder = InProcess(model, batch_size=size, end_of_turn=True)
        return list(predict(read_items(["many"]), Question(template), Answering(responder, ROOTS)))

    alone, together = answers(1), answers(3)
    assert [one.item for one in alone] == [one.item for one in together] == sorted(one.item for one in alone)
    for one, other in zip(alone, together, strict=True):
        assert (one.answer, one.reply, one.reason) == (other.answer, other.reply, other.reason)
        assert other.likelihoods == pytest.approx(one.likelihoods, abs=1e-4)
    assert sum(one.used for one in alone) == 6


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_where_it_was(folder: Path, capsys) -> None:
    lines = "".join(f"I lost {number} keys today, and then I found some of them.\n" for number in range(200))
    (folder / "t.csv").write_text(f"text\n{lines}".replace(",", ";"))
    words = ["predict", "t.csv", "--model", TEXT, "--answers", "kept", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "affectllm.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(20)]
        os.kill(process.pid, signal.SIGKILL)
    time.sleep(0.1)
    known = sum(len(path.read_text().splitlines()) for path in Path("kept").glob("*.jsonl"))
    assert 20 <= known < 200
    rows = objects(capsys, "t.csv", "--model", TEXT)
    assert rows[:20] == [json.loads(line) for line in first] and len(rows) == 200
    now = sum(len(path.read_text().splitlines()) for path in Path("kept").glob("*.jsonl"))
    assert now == 200  # not one of them twice


def test_the_labels_of_a_shared_space_have_names() -> None:
    assert command.labels_of("sentiment_3") == ("positive", "neutral", "negative")
    assert command.labels_of(" joy , fear ") == ("joy", "fear")

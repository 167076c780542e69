"""Other trainers read our exports with their own code, each in an environment that ``scripts/readers`` made."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from exporting import clip, make_clips, row, write_rows
from toy_corpus import toy_corpus

from affectllm.commands.export import export
from affectllm.corpus.roots import Roots
from affectllm.model.clips.media import Budget
from affectllm.model.encode import Encoder
from affectllm.model.load import load_model
from affectllm.model.tiny import tiny_folder

READERS = os.environ.get("AFFECTLLM_READERS")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not READERS, reason="AFFECTLLM_READERS names no folder; see scripts/readers"),
]
TEXTS = [
    row("plain", "How does this sound?", " Pick one of: joy, anger."),
    row("lines", "Two\nlines, a {brace}, “quotes” and 100 %.\n", answer="anger, fear"),
    row("chinese", "他说了什么？", answer="悲伤。"),
    row("empty", "", answer="joy"),
]
CLIPS = [
    row("words", "Say it."),
    row("heard", clip("video", "conversation.mp4", sound=True), "Both?"),
    row("shown", clip("video", "conversation.mp4"), "Pictures?"),
    row("track", clip("audio", "conversation.mp4", start=1.0, end=2.5), "Sound?"),
    row("song", clip("audio", "song.wav"), "Song?", answer="calm"),
    row("face", clip("image", "face.png"), "Face?"),
    row("both", clip("image", "face.png"), clip("audio", "song.wav"), "Both?"),
    row("span", clip("video", "conversation.mp4", sound=True, start=1.0, end=2.5), "Span?"),
]


def read(reader: str, script: str, *words: str) -> list[dict[str, Any]]:
    """What a script in ``tests/support/readers`` prints, one JSON value a line."""
    python = Path(READERS or "") / reader / "bin" / "python"
    place = Path(__file__).parents[1] / "support" / "readers" / script
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    done = subprocess.run(
        [str(python), str(place), *words], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "ms"))
    root = make_clips(toy_corpus(tmp_path, monkeypatch))

    def exported(rows: list[dict[str, Any]], to: str) -> Path:
        run = write_rows(tmp_path / "run", rows)
        write_rows(run, rows[:1], "validation.parquet")
        export(run, to, tmp_path / "out", Roots({"toy": root}), "link")
        return tmp_path / "out"

    return exported


@pytest.mark.parametrize(("reader", "script"), [("llama-factory", "llama_factory.py"), ("ms-swift", "ms_swift.py")])
def test_every_clip_is_found_and_opened(exported, reader: str, script: str) -> None:
    out = exported(CLIPS, reader)
    words = (str(out), "affectllm_train") if reader == "llama-factory" else (str(out / "train.jsonl"),)
    rows = read(reader, script, *words)
    assert len(rows) == len(CLIPS)
    by_question = {item["messages"][0]["content"]: item for item in rows}
    assert [len(by_question["Say it."][kind]) for kind in ("images", "videos", "audios")] == [0, 0, 0]
    assert by_question["<image>Face?"]["sizes"] == [[48, 32]]
    assert by_question["<audio>Sound?"]["samples"] == [24_000]  # 1.5 s at the 16 kHz that the reader resamples to
    assert (
        by_question["<audio>Song?"]["samples"] == [48_000]
        and by_question["<audio>Song?"]["messages"][1]["content"] == "calm"
    )
    assert by_question["<image><audio>Both?"]["sizes"] and by_question["<image><audio>Both?"]["samples"] == [48_000]
    assert by_question["<video><audio>Span?"]["samples"] == [24_000]
    assert by_question["<video>Pictures?"]["samples"] == []
    if reader == "llama-factory":
        assert by_question["<video><audio>Span?"]["seconds"] == pytest.approx([1.5], abs=0.041)
        assert by_question["<video>Pictures?"]["seconds"] == pytest.approx([4.0], abs=0.041)


def test_llama_factory_reads_the_validation_rows_and_texts(exported) -> None:
    out = exported(TEXTS, "llama-factory")
    assert len(read("llama-factory", "llama_factory.py", str(out), "affectllm_validation")) == 1
    rows = read("llama-factory", "llama_factory.py", str(out), "affectllm_train")
    texts = [["".join(part["text"] for part in message["content"]) for message in item["messages"]] for item in TEXTS]
    assert [[message["content"] for message in item["messages"]] for item in rows] == texts


def ours(rows: list[dict[str, Any]]) -> list[tuple[list[int], list[int]]]:
    """Tokens and labels of our own path."""
    model = load_model("tiny:qwen2")
    encoder = Encoder(model.processor, model.family, model.model.config, Budget(), {})
    encoded = [encoder.encode(item["messages"]) for item in rows]
    return [(item.input_ids.tolist(), item.labels.tolist()) for item in encoded]


def test_axolotl_makes_the_same_tokens_and_labels(exported) -> None:
    out = exported(TEXTS, "axolotl")
    rows = read("axolotl", "axolotl_reader.py", str(out / "axolotl.yaml"), str(tiny_folder("qwen2")))
    assert [(item["input_ids"], item["labels"]) for item in rows] == ours(TEXTS)


def test_ms_swift_makes_the_same_tokens_and_labels_and_ends_with_a_line_break(exported) -> None:
    out = exported(TEXTS, "ms-swift")
    rows = read("ms-swift", "ms_swift.py", str(out / "train.jsonl"), str(tiny_folder("qwen2")))
    for item, (ids, labels) in zip(rows, ours(TEXTS), strict=True):
        assert item["input_ids"][: len(ids)] == ids and item["labels"][: len(labels)] == labels
        assert len(item["input_ids"]) == len(ids) + 1  # its template trains the line break behind <|im_end|> too


def test_axolotl_hears_sounds_and_sees_pictures(exported) -> None:
    sounds = [item for item in CLIPS if item["id"] in ("words", "track", "song")]
    out = exported(sounds, "axolotl")
    rows = read("axolotl", "axolotl_reader.py", str(out / "axolotl.yaml"), str(tiny_folder("qwen2_audio")))
    assert len(rows) == 3
    heard = {len(item["messages"][0]["content"]) == 2: item["shapes"] for item in rows}
    assert heard[True]["input_features"][1] == 128 and "input_features" not in heard[False]

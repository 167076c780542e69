"""Conversations with made clips, written as a build leaves them, for the tests of exports."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import webdataset

from affectllm.commands.export import export
from affectllm.corpus.miniature import Clip, Picture, Tone, materialise
from affectllm.corpus.roots import Roots

CLIPS = {
    "conversation.mp4": Clip(4.0, fps=25),
    "mute.mp4": Clip(2.0, sound=False),
    "odd.avi": Clip(2.0, fps=10),
    "song.wav": Tone(3.0, rate=44_100),
    "face.png": Picture(48, 32),
}


def make_clips(root: Path) -> Path:
    """The clips above, in ``root``."""
    return materialise(CLIPS, root)


def clip(kind: str, path: str, **more: Any) -> dict[str, Any]:
    """A content part."""
    return {"type": kind, "corpus": "toy", "path": path, **more}


def row(name: str, *asked: Mapping[str, Any] | str, answer: str = "joy") -> dict[str, Any]:
    """A row that asks with these parts and is answered with ``answer``."""
    parts = [{"type": "text", "text": part} if isinstance(part, str) else dict(part) for part in asked]
    reply = [{"type": "text", "text": answer}]
    messages = [{"role": "user", "content": parts}, {"role": "assistant", "content": reply}]
    return {
        **{"id": name, "sample": name, "corpus": "toy", "split": "train", "template": "emotion_choice"},
        **{"paraphrase": 0, "messages": messages, "answer": answer, "value": answer, "space": "toy_3"},
        **{"rater": "reader", "speaker": "", "dialogue": ""},
    }


def write_rows(folder: Path, rows: Sequence[Mapping[str, Any]], file: str = "train.parquet") -> Path:
    """A build folder with these rows."""
    from datasets import Dataset, Features, Json, List, Value

    kinds = {"messages": List(Json()), "value": Json(), "paraphrase": Value("int32")}
    features = Features({name: kinds.get(name, Value("string")) for name in rows[0]})
    (folder / "conversations").mkdir(parents=True, exist_ok=True)
    Dataset.from_list([dict(item) for item in rows], features=features).to_parquet(folder / "conversations" / file)
    return folder


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


ROWS = [
    row("words", "Say it.", " Again."),
    row("heard", clip("video", "conversation.mp4", sound=True), "Both?"),
    row("shown", clip("video", "conversation.mp4"), "Pictures?"),
    row("track", clip("audio", "conversation.mp4", start=1.0, end=2.5), "Sound?"),
    row("song", clip("audio", "song.wav"), "Song?"),
    row("face", clip("image", "face.png"), "Face?"),
    row("mute", clip("video", "mute.mp4"), "Mute?"),
    row("span", clip("video", "conversation.mp4", sound=True, start=1.0, end=2.5), "Span?"),
]


class Exporter:
    """Exports rows of the toy corpus and reads back what came out."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root, self.runs = folder, root, 0

    def __call__(self, rows, to: str, media: str = "link", out: str = "", **more) -> Path:
        self.runs += 1
        run = write_rows(self.folder / f"run{self.runs}", rows, **more)
        self.out = self.folder / (out or f"out{self.runs}")
        self.summary = export(run, to, self.out, Roots({"toy": self.root}), media)
        return self.out

    def by_id(self) -> dict[str, dict]:
        tars = sorted(self.out.glob("train-*.tar"))
        rows = [item["json"] for tar in tars for item in webdataset.WebDataset(str(tar), shardshuffle=False).decode()]
        return {item["id"]: item for item in (rows if tars else read_lines(self.out / "train.jsonl"))}

"""Answers about pictures and clips, against lmms-eval: the same questions and weights, each with its own reading."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peering.contest import Outcome, Side, alternate
from peering.places import SHIMS, python_of, version_in

NAME = "lmms-eval"
_HERE = Path(__file__).parent
_QUIET = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
_LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
_BATCH, _TOKENS, _FRAMES = 8, 24, 8
_PIXELS = {"image": (3_136, 200_704), "video": (3_136, 12_544)}  # least and most of a picture or frame
_CORPUS = """\
name: made_media
table: media.csv
columns: {id: id, split: split}
media: [{column: file, modality: MODALITY}]
raters: {annotator: the script that made them}
labels:
  - {space: ekman_6, rater: annotator, column: emotion}
licence: {name: CC0-1.0, access: open, redistribution: true, commercial: true}
"""
_TASK = """\
task: made_emotion
class: !function affectllm.evaluate.task.AffectTask
corpus: generic
split: test
template: emotion_choice
gold: {space: ekman_6, rater: annotator}
modalities: [MODALITY]
metrics: [accuracy]
n: COUNT
metadata: {version: 1}
"""
_THEIRS = """\
task: made_emotion
dataset_path: parquet
dataset_kwargs: {data_files: {test: DATA}}
test_split: test
output_type: generate_until
doc_to_visual: !function lmms_eval_task.visual
doc_to_text: !function lmms_eval_task.text
doc_to_target: answer
generation_kwargs: {max_new_tokens: TOKENS, temperature: 0, do_sample: false}
process_results: !function lmms_eval_task.results
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
metadata: [{version: 0.0}]
"""


@dataclass(frozen=True)
class Media:
    """A corpus of one kind of media in a folder, and what each side is told.

    Args:
        folder: of the corpus, the pages of both sides and their runs.
        modality: ``image`` or ``video``.
    """

    folder: Path
    modality: str
    model: Path

    def ours(self, out: str) -> Side:
        """``affectllm eval`` with nothing in its cache of prepared media."""
        least, most = _PIXELS[self.modality]
        arguments = f"pretrained={self.model},dtype=bfloat16,min_pixels={least},max_pixels={most},max_frames={_FRAMES}"
        command = [str(Path(sys.executable).with_name("affectllm")), "eval", "--model", "affectllm"]
        command += ["--model_args", arguments, "--tasks", "made_emotion", "--root", f"generic={self.folder / 'corpus'}"]
        command += ["--batch_size", str(_BATCH), "--output_path", out, "--log_samples"]
        environment = {"AFFECTLLM_PATH": str(self.folder / "pages"), "AFFECTLLM_CACHE": f"{out}-cache"}
        return Side("affectllm", command, _QUIET | environment)

    def theirs(self, out: str) -> Side:
        """lmms-eval's own command; its class of the model computes in bfloat16."""
        python = python_of(NAME)
        least, most = _PIXELS[self.modality]
        arguments = f"pretrained={self.model},device=cpu,device_map=cpu,min_pixels={least},max_pixels={most}"
        command = [str(python), str(_HERE / "theirs" / "lmms_eval_main.py"), "--model", "qwen2_5_vl"]
        command += ["--model_args", f"{arguments},max_num_frames={_FRAMES}", "--tasks", "made_emotion"]
        command += ["--include_path", str(self.folder / "theirs"), "--batch_size", str(_BATCH)]
        command += ["--output_path", out, "--log_samples"]
        return Side(f"lmms-eval {version_in(python, 'lmms-eval')}", command, _QUIET | {"PYTHONPATH": str(SHIMS)})


def measure(repeats: int) -> list[Outcome]:
    """Ask about pictures and about clips, in turns, and print how many replies are the same letter by letter."""
    python_of(NAME)
    from affectllm.model.tiny import tiny_folder

    outcomes = []
    with tempfile.TemporaryDirectory() as scratch:
        for modality, count, noun in (("image", 240, "pictures"), ("video", 48, "clips of 5 s")):
            media = Media(Path(scratch) / modality, modality, tiny_folder("qwen2_5_vl"))
            _make(media, count)
            ours, theirs = media.ours("{out}"), media.theirs("{out}")
            what = (
                f"replies of {_TOKENS} tokens to {count} {noun}, tiny Qwen2.5-VL, batches of {_BATCH}, with the start"
            )
            place = media.folder / "runs"
            outcomes.append(alternate(what, ours, theirs, None, place, repeats, count, "replies"))
            mine, others = _replies(place / "ours-0"), _replies(place / "theirs-0")
            same = sum(mine[number] == others[number] for number in mine)
            print(f"{what}: {same} of {count} replies are the same", file=sys.stderr)
    return outcomes


def _make(media: Media, count: int) -> None:
    """Write the corpus and both pages; our own task's questions, asked once, become the other side's rows."""
    from datasets import Dataset, Features, Image, Value

    corpus, pages, theirs = (media.folder / name for name in ("corpus", "pages/eval_tasks", "theirs"))
    for folder in (corpus, pages, theirs):
        folder.mkdir(parents=True)
    (corpus / "affectllm.yaml").write_text(_CORPUS.replace("MODALITY", media.modality), encoding="utf-8")
    files = _pictures(corpus, count) if media.modality == "image" else _clips(corpus, count)
    with (corpus / "media.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = [(number, file.name, "test", _LABELS[number % 6]) for number, file in enumerate(files)]
        csv.writer(stream).writerows([("id", "file", "split", "emotion"), *rows])
    page = _TASK.replace("MODALITY", media.modality).replace("COUNT", str(count))
    (pages / "made_emotion.yaml").write_text(page, encoding="utf-8")
    asked = _asked(media)
    features = {name: Value("string") for name in ("question", "answer", "path")}
    if media.modality == "image":
        features["image"] = Image()
        asked = [row | {"image": row["path"]} for row in asked]
    Dataset.from_list(asked, features=Features(features)).to_parquet(theirs / "test.parquet")
    page = _THEIRS.replace("DATA", str(theirs / "test.parquet")).replace("TOKENS", str(_TOKENS))
    (theirs / "made_emotion.yaml").write_text(page, encoding="utf-8")
    (theirs / "lmms_eval_task.py").write_bytes((_HERE / "theirs" / "lmms_eval_task.py").read_bytes())


def _asked(media: Media) -> list[dict[str, Any]]:
    """Return what our task asks about each item, by a model that needs no media."""
    out = media.folder / "asked"
    side = media.ours(str(out))
    words, at = list(side.command), side.command.index("--model")
    words[at : at + 4] = ["--model", "affectllm-majority"]  # which has no --model_args
    environment = {**os.environ, **side.environment}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    rows = []
    for doc in _samples(out, "doc"):
        shown, question = doc["messages"][0]["content"]
        path = str(media.folder / "corpus" / shown["path"])
        rows.append({"question": question["text"], "answer": doc["answer"], "path": path})
    return rows


def _samples(folder: Path, key: str) -> list[Any]:
    (file,) = folder.rglob("*samples*made_emotion*.jsonl")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [line[key] for line in sorted(lines, key=lambda line: int(line["doc_id"]))]


def _replies(folder: Path) -> Mapping[int, str]:
    def plain(reply: str | Sequence[str]) -> str:
        return (reply if isinstance(reply, str) else reply[0]).strip()

    return dict(enumerate(map(plain, _samples(folder, "filtered_resps"))))


def _pictures(folder: Path, count: int) -> list[Path]:
    import numpy as np
    from PIL import Image

    dice = np.random.default_rng(0)
    files = [folder / f"{number:03d}.png" for number in range(count)]
    for file in files:
        coarse = Image.fromarray(dice.integers(0, 256, (7, 7, 3), dtype=np.uint8))
        coarse.resize((112, 112), Image.Resampling.BICUBIC).save(file)
    return files


def _clips(folder: Path, count: int) -> list[Path]:
    from benchmarks.clips import make_clips

    return make_clips(folder, [5.0] * count)

"""Corpora and tables of a given size, and the commands that work on them."""

from __future__ import annotations

import json
import random
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.report import make_evaluation

from scaling import several
from scaling.measured import Growth, starting, use
from scaling.texts import LABELS, texts

_TASK = """
task: scale_{number}
class: !function affectllm.evaluate.task.AffectTask
corpus: generic
split: test
template: emotion_choice
gold: {{space: plutchik_8, rater: crowd}}
modalities: [text]
metrics: [uar, accuracy]
metadata: {{version: {number}}}
"""
_MIXTURE = """
description: texts without near-duplicates
deduplicate: [text]
mixture:
  - {corpus: generic, template: emotion_choice, space: plutchik_8, rater: crowd, modalities: [text]}
"""
Scene = Callable[[Path, int], Iterator[Growth]]


def _pair(what: str, few: int, many: int, run: Callable[[int], object]) -> Iterator[Growth]:
    start = starting()
    yield Growth(what, run(few), run(many), start)  # type: ignore[arg-type]


def score(folder: Path, less: int) -> Iterator[Growth]:
    """Score a table of predictions, with its interval over speakers."""

    def run(count: int) -> object:
        dice = random.Random(count)
        gold, predicted = folder / f"gold{count}.csv", folder / f"pred{count}.csv"
        with gold.open("w") as one, predicted.open("w") as other:
            one.write("id,label,speaker\n")
            other.write("id,label\n")
            for number in range(count):
                one.write(f"{number},{LABELS[number % 8]},{number % 500}\n")
                other.write(f"{number},{dice.choice(LABELS)}\n")
        return use(
            count, ["score", "--metric", "uar", "--gold", str(gold), "--pred", str(predicted), "--cluster", "speaker"]
        )

    yield from _pair("score predictions, with an interval over speakers", 10_000, 1_000_000 // less, run)


def build(folder: Path, less: int) -> Iterator[Growth]:
    """Build samples of a table of texts."""

    def run(count: int) -> object:
        root = texts(folder, count)
        return use(count, ["build", "generic", "--root", f"generic={root}", "--out", str(folder / f"built{count}")])

    yield from _pair("build samples of a table of texts", 10_000, 1_000_000 // less, run)


def files(folder: Path, less: int) -> Iterator[Growth]:
    """Build samples of class folders of sounds."""

    def run(count: int) -> object:
        root = folder / f"files{count}"
        sound = folder / "one.wav"
        if not sound.is_file():
            with wave.open(str(sound), "wb") as stream:
                stream.setnchannels(1)
                stream.setsampwidth(2)
                stream.setframerate(16_000)
                stream.writeframes(bytes(160))
        data = sound.read_bytes()
        for label in LABELS:
            (root / "clips" / label).mkdir(parents=True)
        for number in range(count):
            (root / "clips" / LABELS[number % 8] / f"{number}.wav").write_bytes(data)
        page = {
            "name": "generic",
            "folder": "clips",
            "raters": {"crowd": "made up"},
            "labels": [{"space": "plutchik_8", "rater": "crowd", "column": "class"}],
            "media": [{"column": "path", "modality": "audio"}],
        }
        (root / "affectllm.yaml").write_text(json.dumps(page), encoding="utf-8")
        return use(count, ["build", "generic", "--root", f"generic={root}", "--out", str(folder / f"out{count}")])

    yield from _pair("build samples of class folders of sounds", 10_000, 200_000 // less, run)


def documents(folder: Path, less: int) -> Iterator[Growth]:
    """Score a reference model on twenty tasks of one corpus."""
    (folder / "eval_tasks").mkdir()
    for number in range(20):
        (folder / "eval_tasks" / f"scale_{number}.yaml").write_text(_TASK.format(number=number), encoding="utf-8")
    names = ",".join(f"scale_{number}" for number in range(20))

    def run(count: int) -> object:
        root = texts(folder, count // 20, "test")
        words = ["eval", "--model", "affectllm-majority", "--tasks", names, "--root", f"generic={root}"]
        words += ["--output_path", str(folder / f"scores{count}")]
        return use(count, words, {"AFFECTLLM_PATH": str(folder), "AFFECTLLM_CACHE": str(folder / "cache")})

    yield from _pair("ask and score documents of 20 tasks of one corpus", 2_000, 100_000 // less, run)


def deduplicate(folder: Path, less: int) -> Iterator[Growth]:
    """Build a mixture without near-duplicates."""
    page = folder / "unique.yaml"
    page.write_text(_MIXTURE, encoding="utf-8")

    def run(count: int) -> object:
        root = texts(folder, count)
        return use(count, ["build", str(page), "--root", f"generic={root}", "--out", str(folder / f"unique{count}")])

    yield from _pair("build a mixture without near-duplicates", 10_000, 1_000_000 // less, run)


def dialogue(folder: Path, less: int) -> Iterator[Growth]:
    """Build a dialogue, of which each turn has the earlier ones as its context."""

    def run(count: int) -> object:
        root = texts(folder, count, dialogue=True)
        return use(count, ["build", "generic", "--root", f"generic={root}", "--out", str(folder / f"talk{count}")])

    yield from _pair("build one dialogue, by its turns", 1_000, 10_000 // less, run)


def report(folder: Path, less: int) -> Iterator[Growth]:
    """Write the report of an evaluation, with every example in it."""

    def run(count: int) -> object:
        return use(count, ["report", str(make_evaluation(folder / f"run{count}", count))])

    yield from _pair("write the report of an evaluation with its examples", 1_000, 50_000 // less, run)


SCENES: dict[str, Scene] = {
    "score": score,
    "build": build,
    "files": files,
    "documents": documents,
    "deduplicate": deduplicate,
    "dialogue": dialogue,
    "report": report,
    "workers": several.workers,
    "cache": several.cache,
    "hosts": several.hosts,
}

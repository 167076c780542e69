"""Benchmark suites: scoring many choices, listing tasks, starting tasks of one corpus, and memory by documents."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from affectllm.data_builders.text.goemotions import EMOTIONS
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from affectllm.corpus.shared_samples import shared_samples
from affectllm.evaluate import environment
from affectllm.evaluate.models.lm import AffectLM
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.model.tiny import tiny_folder
from benchmarks.build import write_corpus
from benchmarks.row import Row, alternate, duration
from benchmarks.startup import best, script

ITEMS = {"full": 24, "quick": 8, "tiny": 1}
ROUNDS = {"full": 5, "quick": 3, "tiny": 1}
DOCUMENTS = {"full": (1_000, 100_000), "quick": (1_000, 20_000), "tiny": (20, 40)}
ROWS = {"full": 40_000, "quick": 10_000, "tiny": 40}
TASKS = ("goemotions", "goemotions_ekman", "goemotions_sentiment")
_LISTED = 0.5  # seconds that a list of all tasks may take
_WORDS = 300  # of each prompt: a dialogue before an utterance
_AT_ONCE = 32  # choices that lm-eval scores in one batch


def measure(size: str) -> list[Row]:
    """Measure five rows; the sizes ``quick`` and ``tiny`` leave lm-eval's list out."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        return [_choices(size), *_listed(size), _started(folder, size), _memory(folder, *DOCUMENTS[size])]


def _choices(size: str) -> Row:
    """Score 28 choices about each of some texts; both get the same new texts every time, since ours keeps answers."""
    folder, count = str(tiny_folder("qwen3")), ITEMS[size]

    def ask(model: Any) -> Callable[[], Any]:
        draw = random.Random(0)
        return lambda: model.loglikelihood(_requests(draw, count), disable_tqdm=True)

    ours = ask(AffectLM(folder, dtype="float32", selftest=False))
    theirs = ask(HFLM(pretrained=folder, dtype="float32", batch_size=_AT_ONCE, device="cpu"))
    times = alternate(ours, theirs, ROUNDS[size])
    what = f"score {len(EMOTIONS)} choices about {count} texts of {_WORDS} words, tiny text model"
    against = f"lm-eval's model hf on the same requests: a pass for every choice, {_AT_ONCE} in a batch"
    return Row(what, against, duration(times[0]), duration(times[1]), times[1] / times[0], 5.0)


def _requests(draw: random.Random, count: int) -> list[Instance]:
    texts = [" ".join(draw.choices(EMOTIONS, k=_WORDS)) for _ in range(count)]
    return [
        Instance("loglikelihood", {"id": str(number)}, (text, f" {label}"), place, ("made", number, 1))
        for number, text in enumerate(texts)
        for place, label in enumerate(EMOTIONS)
    ]


def _listed(size: str) -> list[Row]:
    ours = best([script("affectllm"), "ls", "tasks"], ROUNDS[size])
    count = len(AffectTaskManager().all_subtasks)
    what = f"affectllm ls tasks: {count} tasks"
    rows = [Row(what, "the limit", duration(ours), f"{_LISTED} s", _LISTED / ours, 1.0)]
    if size == "full":
        theirs = best([script("lm-eval"), "ls", "tasks"], 1)
        rows.append(Row(what, "lm-eval ls tasks", duration(ours), duration(theirs), theirs / ours))
    return rows


def _started(folder: Path, size: str) -> Row:
    """Make the documents of three tasks of one corpus, from its stored samples and from its files."""
    rows = ROWS[size]
    root = write_corpus(folder / "started", rows)
    (root / "test.tsv").write_text("A comment.\t1\tone\n", encoding="utf-8")

    def start(shared: Any) -> Callable[[], Any]:
        def load() -> None:
            with environment.settings({"goemotions": root}, None), shared():
                AffectTaskManager().load(list(TASKS))

        return load

    times = alternate(start(shared_samples), start(nullcontext), ROUNDS[size])
    what = f"start {len(TASKS)} tasks of a corpus of {rows:,} samples that an earlier evaluation has built"
    return Row(what, "its files read for each task", duration(times[0]), duration(times[1]), times[1] / times[0])


_CHILD = """
import json, sys
sys.path[:0] = json.loads(sys.argv[2])
from affectllm.evaluate.harness import lm_eval_main
from metering import own_peak
lm_eval_main(json.loads(sys.argv[1]))
print(own_peak())
"""


def _memory(folder: Path, few: int, many: int) -> Row:
    """Measure the peak memory of whole evaluations, the interpreter and its libraries included."""
    ours, limit = [_peak(folder, count) for count in (few, many)], 1_000
    what = f"peak memory of scoring {many:,} documents (of {few:,}: {ours[0]:.0f} MiB), reference model"
    return Row(what, "the limit for a million", f"{ours[1]:.0f} MiB", f"{limit} MiB", limit / ours[1], 1.0)


def _peak(folder: Path, documents: int) -> float:
    root = write_corpus(folder / f"corpus_{documents}", documents, "test")
    options = ["--model", "affectllm-chance", "--tasks", TASKS[-1], "--root", f"goemotions={root}"]
    words = json.dumps([*options, "--output_path", str(folder / f"scored_{documents}")])
    command = [sys.executable, "-c", _CHILD, words, json.dumps([str(Path(__file__).parents[1])])]
    quiet = {**os.environ, "LMEVAL_LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=quiet)
    return float(done.stdout.split()[-1])

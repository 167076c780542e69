"""Benchmark building conversations from a text corpus: against ``datasets.map``, same template; and memory by rows."""

from __future__ import annotations

import functools
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from affectllm.corpus import Sample
from affectllm.corpus.store import sample_features
from affectllm.instruct.build import build as build_mixture
from affectllm.instruct.build import converse
from affectllm.instruct.conversation import AskedBy
from affectllm.instruct.conversations import conversation_features, conversation_files
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.mixture_part import Part
from affectllm.instruct.template import Template
from benchmarks.row import Row, alternate

PART = Part("goemotions", "emotion_set", "goemotions_28", "crowd", ("text",))
ROWS = {"full": 10_000, "quick": 10_000, "tiny": 50}
MANY = {"full": 1_000_000, "quick": 100_000, "tiny": 100}
ASKED = {"full": 40_000, "quick": 10_000, "tiny": 50}
ROUNDS = {"full": 5, "quick": 3, "tiny": 1}


def measure(size: str) -> list[Row]:
    """Measure rows per second, then the memory of a process that builds few rows and of one that builds many."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = ROWS[size]
        root = write_corpus(folder / "corpus", rows)
        speed = _speed(root, folder, rows, ROUNDS[size])
        asked = _asked(folder, ASKED[size], ROUNDS[size])
        return [speed, asked, _memory(folder, rows, MANY[size])]


def _speed(root: Path, folder: Path, rows: int, rounds: int) -> Row:
    out = folder / "out"
    ours, theirs = alternate(lambda: build(root, out), lambda: mapped(root, folder), rounds)
    _same(conversation_files(out, "train"), folder / "conversations.parquet")
    _same([out / "samples" / "goemotions" / "train.parquet"], folder / "samples.parquet")
    against = "datasets: load_dataset('csv'), map with the same template and to_parquet, the same two files"
    what = f"build {rows:,} rows: samples and conversations"
    return Row(what, against, _rate(rows, ours), _rate(rows, theirs), theirs / ours, 3.0)


def _asked(folder: Path, rows: int, rounds: int) -> Row:
    """Measure conversations alone, from samples stored as Parquet."""
    root, out = write_corpus(folder / "asked", rows), folder / "asked_out"
    build(root, out)
    samples = out / "samples" / "goemotions" / "train.parquet"
    mixture = Mixture((PART,))
    ours, theirs = alternate(
        lambda: converse(mixture, ["goemotions"], out, 0), lambda: _mapped_samples(samples, folder), rounds
    )
    _same(conversation_files(out, "train"), folder / "conversations.parquet")
    against = "datasets: load_dataset('parquet'), map with the same template and to_parquet"
    what = f"ask {rows:,} samples: conversations"
    return Row(what, against, _rate(rows, ours), _rate(rows, theirs), theirs / ours, 3.0)


def _mapped_samples(samples: Path, folder: Path) -> None:
    from datasets import load_dataset

    with tempfile.TemporaryDirectory(dir=folder) as cache:
        table = load_dataset("parquet", data_files=str(samples), split="train", cache_dir=cache)
        names = table.column_names
        talks = table.map(_rendered_sample, remove_columns=names, features=conversation_features())
        talks.to_parquet(str(folder / "conversations.parquet"))


def _rendered_sample(row: dict[str, Any]) -> dict[str, Any]:
    return _conversation(Sample.from_json(row))


def _rate(rows: int, elapsed: float) -> str:
    return f"{rows / elapsed:,.0f} rows/s"


def build(root: Path, out: Path) -> None:
    """Run the product's own build."""
    build_mixture(Mixture((PART,)), {"goemotions": root}, out, seed=0)


def mapped(root: Path, folder: Path) -> None:
    """Build with ``datasets`` alone: read the table, map each row, write Parquet."""
    from datasets import Features, Value, load_dataset
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    columns = ["text", "labels", "id"]
    with tempfile.TemporaryDirectory(dir=folder) as cache:  # so that nothing is found from an earlier round
        table = load_dataset(
            "csv",
            data_files=str(root / "train.tsv"),
            split="train",
            delimiter="\t",
            quoting=3,
            column_names=columns,
            features=Features(dict.fromkeys(columns, Value("string"))),
            cache_dir=cache,
        )
        samples = table.map(_sampled, with_indices=True, remove_columns=columns, features=sample_features())
        samples.to_parquet(str(folder / "samples.parquet"))
        talks = table.map(_rendered, with_indices=True, remove_columns=columns, features=conversation_features())
        talks.to_parquet(str(folder / "conversations.parquet"))


def _sample(row: dict[str, str], index: int) -> Any:
    from affectllm.data_builders.text import goemotions

    return goemotions._sample("train", f"train.tsv:{index + 1}", [row["text"], row["labels"], row["id"]])


def _sampled(row: dict[str, str], index: int) -> dict[str, Any]:
    record: dict[str, Any] = _sample(row, index).to_json()
    return record


@functools.cache
def _template() -> Template:
    return PART.bind()


@functools.cache
def _asked_by() -> dict[str, Any]:
    return AskedBy.of(_template()).to_json()


def _rendered(row: dict[str, str], index: int) -> dict[str, Any]:
    return _conversation(_sample(row, index))


def _conversation(sample: Sample) -> dict[str, Any]:
    template = _template()
    number = template.paraphrase(sample)
    answer = template.answer(sample)
    reply = {"role": "assistant", "content": [{"type": "text", "text": answer}]}
    return {
        "id": f"goemotions/{sample.id}/{PART.key}/0",
        "sample": sample.id,
        "corpus": "goemotions",
        "split": "train",
        "template": "emotion_set",
        "language": "en",
        "paraphrase": number,
        "messages": [*template.ask(sample, number), reply],
        "answer": answer,
        "asked_by": _asked_by(),
        "value": template.gold(sample),
        "space": template.space.name,
        "rater": template.rater,
        "speaker": None,
        "dialogue": None,
        "stage": 0,
    }


def _same(ours: Sequence[Path], theirs: Path) -> None:
    from datasets import load_dataset

    with tempfile.TemporaryDirectory() as cache:
        one, two = (
            load_dataset("parquet", data_files=[str(path) for path in paths], split="train", cache_dir=cache)
            for paths in (ours, [theirs])
        )
        assert len(one) == len(two)
        assert all(one[index] == two[index] for index in range(0, len(one), max(1, len(one) // 100)))


def write_corpus(folder: Path, rows: int, split: str = "train") -> Path:
    """Write a corpus in GoEmotions' layout: comments of 4 to 26 words, one to three labels, all in one split."""
    from affectllm.data_builders.text import goemotions

    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(0)
    words = ("the", "of", "you", "not", "this", "is", "really", "never", "been", "sad", "happy", "it’s", "[NAME]")
    (folder / "emotions.txt").write_text("\n".join(goemotions.EMOTIONS) + "\n", encoding="utf-8")
    for name in ("train", "dev", "test"):
        (folder / f"{name}.tsv").touch()
    with (folder / f"{split}.tsv").open("w", encoding="utf-8") as stream:
        for number in range(rows):
            text = " ".join(dice.choices(words, k=dice.randint(4, 26)))
            labels = ",".join(map(str, sorted(dice.sample(range(28), dice.choice((1, 1, 1, 1, 2, 3))))))
            stream.write(f"{text}\t{labels}\te{number:07x}\n")
    return folder


def _memory(folder: Path, few: int, many: int) -> Row:
    peaks = [_peak(write_corpus(folder / f"corpus_{rows}", rows), folder / f"out_{rows}") for rows in (few, many)]
    what = f"memory that a build adds at its peak, {few:,} and {many:,} rows"
    ours, other = (f"{peak:.0f} MiB" for peak in reversed(peaks))
    return Row(what, f"the build of {few:,} rows", ours, other, peaks[0] / peaks[1], None)


_CHILD = """
import json, sys
from pathlib import Path
import pyarrow.parquet, datasets
sys.path[:0] = json.loads(sys.argv[3])
from benchmarks.build import build
from metering import own_peak
before = own_peak()
build(Path(sys.argv[1]), Path(sys.argv[2]))
print(own_peak() - before)
"""


def _peak(root: Path, out: Path) -> float:
    """Return the MiB by which the peak resident memory of a fresh process grows while it builds."""
    words = [sys.executable, "-c", _CHILD, str(root), str(out), json.dumps([str(Path(__file__).parents[1])])]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return max(0.1, float(done.stdout.splitlines()[-1]))

"""Benchmark building real corpora, against ``datasets`` on the same builder, and against pyarrow on the finished files.

The five corpora with the most samples of those that ``$AFFECTLLM_CORPORA`` holds; a made one where it holds none.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from affectllm import registry
from affectllm.corpus import SPLITS, Sample, shards
from affectllm.corpus.builder import load_builder
from affectllm.corpus.store import sample_features
from benchmarks.build import write_corpus
from benchmarks.row import Row, alternate

ROUNDS = {"full": 3, "quick": 1, "tiny": 1}
HOW_MANY = {"full": 5, "quick": 3, "tiny": 1}


def measure(size: str) -> list[Row]:
    """Measure two rows per corpus; the files of both sides must hold the same samples."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows: list[Row] = []
        for name, root, count in _largest(folder, size):
            rows += _rows(name, root, count, folder / name, ROUNDS[size])
        return rows


def _largest(folder: Path, size: str) -> list[tuple[str, Path, int]]:
    base = Path(os.environ.get("AFFECTLLM_CORPORA", folder / "none"))
    names = [name for name in registry.names("data_builders") if (base / name).is_dir()]
    if size == "tiny" or not names:
        return [("goemotions", write_corpus(folder / "made", 200 if size == "tiny" else 20_000), 200)]
    counted = [(name, base / name, sum(1 for _ in _samples(name, base / name))) for name in names]
    return sorted(counted, key=lambda entry: -entry[2])[: HOW_MANY[size]]


def _samples(name: str, root: Path) -> Iterator[Sample]:
    return (item for item in load_builder(name).samples(root) if isinstance(item, Sample))


def _rows(name: str, root: Path, count: int, folder: Path, rounds: int) -> list[Row]:
    ours, theirs, again = folder / "ours", folder / "theirs", folder / "again"
    fast, slow = alternate(lambda: _build(name, root, ours), lambda: _generated(name, root, theirs), rounds)
    _same(ours / "samples" / name, theirs)
    _, copied = alternate(lambda: None, lambda: _copied(ours / "samples" / name, again), rounds)
    what = f"build {name}, {count:,} samples"
    against = "datasets: from_generator on the same builder, to_parquet"
    rate = [f"{count / elapsed:,.0f} rows/s" for elapsed in (fast, slow, copied)]
    copy = "pyarrow reading and writing the finished files"
    return [Row(what, against, rate[0], rate[1], slow / fast, 3.0), Row(what, copy, rate[0], rate[2], copied / fast)]


def _build(name: str, root: Path, out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    shards.build(name, root, out)


def _generated(name: str, root: Path, out: Path) -> None:
    """Build with ``datasets`` alone."""
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=out) as cache:  # so that nothing is found from an earlier round
        options: dict[str, Any] = {"gen_kwargs": {"name": name, "root": str(root)}, "features": sample_features()}
        whole = Dataset.from_generator(_records, cache_dir=cache, **options)
        for split in SPLITS:
            numbers = [row for row, row_split in enumerate(whole["split"]) if row_split == split]
            whole.select(numbers).to_parquet(str(out / f"{split}.parquet"))


def _records(name: str, root: str) -> Iterator[dict[str, Any]]:
    return (sample.to_json() for sample in _samples(name, Path(root)))


def _copied(source: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for path in source.glob("*.parquet"):
        parquet.write_table(parquet.read_table(path), out / path.name, compression="zstd")


def _same(ours: Path, theirs: Path) -> None:
    for split in SPLITS:
        one, two = (parquet.read_table(folder / f"{split}.parquet", columns=["id"]) for folder in (ours, theirs))
        assert one.equals(two), split

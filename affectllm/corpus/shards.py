"""Building a corpus shard by shard: each is a pure function of builder, root and number, so that anybody may write it.

A shard is a fixed number of consecutive items of ``samples(root)``. Worker ``rank`` of ``world`` reads the whole
stream, since a row may depend on earlier ones, and writes every ``world``-th shard. A finished shard is a folder under
its final name and is skipped on a restart; when all are there they are put together in their order. So the bytes are
the same from any number of workers, on one machine or many, and after a kill.
"""

from __future__ import annotations

import gc
import json
import shutil
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

from affectllm.corpus.builder import load_builder
from affectllm.corpus.sample import SPLITS, Rejection, Sample
from affectllm.corpus.store import PARQUET, Writer, opened, sample_schema
from affectllm.errors import AffectError, Malformed, explained
from affectllm.folders import discard, whole
from affectllm.processes import end_with_owner
from affectllm.run import write_json
from affectllm.voice import bar

ROWS_PER_SHARD = 20_000
OBJECTS_PER_COLLECTION = 20_000
"""Allocations between two looks for reference cycles during a build; Python's own 700 are a dozen rows."""
REJECTED, COUNTS, SHARDS = "rejected.jsonl", "counts.json", "shards"
Item = Sample | Rejection


@contextmanager
def pool(workers: int) -> Iterator[Executor | None]:
    """Start a pool of worker processes; yields None for one worker, which is this process.

    Raises:
        Malformed: when ``workers`` is not positive.
    """
    if workers < 1:
        raise Malformed(f"{workers} workers build nothing", do="give --workers 1 or more")
    if workers == 1:
        yield None
        return
    # Spawned, since forking a process that has threads (Arrow's, for one) may hang it.
    processes = ProcessPoolExecutor(workers, get_context("spawn"), initializer=end_with_owner)
    try:
        yield processes
    except BaseException:
        # Nobody waits for what was begun: finished shards are there, and the others are written anew.
        for child in active_children():
            child.terminate()
        raise
    finally:
        processes.shutdown(cancel_futures=True)


def build(name: str, root: Path, out: Path, processes: Executor | None = None, workers: int = 1) -> dict[str, Any]:
    """Write ``samples/<name>/<split>.parquet`` and ``rejected.jsonl`` below ``out``, and return the counts.

    Args:
        processes: where ``workers`` ranks run; None for this process.
    """
    if processes is None:
        return merge(name, out, build_rank(name, root, out, progress=True))
    ranks = [processes.submit(build_rank, name, root, out, rank, workers, not rank) for rank in range(workers)]
    return merge(name, out, max(rank.result() for rank in ranks))


def build_rank(name: str, root: Path, out: Path, rank: int = 0, world: int = 1, progress: bool = False) -> int:
    """Write the shards whose number is ``rank`` modulo ``world``, except finished ones; return the number of all."""
    items: Iterator[Item] = iter(load_builder(name).samples(root))
    counted = _progress(items, name) if progress else items
    with seldom_collected():
        for number in range(10**9):
            block = islice(counted, ROWS_PER_SHARD)
            if (first := next(block, None)) is None and number:
                return number
            place = out / SHARDS / f"{number:05d}"
            if number % world == rank and not place.is_dir():
                # A corpus of which nothing is there still has a shard of empty files.
                _write_shard(name, iter(()) if first is None else chain([first], block), place)
            else:
                deque(block, maxlen=0)
    raise AffectError(f"{name} never ends")


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Run the garbage collector seldom: rows have no cycles, and looking for them took a tenth of a build."""
    before = gc.get_threshold()
    if gc.isenabled() and before[0]:  # zero is never
        gc.set_threshold(max(before[0], OBJECTS_PER_COLLECTION), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _progress(items: Iterator[Item], name: str) -> Iterator[Item]:
    return iter(bar(items, desc=f"building {name}", unit=" rows"))


def _write_shard(name: str, items: Iterator[Item], place: Path) -> None:
    with whole(place) as scratch:
        fill(name, items, scratch)


def fill(name: str, items: Iterator[Item], folder: Path) -> None:
    """Write the items of a corpus into a folder: a file for each split, the rejections, and the counts."""
    rejected: Counter[str] = Counter()
    with ExitStack() as stack:
        log = stack.enter_context((folder / REJECTED).open("w", encoding="utf-8"))
        writers = {s: stack.enter_context(Writer(folder / f"{s}.parquet", sample_schema())) for s in SPLITS}
        for item in items:
            if isinstance(item, Rejection):
                rejected[item.reason] += 1
                log.write(json.dumps({"corpus": name, **item.to_json()}, ensure_ascii=False) + "\n")
            else:
                writers[item.split].write(item.to_json())
    counts = {split: writer.rows for split, writer in writers.items()}
    write_json(folder / COUNTS, {"samples": counts, "rejected": dict(rejected)})


def merge(name: str, out: Path, total: int) -> dict[str, Any]:
    """Put ``total`` finished shards together in their order, remove them, and return the counts.

    Raises:
        AffectError: when a shard is missing; names it.
    """
    places = [out / SHARDS / f"{number:05d}" for number in range(total)]
    if absent := [place.name for place in places if not place.is_dir()]:
        message = f"{len(absent)} of {total} shards are missing, such as {absent[0]}"
        raise AffectError(message, where=str(out), do="run every rank to its end before merging")
    samples: Counter[str] = Counter(dict.fromkeys(SPLITS, 0))
    rejected: Counter[str] = Counter()
    for place in places:
        counts = json.loads((place / COUNTS).read_text(encoding="utf-8"))
        samples.update(counts["samples"])
        rejected.update(counts["rejected"])
    for split in SPLITS:
        _join([place / f"{split}.parquet" for place in places], out / "samples" / name / f"{split}.parquet")
    scratch = out / f".{REJECTED}.part"
    with scratch.open("wb") as log:
        for place in places:
            with (place / REJECTED).open("rb") as part:
                shutil.copyfileobj(part, log)
    scratch.replace(out / REJECTED)
    discard(out / SHARDS)
    return {"samples": dict(samples), "rejected": dict(rejected.most_common())}


def _join(parts: list[Path], joined: Path) -> None:
    """Join several Parquet files into one, a row group at a time."""
    import pyarrow.parquet as parquet

    schema = sample_schema()
    joined.parent.mkdir(parents=True, exist_ok=True)
    scratch = joined.with_name(f".{joined.name}.part")
    try:
        with explained(joined), parquet.ParquetWriter(scratch, schema, **PARQUET) as writer:
            for part in parts:
                with opened(part) as file:
                    for number in range(file.num_row_groups):
                        writer.write_table(file.read_row_group(number).cast(schema))
        scratch.replace(joined)
    finally:
        scratch.unlink(missing_ok=True)

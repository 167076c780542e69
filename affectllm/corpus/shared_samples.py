"""The samples of a corpus for several tasks: built once for one state of its files, then read from disk.

Any number of processes may ask for the same corpus at once; each builds where nothing is there yet, and the first one's
files stay. Samples come in the order in which the builder yields them, from one split or from all.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from types import ModuleType

import affectllm.corpus
import affectllm.labels
from affectllm.corpus.builder import load_builder
from affectllm.corpus.identity import identity
from affectllm.corpus.sample import SPLITS, Rejection, Sample
from affectllm.corpus.shards import REJECTED, fill, seldom_collected
from affectllm.corpus.store import read_rows
from affectllm.errors import explained
from affectllm.folders import made_once
from affectllm.run import cache_folder, digest, file_digest

_ORDER = "order.bin"  # a byte for each item of the builder's stream: the number of its split
_REJECTION = len(SPLITS)
_UNUSED = 30 * 24 * 3600.0  # seconds after which a state of a corpus that nobody asked for is removed
_PLACES: ContextVar[dict[tuple[str, Path], Path] | None] = ContextVar("places", default=None)
Item = Sample | Rejection


@contextmanager
def shared_samples() -> Iterator[None]:
    """Share the samples of corpora in the block, whose files are looked at once."""
    token = _PLACES.set({})
    try:
        yield
    finally:
        _PLACES.reset(token)


def samples_of(name: str, root: Path, split: str | None = None) -> Iterator[Item]:
    """Yield the samples of a corpus, and everything that is rejected.

    Args:
        split: the only one of which samples are wanted; None for all. Outside ``shared_samples`` all of them come.

    Raises:
        AffectError: as the builder.
        WriteFailed: when ``$AFFECTLLM_CACHE`` cannot be written.
    """
    places = _PLACES.get()
    if places is None:
        yield from load_builder(name).samples(root)
        return
    key = (name, root.resolve())
    if key not in places or not places[key].is_dir():
        places[key] = _stored(name, root)
    yield from _read(places[key], split)


def _stored(name: str, root: Path) -> Path:
    """Return the folder with the samples of a corpus, built where it is not there."""
    place = cache_folder() / "samples" / name / digest({**identity(name, root), "read_by": _machine()})
    if place.is_dir():
        with explained(place):
            place.touch()  # it is in use
        return place
    if place.parent.is_dir():
        _remove_unused(place.parent)
    return made_once(place, lambda scratch: _build(name, root, scratch))


@cache
def _machine() -> str:
    """Return the digest of our own code that samples pass through: another version may read the same files otherwise.

    A run folder is asked for by its owner, but nobody would look for samples of last month's version here.
    """
    files = sorted(path for package in (affectllm.corpus, affectllm.labels) for path in _code(package))
    return digest([file_digest(path) for path in files])


def _code(package: ModuleType) -> Iterator[Path]:
    return Path(str(package.__file__)).parent.rglob("*.py")


def _build(name: str, root: Path, folder: Path) -> None:
    order = bytearray()

    def noted() -> Iterator[Item]:
        for item in load_builder(name).samples(root):
            order.append(_REJECTION if isinstance(item, Rejection) else SPLITS.index(item.split))
            yield item

    with seldom_collected():
        fill(name, noted(), folder)
    (folder / _ORDER).write_bytes(order)


def _read(place: Path, split: str | None) -> Iterator[Item]:
    streams: list[Iterator[Item]] = [
        _samples(place / f"{one}.parquet") if split in (None, one) else iter(()) for one in SPLITS
    ]
    streams.append(_rejections(place / REJECTED))
    wanted = {number for number, one in enumerate(SPLITS) if split in (None, one)} | {_REJECTION}
    for number in (place / _ORDER).read_bytes():
        if number in wanted:
            yield next(streams[number])


def _samples(path: Path) -> Iterator[Sample]:
    return map(Sample.from_json, read_rows(path))


def _rejections(path: Path) -> Iterator[Rejection]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            yield Rejection(record["item"], record["reason"], record["where"], record["detail"])


def _remove_unused(folder: Path) -> None:
    """Remove what was built of earlier states of the files, and what killed processes have left."""
    for place in folder.iterdir():
        with suppress(FileNotFoundError):  # another process has finished or removed it meanwhile
            if time.time() - place.stat().st_mtime > _UNUSED:
                shutil.rmtree(place, ignore_errors=True)

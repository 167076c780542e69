"""Tables of hints: Parquet files with a row for every sample that a kind of hint was made of.

A table is found by its name in the folders of ``$AFFECTLLM_HINTS`` (separated as in ``$PATH``), else in ``runs/hints``,
where ``affectllm hint`` writes; or by its path.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from affectllm.corpus.store import JSON, TEXT, WHOLE, Writer, read_rows, schema_of
from affectllm.errors import NotFound
from affectllm.run import RUNS, file_digest

ENVIRONMENT = "AFFECTLLM_HINTS"
FOLDER = RUNS / "hints"
FILE = "hints.parquet"
SEEN = "seen_in_training"
_COLUMNS = {
    **dict.fromkeys(("corpus", "sample", "split", "kind", "words", "reason", "source", "version", "language"), TEXT),
    **{"seen": WHOLE, "values": JSON},
}


@dataclass(frozen=True, slots=True)
class Hint:
    """What a small model found in one sample.

    Args:
        corpus, sample, split: of which sample.
        kind: ``action_units``, ``prosody``, ``emotions``, ``transcript``, …
        words: one line for the prompt; None where there is no hint.
        source: the model or tool that found it.
        version: of the source and of all that decides its words.
        reason: a short code that says why there are no words; empty where there are.
        language: BCP-47 tag of the words.
        seen: whether the source learned from this very sample, so that it is surer of it than of new ones.
        values: the numbers that the words stand for.
    """

    corpus: str
    sample: str
    split: str
    kind: str
    words: str | None
    source: str
    version: str
    reason: str = ""
    language: str = "en"
    seen: bool = False
    values: Any = None

    def to_row(self) -> dict[str, Any]:
        """Return the row of a table."""
        return {**{name: getattr(self, name) for name in _COLUMNS}, "seen": int(self.seen)}


@dataclass(frozen=True)
class HintTable:
    """The hints of one file.

    Args:
        name: as pages call it.
        digest: of the file's bytes.
        hints: (corpus, sample id) → its hint.
    """

    name: str
    digest: str
    hints: Mapping[tuple[str, str], Hint]

    def of(self, corpus: str, sample: str) -> Hint | None:
        """Return the hint of a sample; None where the table has no row of it."""
        return self.hints.get((corpus, sample))

    def of_another(self, corpus: str, sample: str) -> Hint | None:
        """Return the hint of another sample of the same split, in other words; the same one every time.

        None where the sample itself has none, so that as many items have hints, or where all have the same words.
        """
        own = self.of(corpus, sample)
        if own is None or own.words is None or own.seen:
            return None
        order, places = self._rounds[corpus, own.split]
        start = places[sample]
        for step in range(1, len(order)):
            other = order[(start + step) % len(order)]
            if other.words != own.words:
                return other
        return None

    @cached_property
    def _rounds(self) -> dict[tuple[str, str], tuple[list[Hint], dict[str, int]]]:
        """(corpus, split) → its usable hints in an order drawn by a hash of the ids, and the place of each."""
        groups: dict[tuple[str, str], list[Hint]] = {}
        for hint in self.hints.values():
            if hint.words is not None and not hint.seen:
                groups.setdefault((hint.corpus, hint.split), []).append(hint)
        rounds = {}
        for key, hints in groups.items():
            hints.sort(key=lambda hint: hashlib.blake2b(hint.sample.encode(), digest_size=8).digest())
            rounds[key] = hints, {hint.sample: place for place, hint in enumerate(hints)}
        return rounds

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages of the words."""
        return frozenset(hint.language for hint in self.hints.values() if hint.words is not None)

    def identity(self) -> dict[str, Any]:
        """Return what decides the words: digest of the file, kinds, sources and versions."""
        told = sorted({(hint.kind, hint.source, hint.version) for hint in self.hints.values()})
        return {
            "digest": self.digest,
            "made_by": [dict(zip(("kind", "source", "version"), one, strict=True)) for one in told],
        }


def write_table(path: Path, hints: Iterable[Hint]) -> int:
    """Write a table and return the number of its rows; the file appears when it is whole."""
    with Writer(path, schema_of(_COLUMNS)) as writer:
        for hint in hints:
            writer.write(hint.to_row())
    return writer.rows


def read_hints(path: Path) -> Iterator[Hint]:
    """Yield the hints of a file."""
    for row in read_rows(path):
        yield Hint(**{**row, "seen": bool(row["seen"]), "reason": row["reason"] or ""})


def find_table(name: str) -> Path:
    """Return the file of a table.

    Raises:
        NotFound: when there is none.
    """
    places = (
        [Path(name)] if name.endswith(".parquet") else [place for folder in _folders() for place in _in(folder, name)]
    )
    for place in places:
        if place.is_file():
            return place
    looked = ", ".join(map(str, places))
    do = f"make it with `affectllm hint {name}`, or name its folder in ${ENVIRONMENT}; looked for {looked}"
    raise NotFound(f"there is no table of hints called {name!r}", do=do)


def _in(folder: Path, name: str) -> Sequence[Path]:
    return folder / name / FILE, folder / f"{name}.parquet"


def _folders() -> list[Path]:
    return [*map(Path, filter(None, os.environ.get(ENVIRONMENT, "").split(os.pathsep))), FOLDER]


def open_table(name: str) -> HintTable:
    """Return a table, read once for one state of its file.

    Raises:
        NotFound: when there is none.
        Malformed: when the file is no table of hints.
    """
    path = find_table(name)
    state = path.stat()
    return _opened(name, path.resolve(), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _opened(name: str, path: Path, modified: int, size: int) -> HintTable:
    return HintTable(name, file_digest(path), {(hint.corpus, hint.sample): hint for hint in read_hints(path)})

"""Input of an export: the conversation files, and a survey of all rows before the first is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.corpus.store import read_rows
from affectllm.errors import NotFound
from affectllm.instruct.conversation import media_parts
from affectllm.instruct.conversations import FOLDER, files_by_split
from affectllm.instruct.exports.exported import Kind
from affectllm.voice import bar

_BUDGET = frozenset({"fps", "max_frames", "max_pixels", "min_pixels", "max_seconds", "long"})


@dataclass(frozen=True)
class Survey:
    """What occurs in a set of conversations.

    Args:
        kinds: of files, as the trainer will see them.
        corpora: that files come from.
        rows: split → how many.
        budgets: fields of a media budget that content parts carry themselves.
        pairs: whether there are worse answers beside the given ones.
    """

    kinds: frozenset[Kind]
    corpora: tuple[str, ...]
    rows: Mapping[str, int]
    budgets: tuple[str, ...]
    pairs: bool = False


def conversation_files(folder: Path) -> dict[str, list[Path]]:
    """Return split → its Parquet files in order, from a build folder or a run folder.

    Raises:
        NotFound: when there are none.
        Malformed: when one of them is missing or was changed after it was built.
    """
    places = [folder / FOLDER, folder / "build" / FOLDER]
    home = next((place for place in places if any(place.glob("*.parquet"))), None)
    if home is None:
        raise NotFound(
            f"{folder} has no conversations/*.parquet",
            do="give the folder of `affectllm run` or `affectllm build RECIPE`, for example runs/NAME",
        )
    files = files_by_split(home.parent)
    # The order in which people speak of them, then whatever else there is.
    return {split: files[split] for split in sorted(files, key=lambda name: (_ORDER.get(name, 9), name))}


_ORDER = {"train": 0, "validation": 1, "test": 2}


def rows_of(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a split, one row group in memory at a time."""
    for path in paths:
        yield from read_rows(path)


def survey(files: Mapping[str, Sequence[Path]], *, apart: bool) -> Survey:
    """Read every row once, return what occurs. ``apart`` as in a format: the sound of a video counts as ``audio``."""
    kinds: set[Kind] = set()
    corpora: dict[str, None] = {}
    rows: dict[str, int] = {}
    budgets: set[str] = set()
    pairs = False
    for split, paths in files.items():
        rows[split] = 0
        for row in bar(rows_of(paths), desc=f"looking at {split}", unit=" rows"):
            rows[split] += 1
            pairs = pairs or row.get("rejected") is not None
            for part in media_parts(row["messages"]):
                kinds.add(part["type"])
                if apart and part.get("sound"):
                    kinds.add("audio")
                corpora[part["corpus"]] = None
                budgets |= _BUDGET & part.keys()
    return Survey(frozenset(kinds), tuple(corpora), rows, tuple(sorted(budgets)), pairs)

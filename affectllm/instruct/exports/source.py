"""The conversations that are exported: their files, and one look at all rows before the first is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.corpus.store import read_rows
from affectllm.errors import Malformed, NotFound
from affectllm.instruct.exports.talk import Kind

_FILE = re.compile(r"(?P<split>[^.]+?)(?:-(?P<number>\d{5})-of-(?P<count>\d{5}))?\.parquet")
_BUDGET = frozenset({"fps", "max_frames", "max_pixels", "min_pixels", "max_seconds", "long"})


@dataclass(frozen=True)
class Survey:
    """What occurs in a set of conversations.

    Args:
        kinds: of files, as the trainer will see them.
        corpora: that files come from.
        rows: split → how many.
        budgets: fields of a media budget that content parts carry themselves.
    """

    kinds: frozenset[Kind]
    corpora: tuple[str, ...]
    rows: Mapping[str, int]
    budgets: tuple[str, ...]


def conversation_files(folder: Path) -> dict[str, list[Path]]:
    """Split → its Parquet files in order, from a build folder or a run folder.

    Raises:
        NotFound: when there are none.
        Malformed: when a numbered file of a split is missing.
    """
    places = [folder / "conversations", folder / "build" / "conversations"]
    home = next((place for place in places if any(place.glob("*.parquet"))), None)
    if home is None:
        raise NotFound(
            f"{folder} has no conversations/*.parquet",
            do="give the folder of `affectllm run` or `affectllm build RECIPE`, for example runs/NAME",
        )
    found: dict[str, list[Path]] = {}
    for path in sorted(home.glob("*.parquet")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise Malformed("the name is neither SPLIT.parquet nor SPLIT-00000-of-00001.parquet", where=str(path))
        found.setdefault(match["split"], []).append(path)
    for split, paths in found.items():
        _check_whole(split, paths)
    # The order in which people speak of them, then whatever else there is.
    return {split: found[split] for split in sorted(found, key=lambda name: (_ORDER.get(name, 9), name))}


_ORDER = {"train": 0, "validation": 1, "test": 2}


def _check_whole(split: str, paths: Sequence[Path]) -> None:
    matches = [match for path in paths if (match := _FILE.fullmatch(path.name))]
    counts = {match["count"] for match in matches}
    numbers = [int(match["number"] or 0) for match in matches]
    if len(counts) > 1 or numbers != list(range(int(matches[0]["count"] or 1))):
        told = ", ".join(path.name for path in paths[:5])
        raise Malformed(
            f"the files of {split} are not one whole set ({told})", where=str(paths[0].parent), do="build again"
        )


def rows_of(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The rows of a split, one row group in memory at a time."""
    for path in paths:
        yield from read_rows(path)


def survey(files: Mapping[str, Sequence[Path]], *, apart: bool) -> Survey:
    """Read every row once. ``apart`` as in a format: the sound of a video counts as ``audio``."""
    from tqdm import tqdm

    kinds: set[Kind] = set()
    corpora: dict[str, None] = {}
    rows: dict[str, int] = {}
    budgets: set[str] = set()
    for split, paths in files.items():
        rows[split] = 0
        for row in tqdm(rows_of(paths), desc=f"looking at {split}", unit=" rows", mininterval=0.5):
            rows[split] += 1
            for part in media_parts(row):
                kinds.add(part["type"])
                if apart and part.get("sound"):
                    kinds.add("audio")
                corpora[part["corpus"]] = None
                budgets |= _BUDGET & part.keys()
    return Survey(frozenset(kinds), tuple(corpora), rows, tuple(sorted(budgets)))


def media_parts(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The content parts of a row that show a file."""
    for message in row["messages"]:
        if not isinstance(message["content"], str):
            yield from (part for part in message["content"] if part["type"] != "text")

"""Check every training row before the first step: unusable rows are counted, the others get their token length.

It fills the cache of prepared media, so the first epoch reads from it, and gives each conversation its length, so
that batches are of like length.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError
from affectllm.instruct.conversations import conversation_features, conversation_files
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoder
from affectllm.model.length import BoundedEncoder
from affectllm.model.packed import bins
from affectllm.model.prepared.tokens import TokensWriter, as_numbers
from affectllm.train.method import Looked as LookedAt
from affectllm.train.method import own_conversation
from affectllm.voice import bar, tell

if TYPE_CHECKING:
    import numpy as np
    from datasets import Dataset

LENGTH, PACKED, NUMBER = "length", "packed", "number"


@dataclass(frozen=True)
class Looked:
    """The result of checking one split.

    Args:
        kept: row numbers whose clips and texts can be used, with their token counts.
        rejected: reason → how many rows.
        trimmed: how many rows have a clip that was cut to what the budget or the family takes.
    """

    kept: dict[int, int]
    rejected: dict[str, int]
    trimmed: int = 0

    def summary(self) -> str:
        """Describe the dropped rows and trimmed clips; "" where there are none."""
        dropped = ", ".join(f"{count:,} × {reason}" for reason, count in sorted(self.rejected.items()))
        parts = [f"{sum(self.rejected.values()):,} rows dropped ({dropped})"] if self.rejected else []
        return "; ".join(
            [*parts, *([f"{self.trimmed:,} rows with a clip cut to its beginning"] if self.trimmed else [])]
        )


def load_rows(folder: Path, split: str) -> Dataset:
    """Load the conversations of a build run as a memory-mapped data set."""
    from datasets import Dataset, load_dataset
    from pyarrow import parquet

    files = conversation_files(folder, split)
    if not any(parquet.read_metadata(file).num_rows for file in files):  # load_dataset refuses a file without rows
        features = conversation_features()
        return Dataset.from_dict({name: [] for name in features}, features=features)
    # It takes names for patterns, in which the brackets of a folder's name mean something.
    named = [glob.escape(str(file)) for file in files]
    return load_dataset("parquet", data_files=named, split="train", cache_dir=str(folder / ".arrow"))


def look(
    rows: Dataset,
    encoder: Encoder | BoundedEncoder,
    note: Path,
    workers: int,
    conversations: LookedAt = own_conversation,
    tokens: Path | None = None,
) -> Looked:
    """Encode every row once, in ``workers`` processes, and store the result in ``note`` for the next attempt.

    A row with several ``conversations`` is as long as its longest one, and is kept when all of them can be used.
    Where ``tokens`` is given (from ``tokens_file``), the conversations of all rows are written there.
    """
    if note.is_file():
        record = json.loads(note.read_text(encoding="utf-8"))
        lengths = {int(row): length for row, length in record["kept"].items()}
        return Looked(lengths, record["rejected"], record.get("trimmed", 0))
    split = note.stem.removeprefix("looked_")
    looked, kept = Looked({}, {}), None if tokens is None else TokensWriter(tokens)
    with note.with_suffix(".rejected.jsonl").open("w", encoding="utf-8", errors="backslashreplace") as log:
        for number, (items, error) in enumerate(_looks(rows, encoder, workers, split, conversations, kept is not None)):
            if kept is not None:
                kept.add([item.numbers for item in items])
            if error is None:
                length, trimmed = max(item.length for item in items), max(item.trimmed for item in items)
                looked.kept[number] = length
                looked = replace(looked, trimmed=looked.trimmed + bool(trimmed))
                continue
            looked.rejected[error.reason] = looked.rejected.get(error.reason, 0) + 1
            line = {"item": rows[number]["id"], "reason": error.reason, "where": error.path, "detail": error.detail}
            log.write(json.dumps(line, ensure_ascii=False) + "\n")
    if summary := looked.summary():
        tell(f"{split}: {summary}; {log.name} says which")
    if kept is not None:
        kept.finish()
    scratch = note.with_name(f".{note.name}.part")
    scratch.write_text(json.dumps(asdict(looked)), encoding="utf-8")
    scratch.replace(note)
    return looked


@dataclass(frozen=True)
class _Look:
    """One conversation: its tokens, clips that were trimmed, and itself as numbers."""

    length: int
    trimmed: int
    numbers: np.ndarray | None


def _looks(
    rows: Dataset, encoder: Encoder | BoundedEncoder, workers: int, split: str, conversations: LookedAt, keep: bool
) -> Iterator[tuple[list[_Look], MediaError | None]]:
    """Yield the conversations of each row, or none and the reason why it cannot be used."""
    from torch.utils.data import DataLoader

    def first_look(batch: list[dict[str, Any]]) -> tuple[list[_Look], MediaError | None]:
        looks = []
        for messages in conversations(batch[0]):
            if messages is None:
                return [], MediaError("no_view", "", "the row lacks a clip or words that trainer.pairs names")
            encoded = encoder.encode(messages)
            if isinstance(encoded, MediaError):
                return [], encoded
            looks.append(_Look(encoded.length, encoded.trimmed, as_numbers(encoded) if keep else None))
        return looks, None

    loader = DataLoader(rows, batch_size=1, collate_fn=first_look, num_workers=workers, prefetch_factor=_ahead(workers))
    return iter(bar(loader, desc=f"preparing {split}", unit=" rows"))


def _ahead(workers: int) -> int | None:
    return 8 if workers else None


def measured(rows: Dataset, looked: Looked) -> Dataset:
    """Select the usable rows and add their ``length``, for batches of like length, and their ``number`` before.

    Raises:
        AffectError: when no row is usable.
    """
    if not looked.kept:
        reasons = ", ".join(f"{count} × {reason}" for reason, count in looked.rejected.items())
        raise AffectError(f"no training row can be used ({reasons or 'no rows'})", do="affectllm audit says more")
    kept = rows.select(list(looked.kept)).add_column(LENGTH, list(looked.kept.values()))
    return kept.add_column(NUMBER, list(looked.kept))


def packs(rows: Dataset, most: int) -> Dataset:
    """Return which rows share one of at most ``most`` tokens: their numbers under ``packed``, and its ``length``."""
    from datasets import Dataset

    lengths = rows[LENGTH]
    shared = bins(lengths, most)
    tokens = [sum(lengths[number] for number in row) for row in shared]
    filled = sum(tokens) / (most * len(shared))
    tell(f"packed: {len(rows):,} conversations into {len(shared):,} rows, filled to {filled:.0%}")
    return Dataset.from_dict({PACKED: shared, LENGTH: tokens})

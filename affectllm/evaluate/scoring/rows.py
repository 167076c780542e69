"""Read of a samples file what is scored: a twentieth of what is written, so that a million items fit into memory."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.evaluate.logged import read_samples
from affectllm.evaluate.scoring.task_scoring import Item
from affectllm.evaluate.shared import once_each, shared


@dataclass(frozen=True, slots=True)
class Row:
    """What is scored of one row.

    Args:
        id: of the sample.
        item: gold value and reading.
        unreadable: why there is no reading; None where there is one.
        speaker, dialogue: what intervals may resample; None where unknown.
        wording: number of the paraphrase; None where each item is asked once.
        rater: who gave the answer, empty where unknown; None for the answer of a model.
    """

    id: str
    item: Item
    unreadable: str | None
    speaker: str | None
    dialogue: str | None
    wording: int | None
    rater: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any], plain_item: Callable[[tuple[Any, Any]], Item]) -> Row:
        """Take it from a row of lm-eval's samples file.

        Args:
            plain_item: makes the item of a pair without facts, which many rows have in common.
        """
        doc = row["doc"]
        pair = shared((doc["gold"], row["reading"]))
        return cls(
            doc["id"],
            Item(pair[0], pair[1], doc["facts"]) if doc.get("facts") else plain_item(pair),
            shared(row["unreadable"]),
            shared(doc["speaker"]),
            shared(doc["dialogue"]),
            doc.get("wording"),
            shared(doc["rater"]) if "human" in doc else None,
        )


def read_rows(path: Path) -> list[Row]:
    """Return the rows in the order of the documents: several processes leave their shares one after another.

    Raises:
        NotFound, WriteFailed: as ``read_samples``.
    """
    numbers, rows, plain_item = array("q"), list[Row](), once_each(lambda pair: Item(*pair))
    for row in read_samples(path):
        numbers.append(row["doc_id"])
        rows.append(Row.of(row, plain_item))
    return [rows[place] for place in sorted(range(len(rows)), key=numbers.__getitem__)]


def clusters_of(facts: Mapping[str, Any], rows: Sequence[Row]) -> tuple[list[str] | None, str | None]:
    """Return the cluster of each item and the kind of cluster; None where none is known.

    An item whose speaker or dialogue is unknown is a cluster of its own.
    """
    kind = facts["cluster"]
    names = [None if kind is None else getattr(row, kind) for row in rows]
    if not any(name is not None for name in names):
        # An item that is asked in several wordings, or answered by several raters, is one item.
        several = wordings_of(rows) or raters_of(rows)
        return ([row.id for row in rows], None) if several else (None, None)
    return [name or f"item {row.id}" for name, row in zip(names, rows, strict=True)], kind


def raters_of(rows: Sequence[Row]) -> list[str]:
    """Return who gave the answer of each row of the human ceiling; empty for the answers of a model."""
    return [row.rater or "" for row in rows] if rows[0].rater is not None else []


def wordings_of(rows: Sequence[Row]) -> list[int]:
    """Return the numbers of the paraphrases that were asked; empty where each item is asked once."""
    return sorted({row.wording for row in rows if row.wording is not None})

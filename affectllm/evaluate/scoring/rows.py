"""Read of a samples file what is scored: a twentieth of what is written, so that a million items fit into memory."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.evaluate.logged import read_samples
from affectllm.evaluate.scoring.task_scoring import Item

_LABEL = 64  # characters
_NONE: Mapping[str, str] = {}
_NOTHING = object()
_MOST = 100_000  # lists that are kept for being met again
_SHARED: dict[Hashable, Any] = {}


@dataclass(frozen=True, slots=True)
class Row:
    """What is scored of one row.

    Args:
        number: of the document among all that were asked.
        id: of the sample.
        item: gold value and reading.
        unreadable: why there is no reading; None where there is one.
        speaker, dialogue: what intervals may resample; None where unknown.
        wording: number of the paraphrase; None where each item is asked once.
        rater: who gave the answer, empty where unknown; None for the answer of a model.
    """

    number: int
    id: str
    item: Item
    unreadable: str | None
    speaker: str | None
    dialogue: str | None
    wording: int | None
    rater: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Row:
        """Take it from a row of lm-eval's samples file."""
        doc = row["doc"]
        return cls(
            row["doc_id"],
            doc["id"],
            Item(shared(doc["gold"]), shared(row["reading"]), doc.get("facts") or _NONE),
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
    return sorted((Row.of(row) for row in read_samples(path)), key=lambda row: row.number)


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


def shared(value: Any) -> Any:
    """Return an equal value; labels, lists of them and pairs of these are in memory once however many items have them.

    Nobody may change it.
    """
    key = _key(value)
    if key is not None:
        if len(_SHARED) > _MOST:
            _SHARED.clear()
        return _SHARED.setdefault(key, value)
    return type(value)(map(shared, value)) if isinstance(value, (list, tuple)) else value


def _key(value: Any) -> Hashable:
    """Return what tells values apart that may be shared; None for others, such as numbers and long texts."""
    if isinstance(value, str):
        return value if len(value) < _LABEL else None
    if not isinstance(value, (list, tuple)):
        return _NOTHING if value is None else None
    keys = [_key(one) for one in value]
    return None if None in keys else (type(value), *keys)

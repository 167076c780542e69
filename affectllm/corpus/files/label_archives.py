"""Labels in npz files ``split_corpus → name → {"emo": …, "val": …}``, as MERTools and MMSA prepare corpora.

The value of ``emo`` is a number or a word; a ``val`` of -10 means that there is none.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from affectllm.corpus import Rejection
from affectllm.corpus.reading import relative
from affectllm.safe_pickle import load_plain_npz


class Label(NamedTuple):
    """One entry: the array it is in, the name of the clip, its fields, and the file."""

    part: str
    name: str
    fields: Mapping[str, Any]
    where: str


def read_labels(path: Path, root: Path, parts: Mapping[str, str]) -> Iterator[Label | Rejection]:
    """Yield the entries of an npz file; arrays that are not among ``parts`` are rejected by name.

    Args:
        parts: name of an array → split.

    Raises:
        Malformed: when the file is damaged or holds anything but plain data.
    """
    where = relative(path, root)
    for part, labels in load_plain_npz(path).items():
        if part not in parts or not isinstance(labels, dict):
            yield Rejection(f"{where}/{part}", "unknown_name", where, f"not one of {', '.join(parts)}")
            continue
        for name, fields in labels.items():
            if isinstance(fields, dict):
                yield Label(part, str(name), fields, where)
            else:
                yield Rejection(str(name), "broken_row", where, f"{type(fields).__name__} instead of emo and val")


def plain(value: Any) -> Any:
    """Convert a number or word of numpy to Python's own type."""
    return value.item() if hasattr(value, "item") else value


def archive(labels: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> bytes:
    """Return an npz file as MERTools writes it, for miniatures: object arrays without dimensions that hold a dict."""
    import numpy as np

    stream = io.BytesIO()
    arrays: dict[str, Any] = {part: np.array(names, dtype=object) for part, names in labels.items()}
    np.savez(stream, **arrays)
    return stream.getvalue()

"""Representations on disk: float16 ``[items, positions, layers, width]`` in shards, each written once it is computed.

A shard is a safetensors file whose header names the keys of its items, so that one layer of many items is read without
the others, and a killed process loses at most the batch that it was at. Keys are digests of everything that decides a
representation.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from affectllm.errors import explained

_STATES, _KEYS = "states", "keys"
_LARGEST = float(np.finfo(np.float16).max)


class States:
    """A growing mapping key → representation.

    Args:
        folder: where the shards lie.

    Attributes:
        clipped: values beyond the range of float16 that were cut to it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.clipped = folder, 0
        self._places: dict[str, tuple[Path, int]] = {}
        self._shape: tuple[int, ...] = ()
        for path in sorted(folder.glob("*.safetensors")):
            self._note(path)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    @property
    def layers(self) -> int:
        """The number of layers, what goes into the first among them; 0 while nothing is stored."""
        return self._shape[2] if self._shape else 0

    def add(self, rows: Mapping[str, np.ndarray]) -> None:
        """Store representations, ``[positions, layers, width]`` each; they survive the end of the process on return.

        Raises:
            WriteFailed: when the folder cannot be written.
        """
        from safetensors.numpy import save

        if not rows:
            return
        values = np.stack(list(rows.values()))
        self.clipped += int((np.abs(values) > _LARGEST).sum())
        states = np.clip(values, -_LARGEST, _LARGEST).astype(np.float16)
        path = self.folder / f"{uuid.uuid4().hex}.safetensors"
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            scratch = path.with_suffix(".part")
            scratch.write_bytes(save({_STATES: states}, {_KEYS: json.dumps(list(rows))}))
            os.replace(scratch, path)
        self._note(path)

    def layer(self, keys: Sequence[str], layer: int, position: int = 0) -> np.ndarray:
        """Return the representations of one layer at one position, float32 ``[keys, width]``."""
        out = np.empty((len(keys), self._shape[3]), dtype=np.float32)
        for rows, inside, states in self._slices(keys):
            out[rows] = states[:, position, layer][inside]
        return out

    def _slices(self, keys: Sequence[str]) -> Iterator[tuple[list[int], list[int], Any]]:
        """Yield for each shard the rows of ``keys`` that it holds, their rows in it, and a view of it."""
        from safetensors import safe_open

        by_shard: dict[Path, list[tuple[int, int]]] = {}
        for row, key in enumerate(keys):
            path, inside = self._places[key]
            by_shard.setdefault(path, []).append((row, inside))
        for path, pairs in by_shard.items():
            with safe_open(path, framework="np") as shard:
                yield [row for row, _ in pairs], [inside for _, inside in pairs], shard.get_slice(_STATES)

    def _note(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="np") as shard:
                keys, self._shape = json.loads(shard.metadata()[_KEYS]), tuple(shard.get_slice(_STATES).get_shape())
        except SafetensorError:  # a copied folder, a full disk: its items are computed again
            path.unlink(missing_ok=True)
            return
        self._places |= {key: (path, row) for row, key in enumerate(keys)}

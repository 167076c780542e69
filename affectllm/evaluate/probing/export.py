"""Write representations as NumPy's ``.npz``, layer by layer, so that no more than one is in memory."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from affectllm.errors import AffectError, explained
from affectllm.evaluate.probing.entries import Probed
from affectllm.evaluate.probing.store import States


def check_export(path: Path | None, tasks: Sequence[str]) -> None:
    """Make sure that vectors can be written to a file.

    Raises:
        AffectError: for another suffix than ``.npz``.
    """
    if path is not None and path.suffix != ".npz":
        raise AffectError(f"vectors are written as .npz, and {path} ends otherwise", do="name it vectors.npz")


def export(
    path: Path, tasks: Sequence[Probed], store: States, keys: Mapping[str, Sequence[str]], layers: Sequence[int]
) -> list[Path]:
    """Write the vectors of each task; of several tasks each has a file of its own, ``NAME.TASK.npz``.

    A file holds ``ids``, ``labels`` (gold answers as JSON), ``sides`` (train or test), ``speakers`` (empty where
    unknown), ``layers``, and ``layer_K``, float16 ``[items, width]``, for each layer.

    Raises:
        WriteFailed: when a file cannot be written.
    """
    paths = []
    for task in tasks:
        own = path if len(tasks) == 1 else path.with_name(f"{path.stem}.{task.name}.npz")
        _write(own, task, store, keys[task.name], layers)
        paths.append(own)
    return paths


def _write(path: Path, task: Probed, store: States, keys: Sequence[str], layers: Sequence[int]) -> None:
    rows = [row for row, key in enumerate(keys) if key in store]
    entries, kept = task.entries, [keys[row] for row in rows]
    documents = [entries[row].document for row in rows]
    columns: dict[str, list[Any]] = {
        "ids": [document["id"] for document in documents],
        "labels": [json.dumps(document["gold"], ensure_ascii=False) for document in documents],
        "sides": ["train" if row < len(task.train) else "test" for row in rows],
        "speakers": [document["speaker"] or "" for document in documents],
        "layers": list(layers),
    }
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f".{path.name}.part")
        with zipfile.ZipFile(scratch, "w") as archive:
            for name, values in columns.items():
                _add(archive, name, np.asarray(values))
            for layer in layers:
                _add(archive, f"layer_{layer}", store.layer(kept, layer).astype(np.float16))
        scratch.replace(path)


def _add(archive: zipfile.ZipFile, name: str, values: np.ndarray) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
        np.lib.format.write_array(stream, values, allow_pickle=False)

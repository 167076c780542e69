"""The inputs that determine the samples of a corpus, so that a build knows whether anything has changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from affectllm.corpus.builder import code_of, load_builder
from affectllm.run import digest


def identity(name: str, root: Path) -> dict[str, Any]:
    """Return what determines the samples of a corpus: its builder's code; names, sizes and times of its files."""
    load_builder(name)  # says what is wrong with it
    files = sorted(_files(root))
    return {"builder": digest(code_of(name)), "files": digest(files), "count": len(files)}


def _files(root: Path) -> Iterator[tuple[str, int, int]]:
    """Yield name, size and time of every file, also in folders that are linked to another disk."""
    seen: set[tuple[int, int]] = set()
    for folder, below, names in os.walk(root, followlinks=True):
        place = os.stat(folder)
        if (place.st_dev, place.st_ino) in seen:  # a link to a folder above it
            below.clear()
            continue
        below.sort()
        seen.add((place.st_dev, place.st_ino))
        for name in names:
            path = Path(folder, name)
            if path.is_file():
                stat = path.stat()
                yield path.relative_to(root).as_posix(), stat.st_size, stat.st_mtime_ns

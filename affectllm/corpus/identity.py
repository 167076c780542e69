"""The inputs that determine the samples of a corpus, so that a build knows whether anything has changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from affectllm.corpus.builder import code_of, load_builder
from affectllm.corpus.files.links import VARIABLE
from affectllm.run import digest


def identity(name: str, root: Path) -> dict[str, Any]:
    """Return what determines the samples of a corpus: its builder's code; names, sizes and times of its files.

    Of a corpus with links also their names, and where they may lead: what is not followed is rejected.
    """
    load_builder(name)  # says what is wrong with it
    links: list[str] = []
    files = sorted(_files(root, links))
    followed = {"links": digest([sorted(links), os.environ.get(VARIABLE, "")])} if links else {}
    return {"builder": digest(code_of(name)), "files": digest(files), "count": len(files), **followed}


def _files(root: Path, links: list[str]) -> Iterator[tuple[str, int, int]]:
    """Yield name, size and time of every file, also in folders that are linked to another disk; note what is a link."""
    seen: set[tuple[int, int]] = set()
    for folder, below, names in os.walk(root, followlinks=True):
        own = os.stat(folder)
        if (own.st_dev, own.st_ino) in seen:  # a link to a folder above it
            below.clear()
            continue
        below.sort()
        places = [Path(folder, name) for name in below]
        links += [place.relative_to(root).as_posix() for place in places if place.is_symlink()]
        seen.add((own.st_dev, own.st_ino))
        for name in names:
            path = Path(folder, name)
            if path.is_symlink():
                links.append(path.relative_to(root).as_posix())
            if path.is_file():
                stat = path.stat()
                yield path.relative_to(root).as_posix(), stat.st_size, stat.st_mtime_ns

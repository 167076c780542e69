"""What every builder's samples go through: no clip may lie outside the corpus, however a folder of it is linked."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from affectllm.corpus.sample import Rejection, Sample

Samples = Callable[[Path], Iterator[Sample | Rejection]]
_MARK = "_affectllm_guarded"


def guarded(samples: Samples) -> Samples:
    """``samples`` without clips that a symbolic link leads out of the root; each is rejected as ``unsafe_path``.

    What is guarded already is returned as it is: builders are loaded more than once.
    """
    if hasattr(samples, _MARK):
        return samples

    @functools.wraps(samples)
    def inside_only(root: Path) -> Iterator[Sample | Rejection]:
        leaves = _Leaves(Path(root))
        for item in samples(root):
            if isinstance(item, Sample) and item.media and (outside := [r for r in item.media if leaves(r.path)]):
                for ref in outside:
                    yield Rejection(ref.path, "unsafe_path", item.source, "a link that leaves the corpus")
                item = replace(item, media=tuple(ref for ref in item.media if ref not in outside))
            yield item

    setattr(inside_only, _MARK, True)
    return inside_only


class _Leaves:
    """Whether a path below ``root`` leads out of it; folders are looked at once."""

    def __init__(self, root: Path) -> None:
        self._given, self._real = str(root), os.path.realpath(root)
        self._folders: dict[str, bool] = {}

    def __call__(self, path: str) -> bool:
        folder = os.path.dirname(path)
        if folder not in self._folders:
            self._folders[folder] = self._outside(folder)
        return self._folders[folder] or (os.path.islink(f"{self._given}/{path}") and self._outside(path))

    def _outside(self, path: str) -> bool:
        real = os.path.realpath(os.path.join(self._given, path))
        return os.path.commonpath((real, self._real)) != self._real

"""Fingerprints of films: how the picture changes from moment to moment.

Faces before one wall look alike in every clip of a studio, so single frames tell two clips apart badly. What moves,
where and when, is a clip's own: the changes over a third of a second, on a coarse grid, stay where they are when a film
is compressed, resized or cropped a little, and shift together when it is cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FPS = 10.0  # moments a second
_SIDE = 16  # of the grid
_APART = 3  # frames between which the change is measured
_LEAST_CHANGE = 0.4  # grey levels: below, the change is noise and compression
# Chosen on six clips of CREMA-D; see docs/leaks.md.
LEAST_LIKENESS = 0.75
_LEAST_MOMENTS = 5  # that must be compared
_LEAST_OVERLAP = 0.5  # of the shorter film

Numbers = NDArray[Any]


def motion(frames: Numbers, fps: float, phase: float = 0.0) -> Numbers:
    """Changes of a film, float16 ``[moments, _SIDE²]`` in grey levels; without any it is too still to be known.

    Args:
        frames: uint8 ``[time, height, width, 3]``.
        fps: of the frames, each of which stands for the middle of its interval.
        phase: where the grid of moments begins, as a share of the time between two.
    """
    from PIL import Image

    small = [Image.fromarray(f).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX) for f in frames]
    grey = np.stack([np.asarray(one, np.float32).ravel() for one in small])
    moments = (np.arange(int(len(frames) / fps * FPS)) + phase) / FPS * fps - 0.5
    before = np.clip(np.floor(moments).astype(int), 0, len(grey) - 1)
    after = np.minimum(before + 1, len(grey) - 1)
    share = np.clip(moments - before, 0.0, 1.0)[:, None].astype(np.float32)
    even = grey[before] * (1 - share) + grey[after] * share
    change = even[_APART:] - even[:-_APART]
    change -= change.mean(axis=1, keepdims=True)  # a light that is turned on
    moving = np.linalg.norm(change, axis=1) > _LEAST_CHANGE * _SIDE
    return change.astype(np.float16) if np.count_nonzero(moving) >= _LEAST_MOMENTS else change[:0].astype(np.float16)


def phases(frames: Numbers, fps: float) -> list[Numbers]:
    """Changes on each of the grids that are tried, since a cut need not fall on one."""
    return [motion(frames, fps, phase) for phase in (0.0, 0.5)]


class MotionIndex:
    """Films that others are compared with, 1 KiB a moment.

    Every moment is compared with every other: 10,000 films of three seconds with 10,000 take some minutes.

    Args:
        held: changes of each.
    """

    def __init__(self, held: Sequence[Numbers]) -> None:
        self._owners = [at for at, one in enumerate(held) if len(one)]
        self._ends = np.cumsum([0, *(len(held[owner]) for owner in self._owners)])
        self._all = np.concatenate([one.astype(np.float32) for one in held] or [np.empty((0, _SIDE**2), np.float32)])
        self._squares = np.square(self._all).sum(axis=1)

    def matches(self, asked: Sequence[Numbers]) -> Iterator[tuple[int, float]]:
        """Each held film that one film, in all its phases, is or is a part of, and how far their changes correlate."""
        best: dict[int, float] = {}
        for one in asked:
            for owner, score in self._found(one.astype(np.float32)):
                best[owner] = max(score, best.get(owner, 0.0))
        yield from sorted(best.items())

    def _found(self, asked: Numbers) -> Iterator[tuple[int, float]]:
        if not len(asked) or not len(self._all):
            return
        squares = np.square(asked).sum(axis=1)
        products = self._all @ asked.T
        # Only where some moments are like moments of the other can the whole be.
        alike = (products > LEAST_LIKENESS * np.sqrt(np.outer(self._squares, squares) + 1e-6)).any(axis=1)
        for at in np.flatnonzero(np.add.reduceat(alike, self._ends[:-1], dtype=int) >= _LEAST_MOMENTS).tolist():
            rows = slice(self._ends[at], self._ends[at + 1])
            score = _along(products[rows], self._squares[rows], squares)
            if score >= LEAST_LIKENESS:
                yield int(self._owners[at]), score


def _along(products: Numbers, ours: Numbers, theirs: Numbers) -> float:
    """Largest correlation at one shift of enough moments."""
    best, (rows, columns) = 0.0, products.shape
    least = max(_LEAST_MOMENTS, int(_LEAST_OVERLAP * min(rows, columns)))
    for shift in range(-rows + least, columns - least + 1):
        begin, end = max(0, -shift), min(rows, columns - shift)
        energy = ours[begin:end].sum() * theirs[begin + shift : end + shift].sum()
        best = max(best, float(np.diagonal(products, shift).sum() / np.sqrt(energy + 1e-6)))
    return best

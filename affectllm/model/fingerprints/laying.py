"""Align one small grey picture with another: find the crop of the one that is most like the whole of the other.

Pictures come in stacks ``[count, side, side]`` (one picture, or the moments of a film), and a crop is taken of all of
them alike, by two small matrices.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]
Box = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the sides
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
_SMALLEST = 0.7  # side of a crop
_BLACK, _MOST_BARS = 28, 0.45  # grey level of a bar, and share of a side that bars may take


def without_bars(frames: Numbers) -> Numbers:
    """Remove the black bars that all of the grey pictures ``[count, height, width]`` have above, below and beside."""
    top = frames.max(axis=0)
    for axis in (1, 0):
        lit = np.flatnonzero(np.percentile(top, 95, axis=axis) > _BLACK)
        if len(lit) and lit[-1] + 1 - lit[0] >= (1 - _MOST_BARS) * top.shape[1 - axis]:
            inside = slice(lit[0], lit[-1] + 1)
            frames, top = (frames[:, inside], top[inside]) if axis == 1 else (frames[..., inside], top[:, inside])
    return frames


def cropped(stack: Numbers, box: Box, side: int) -> Numbers:
    """Crop each picture, to float32 ``[count, side, side]``."""
    across, down = (_taking(box[at], box[at + 2], stack.shape[-1], side) for at in (0, 1))
    return np.asarray(down @ stack @ across.T)


@lru_cache(maxsize=4096)
def _taking(begin: float, end: float, points: int, side: int) -> Numbers:
    """Weights float32 ``[side, points]`` of a triangular filter that resamples a stretch of ``points`` to ``side``."""
    step = (end - begin) * points / side
    centres = begin * points + (np.arange(side) + 0.5) * step
    apart = np.abs(np.arange(points) + 0.5 - np.clip(centres, 0.5, points - 0.5)[:, None])
    weights = np.maximum(0.0, 1 - apart / max(1.0, step))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def laid(whole: Numbers, theirs: Numbers, box: Box, steps: tuple[float, ...]) -> tuple[Box, float]:
    """Find the crop of ``whole`` most like ``theirs``, moving each side from ``box`` in steps; with its correlation.

    Args:
        whole: float32 ``[count, side, side]``.
        theirs: as many, of any side.
        box: where to begin.
        steps: in shares of a side, the largest first.
    """
    side = theirs.shape[-1]
    aim = theirs - theirs.mean()
    aim /= max(float(np.linalg.norm(aim)), 1e-6)
    best = _likeness(cropped(whole, box, side), aim)
    for step in steps:
        improved = True
        while improved:
            improved = False
            for edge, way in product(range(4), (-step, step)):
                moved = list(box)
                moved[edge] = round(min(1.0, max(0.0, moved[edge] + way)), 4)
                tried: Box = (moved[0], moved[1], moved[2], moved[3])
                if min(tried[2] - tried[0], tried[3] - tried[1]) < _SMALLEST or tried == box:
                    continue
                correlation = _likeness(cropped(whole, tried, side), aim)
                if correlation > best + 1e-5:
                    best, box, improved = correlation, tried, True
    return box, best


def _likeness(one: Numbers, aim: Numbers) -> float:
    one = one - one.mean()
    return float(np.vdot(one, aim) / max(float(np.linalg.norm(one)), 1e-6))

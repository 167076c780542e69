"""Fingerprints of films: how the picture changes from moment to moment.

Faces before one wall look alike in every clip of a studio, so single frames tell two clips apart badly. What moves,
where and when, is a clip's own: the changes over a third of a second stay what they are when a film is compressed or
resized, shift together when it is cut, and are laid on one another again when it was cropped or mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from affectllm.model.fingerprints.laying import WHOLE, cropped, laid, without_bars

FPS = 10.0  # moments a second
_SIDE, _FINE, _COARSE = 32, 16, 4  # sides of what is kept, of what is compared, of what names candidates
_APART = 3  # moments between which the change is measured
_LEAST_CHANGE = 0.4  # grey levels: below, the change is noise and compression
_STRETCH = 5  # moments in a stretch, which names candidates
_STEP = 2  # moments between the stretches of what is asked
_LIKE = 0.6  # least correlation of two stretches
_LEAST_STRETCHES = 0.25  # of those that could be alike at one shift
_CANDIDATES, _PLACES = 12, 3  # films that are laid on one another, and shifts at which each is
_UNCLEAR = (0.5, 0.9)  # likeness at one shift that the next may better
_AT_ONCE = 32  # stretches that are looked for at once
_STEPS = (0.04, 0.02, 0.01)  # of a side
_LOOKED_AT = 60  # moments that decide how two films lie on one another
_ROOT = 7.9  # of a change of one grey level, so that 255 fit into a byte
# Chosen on one half of what scripts/leak_rates makes; see docs/leaks.md.
LEAST_LIKENESS = 0.82
_LEAST_MOMENTS = 5  # that must be compared
_LEAST_OVERLAP = 0.5  # of the shorter film
_NOWHERE = 1 << 20  # added to a shift, so that it is never negative

Numbers = NDArray[Any]


def motion(frames: Numbers, fps: float, phase: float = 0.0) -> Numbers:
    """Compute the changes of a film, int8 ``[moments, 32, 32]``: signed roots, which preserve small differences.

    Args:
        frames: uint8 ``[time, height, width]``, grey, without bars.
        fps: of the frames, each of which stands for the middle of its interval.
        phase: where the grid of moments begins, as a share of the time between two.

    Returns:
        No moment where the film is too still to be known.
    """
    from PIL import Image

    small = [Image.fromarray(frame).resize((_SIDE, _SIDE), Image.Resampling.BOX) for frame in frames]
    grey = np.stack([np.asarray(one, np.float32) for one in small])
    moments = (np.arange(int(len(frames) / fps * FPS)) + phase) / FPS * fps - 0.5
    before = np.clip(np.floor(moments).astype(int), 0, len(grey) - 1)
    after = np.minimum(before + 1, len(grey) - 1)
    share = np.clip(moments - before, 0.0, 1.0)[:, None, None].astype(np.float32)
    even = grey[before] * (1 - share) + grey[after] * share
    change = even[_APART:] - even[:-_APART]
    change -= change.mean(axis=(1, 2), keepdims=True)  # a light that is turned on
    changes = np.round(np.sign(change) * np.sqrt(np.abs(change)) * _ROOT).clip(-127, 127).astype(np.int8)
    moving = np.sqrt(np.square(change).mean(axis=(1, 2))) > _LEAST_CHANGE
    return changes if np.count_nonzero(moving) >= _LEAST_MOMENTS else changes[:0]


def phases(frames: Numbers, fps: float) -> list[Numbers]:
    """Compute the changes on each time grid that is tried, since a cut need not fall on one; frames are RGB."""
    from PIL import Image

    grey = without_bars(np.stack([np.asarray(Image.fromarray(frame).convert("L")) for frame in frames]))
    return [motion(grey, fps, phase) for phase in (0.0, 0.5)]


class _Stretches(NamedTuple):
    values: Numbers  # float32 [stretches, _STRETCH * _COARSE²] of length 1
    moments: Numbers  # at which each begins


def _stretches(changes: Numbers, step: int = 1) -> _Stretches:
    if len(changes) < _STRETCH:
        return _Stretches(np.empty((0, _STRETCH * _COARSE**2), np.float32), np.empty(0, np.int64))
    cells = _SIDE // _COARSE
    coarse = _changes(changes).reshape(-1, _COARSE, cells, _COARSE, cells).mean(axis=(2, 4)).reshape(len(changes), -1)
    rows = np.lib.stride_tricks.sliding_window_view(coarse, _STRETCH, axis=0)[::step].reshape(-1, _STRETCH * _COARSE**2)
    lengths = np.linalg.norm(rows, axis=1)
    moving = np.flatnonzero(lengths > _LEAST_CHANGE / 2 * np.sqrt(rows.shape[1]))
    return _Stretches((rows[moving] / lengths[moving, None]).astype(np.float32), moving * step)


def _changes(motion: Numbers) -> Numbers:
    """Convert stored motion back to grey levels, float32."""
    roots = motion.astype(np.float32) / _ROOT
    return np.asarray(roots * np.abs(roots))


class MotionIndex:
    """Index of films that others are compared with, 1.3 KiB per moment.

    Args:
        films: the motion of each.
    """

    def __init__(self, films: Sequence[Numbers]) -> None:
        self._films = films
        stretches = [_stretches(one) for one in films]
        self._owners = np.repeat(np.arange(len(films)), [len(one.moments) for one in stretches])
        self._moments = np.concatenate([one.moments for one in stretches] or [np.empty(0, np.int64)])
        empty = np.empty((0, _STRETCH * _COARSE**2), np.float32)
        self._all = np.concatenate([one.values for one in stretches] or [empty])
        self._counts = np.array([len(one.moments) for one in stretches])

    def matches(self, asked: Sequence[Numbers]) -> Iterator[tuple[int, float]]:
        """Yield each indexed film that ``asked``, in all its phases, equals or is part of, with their correlation."""
        views = [view for one in asked if len(one) for view in (one, one[:, :, ::-1])]
        named: dict[int, list[tuple[float, int, int]]] = {}
        for at, view in enumerate(views):
            for owner, weight, shift in self._candidates(view):
                named.setdefault(owner, []).append((weight, at, shift))
        likely = sorted(named, key=lambda owner: -max(named[owner])[0])[:_CANDIDATES]
        for owner in sorted(likely):
            score = 0.0
            for _, at, shift in sorted(named[owner], reverse=True)[:_PLACES]:
                score = max(score, _along(self._films[owner], views[at], shift))
                if not _UNCLEAR[0] < score < _UNCLEAR[1]:
                    break
            if score >= LEAST_LIKENESS:
                yield owner, score

    def _candidates(self, asked: Numbers) -> Iterator[tuple[int, float, int]]:
        """Yield indexed film, a score (matching stretches times their share), and the shift at which they match."""
        ours, key_blocks = _stretches(asked, _STEP), []
        for begin in range(0, len(ours.moments), _AT_ONCE):
            some = slice(begin, begin + _AT_ONCE)
            rows, columns = np.nonzero(self._all @ ours.values[some].T > _LIKE)
            key_blocks.append(self._owners[rows] << 32 | (self._moments[rows] - ours.moments[some][columns] + _NOWHERE))
        # A key packs film (upper half) and shift, so that one pass of ``unique`` counts the stretches of each pair.
        keys, counts = np.unique(np.concatenate(key_blocks or [np.empty(0, np.int64)]), return_counts=True)
        shares = counts / np.minimum(self._counts[keys >> 32] / _STEP, len(ours.moments))
        for at in np.flatnonzero(shares >= _LEAST_STRETCHES).tolist():
            yield int(keys[at] >> 32), float(shares[at] * counts[at]), int(keys[at] & 0xFFFFFFFF) - _NOWHERE


def _along(indexed: Numbers, asked: Numbers, shift: int) -> float:
    """Return the correlation of two films at a shift, the better of aligning either with the other."""
    begin, end = max(0, -shift), min(len(asked), len(indexed) - shift)
    if end - begin < max(_LEAST_MOMENTS, _LEAST_OVERLAP * min(len(asked), len(indexed))):
        return 0.0
    ours, theirs = _changes(indexed[begin + shift : end + shift]), _changes(asked[begin:end])
    return max(_laid(ours, theirs), _laid(theirs, ours))


def _laid(whole: Numbers, part: Numbers) -> float:
    small = cropped(part, WHOLE, _FINE)
    most = np.sort(np.argsort(-np.square(small).sum(axis=(1, 2)), kind="stable")[:_LOOKED_AT])
    box, _ = laid(whole[most], small[most], WHOLE, _STEPS)
    return correlation(cropped(whole, box, _FINE), small)


def correlation(one: Numbers, other: Numbers) -> float:
    one, other = one - one.mean(axis=(1, 2), keepdims=True), other - other.mean(axis=(1, 2), keepdims=True)
    return float(np.vdot(one, other) / np.sqrt(np.vdot(one, one) * np.vdot(other, other) + 1e-6))

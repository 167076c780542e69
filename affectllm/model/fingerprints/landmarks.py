"""Fingerprints of sounds: pairs of spectral peaks, which survive changes of codec, rate, level and length.

A peak is a moment and a frequency louder than all around it. Each is paired with a few that follow, and a pair is known
by its two frequencies and the time between them (Wang, An industrial-strength audio search algorithm, ISMIR 2003). Two
recordings of one sentence share few pairs, and those at many shifts; the same sound shares many at one shift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

RATE = 8_000  # Hz; what telephones and narrow-band codecs leave
_WINDOW, _HOP = 512, 128  # samples: 64 ms and 16 ms
_LOWEST, _HIGHEST = 8, 224  # bins of 15.6 Hz: 125 Hz to 3.5 kHz
_AROUND = (7, 15)  # frames and bins in which a peak is the loudest
_PER_SECOND = 40  # peaks that are kept of a second, the loudest ones
_FAN, _FURTHEST = 6, 63  # pairs of a peak, and frames between the two
_HELD = 1  # bins between the peaks of a note that is held
_LONG = 60.0  # seconds from which on fewer peaks a second are kept, so that any clip has at most some 15,000 pairs
_FLOOR = 1e-4  # of the loudest bin: below lie the noise of quantising and of coding

Numbers = NDArray[Any]


class Landmarks(NamedTuple):
    """The pairs of spectral peaks of a sound.

    Attributes:
        pairs: uint32, two frequencies and the frames between them.
        frames: int32, when the first of each comes.
        seconds: length of the sound.
    """

    pairs: Numbers
    frames: Numbers
    seconds: float


def landmarks(sound: Numbers) -> Landmarks:
    """Compute the landmarks of a sound, float ``[samples]`` at ``RATE``."""
    seconds = len(sound) / RATE
    times, bins = _peaks(sound, seconds)
    firsts, seconds_of = [], []
    left = np.full(len(times), _FAN)
    for ahead in range(1, min(4 * _FAN, len(times))):
        apart = times[ahead:] - times[:-ahead]
        # Two peaks of one frequency are a hum or a held note, which recur in any recording of that room or key.
        leap = np.abs(bins[ahead:] - bins[:-ahead]) > _HELD
        good = np.flatnonzero((apart > 0) & (apart <= _FURTHEST) & leap & (left[: len(apart)] > 0))
        left[good] -= 1
        firsts.append(good)
        seconds_of.append(good + ahead)
    one, two = (np.concatenate(places or [np.empty(0, np.int64)]) for places in (firsts, seconds_of))
    pairs = (bins[one] << 16 | bins[two] << 8 | times[two] - times[one]).astype(np.uint32)
    return Landmarks(pairs, times[one].astype(np.int32), seconds)


def _peaks(sound: Numbers, seconds: float) -> tuple[Numbers, Numbers]:
    """Return frames and frequency bins of the peaks, in the order of time."""
    from scipy.ndimage import maximum_filter

    if len(sound) < _WINDOW:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW).astype(np.float32), axis=1))[:, _LOWEST:_HIGHEST]
    highest = (power == maximum_filter(power, _AROUND, mode="constant")) & (power > _FLOOR * power.max())
    times, bins = np.nonzero(highest)
    loud = power[times, bins]
    most = max(5, int(_PER_SECOND * min(1.0, _LONG / max(seconds, 1e-9))))
    span = RATE // _HOP  # frames of a second
    order = np.lexsort((-loud, times // span))
    group = times[order] // span
    rank = np.arange(len(order)) - np.searchsorted(group, group)
    chosen = np.sort(order[rank < most])
    return times[chosen], bins[chosen]


# Chosen on EMO-DB, of which half as many pairs would name nothing either; see docs/leaks.md.
LEAST_PAIRS, LEAST_SHARE = 12, 0.05
# A syllable that two voices say alike has many pairs; the same sound has them all along.
LEAST_SPREAD = 0.25  # of the moments that both have
_MOMENT, _LEAST_MOMENTS = 8, 3  # frames in a moment (an eighth of a second), and least moments with pairs in common
_PHASES = 2  # beginnings of the grid of frames that are tried, since a cut need not fall on it
_COMMON, _MANY = 0.02, 50  # pairs in more than this share of the sounds, and this many, tell nothing: hum, tuning
_NOWHERE = 1 << 20  # added to a shift, so that it is never negative


def phases(sound: Numbers) -> list[Landmarks]:
    """Compute the landmarks of a sound, float ``[samples]`` at ``RATE``, on each of the frame grids that are tried."""
    steps = [phase * _HOP // _PHASES for phase in range(_PHASES)]
    return [landmarks(np.concatenate([np.zeros(step, np.float32), sound])) for step in steps]


class LandmarkIndex:
    """Index of sounds that others are compared with: some 8 bytes per pair, 2 KiB per second.

    Asking takes about a millisecond, whatever is held: only the places where a pair recurs are looked at.

    Args:
        sounds: the landmarks of each; ``matches`` refers to them by position.
    """

    def __init__(self, sounds: Sequence[Landmarks]) -> None:
        sizes = [len(one.pairs) for one in sounds]
        self._sounds = sounds
        pairs = np.concatenate([one.pairs for one in sounds] or [np.empty(0, np.uint32)])
        owners = np.repeat(np.arange(len(sounds), dtype=np.int32), sizes)
        frames = np.concatenate([one.frames for one in sounds] or [np.empty(0, np.int32)])
        order = np.argsort(pairs, kind="stable")
        self._pairs, self._owners, self._frames = pairs[order], owners[order], frames[order]
        self._crowd = max(_MANY, _COMMON * len(sounds))

    def matches(self, asked: Sequence[Landmarks]) -> Iterator[tuple[int, float]]:
        """Yield each indexed sound that ``asked``, in all its phases, equals or is part of, with the share of pairs."""
        best: dict[int, float] = {}
        for one in asked:
            for owner, score in self._scored(one):
                best[owner] = max(score, best.get(owner, 0.0))
        yield from sorted(best.items())

    def _scored(self, asked: Landmarks) -> Iterator[tuple[int, float]]:
        begins = np.searchsorted(self._pairs, asked.pairs, "left")
        many = np.searchsorted(self._pairs, asked.pairs, "right") - begins
        many = np.where(many > self._crowd, 0, many)
        places = np.repeat(begins - np.cumsum(many) + many, many) + np.arange(many.sum())
        shifts = self._frames[places].astype(np.int64) - np.repeat(asked.frames, many) + _NOWHERE
        # A key packs sound (upper half) and shift, so that one pass of ``unique`` counts the pairs that agree on both.
        every = self._owners[places].astype(np.int64) << 32 | shifts
        moments = np.repeat(asked.frames, many) // _MOMENT
        keys, counts = np.unique(every, return_counts=True)
        together = counts.copy()  # a shift between two frames falls on either
        near = np.flatnonzero(np.diff(keys) == 1)
        together[near] += counts[near + 1]
        for at in np.flatnonzero(together >= LEAST_PAIRS).tolist():
            owner, shift = int(keys[at] >> 32), int(keys[at] & 0xFFFFFFFF) - _NOWHERE
            share = together[at] / max(1, _in_both(self._sounds[owner], asked, shift))
            spread = len(np.unique(moments[(every == keys[at]) | (every == keys[at] + 1)]))
            least = max(_LEAST_MOMENTS, LEAST_SPREAD * _moments(self._sounds[owner], asked, shift))
            if share >= LEAST_SHARE and spread >= least:
                yield owner, float(min(1.0, share))


def _moments(indexed: Landmarks, asked: Landmarks, shift: int) -> float:
    """Return the number of frames in which both sounds overlap."""
    begin, end = max(0.0, float(-shift)), min(asked.seconds * RATE / _HOP, indexed.seconds * RATE / _HOP - shift)
    return max(0.0, end - begin) / _MOMENT


def _in_both(indexed: Landmarks, asked: Landmarks, shift: int) -> int:
    """Return the pairs, within the overlap, of the sound that has fewer there."""
    rate = RATE / _HOP
    moments, other = indexed.frames - shift, asked.frames + shift
    ours = np.count_nonzero((moments >= 0) & (moments < asked.seconds * rate))
    return min(int(ours), int(np.count_nonzero((other >= 0) & (other < indexed.seconds * rate))))

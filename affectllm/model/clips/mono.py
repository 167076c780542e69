"""Mix sound for models: one channel at one rate, at the same level from every container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from affectllm.model.clips.budget import SAMPLING_RATE
from affectllm.model.clips.fence import Unusable

if TYPE_CHECKING:
    import numpy as np

# Decoders overshoot full scale by a little; numbers beyond this (24 dB) are garbage, or integers written as floats.
_LOUDEST = 16.0
_FOR_EVER = 1e9  # seconds


class Mono:
    """Mixes blocks of a track to the mean over channels, resampled; samples beyond full scale are clipped.

    The mean is the rule for any number of channels, so that equal channels keep their level and none leaves full scale.

    Args:
        rate: samples per second of the blocks.
    """

    def __init__(self, rate: int) -> None:
        import soxr

        same = rate == SAMPLING_RATE
        self._resampler = None if same else soxr.ResampleStream(rate, SAMPLING_RATE, 1, dtype="float32")
        # Codecs give some twenty milliseconds at a time; they are mixed by the second.
        self._rate, self._waiting_samples, self._waiting = rate, 0, list[Any]()
        self._parts: list[Any] = []

    def add(self, block: np.ndarray) -> None:
        """Add a block, float32 ``[channels, samples]``.

        Raises:
            Unusable: ``not_finite``, for a sample that is NaN, infinite or far above full scale in any channel.
        """
        if self._waiting and len(self._waiting[0]) != len(block):
            self._mix()
        self._waiting.append(block)
        self._waiting_samples += block.shape[1]
        if self._waiting_samples >= self._rate:
            self._mix()

    def finish(self) -> np.ndarray:
        """Return float32 ``[samples]`` in [-1, 1] at ``SAMPLING_RATE``."""
        import numpy as np

        self._mix()
        if self._resampler is not None:
            self._parts.append(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        return np.clip(np.concatenate(self._parts), -1.0, 1.0) if self._parts else np.zeros(0, np.float32)

    def _mix(self) -> None:
        import numpy as np

        if not self._waiting_samples:
            return
        block = checked(np.concatenate(self._waiting, axis=1))
        mixed = block[0] if len(block) == 1 else block.mean(axis=0, dtype=np.float32)
        self._parts.append(mixed if self._resampler is None else self._resampler.resample_chunk(mixed))
        self._waiting.clear()
        self._waiting_samples = 0


def checked(block: np.ndarray) -> np.ndarray:
    """Return the block; raise ``not_finite`` where it holds NaN or infinity."""
    peak = max(abs(float(block.max())), abs(float(block.min())))
    if not peak <= _LOUDEST:  # written so that NaN is caught
        raise Unusable("not_finite", f"a sample of {peak:g}; full scale is 1")
    return block


class Timeline:
    """Aligns the samples of a track with the clip's clock, and cuts them to a span.

    What is missing before the first sample, and where a recorder left a hole, is silence.

    Args:
        start, end: of the span in seconds.

    Attributes:
        rate: samples per second of the track; None before the first block.
        first: moment of the first sample that was decoded; None before it.
        reached: moment of the end of the last one.
        full: whether the end of the span has been reached.
    """

    _JITTER = 0.1  # seconds by which times of packets may lie beside their samples: containers round them
    _LONGEST_HOLE = 600.0  # seconds; a longer one is a damaged time and not silence

    def __init__(self, start: float, end: float) -> None:
        self._start, self._end = start, min(end, _FOR_EVER)
        self.rate: int | None = None
        self.first: float | None = None
        self.reached, self.full, self._place = 0.0, False, 0

    def add(self, block: np.ndarray, rate: int, time: float | None) -> list[np.ndarray]:
        """Return the part of ``block`` (``[channels, samples]``, at ``time``) in the span, after silence for a gap."""
        if self.rate is None:
            self.rate = rate
            self._place = round(self._start * rate)  # silence is owed from the beginning of the span on
            self.first = time if time is not None else 0.0
            self.reached = self.first
        if rate != self.rate:
            raise Unusable("undecodable", f"the sampling rate changes from {self.rate} to {rate} Hz half-way")
        expected = self.reached
        at = expected if time is None or abs(time - expected) < self._JITTER or time < expected else time
        self.reached = at + block.shape[1] / rate
        if at > self._end:
            self.full = True
            return []
        return [part for part in self._placed(block, round(at * rate), at) if part.shape[1]]

    def _placed(self, block: np.ndarray, begin: int, at: float) -> list[np.ndarray]:
        import numpy as np

        assert self.rate is not None
        last = round(self._end * self.rate)
        hole = max(0, min(begin, last) - self._place)
        if hole > self._LONGEST_HOLE * self.rate:
            raise Unusable("undecodable", f"no sound for {hole / self.rate:.0f} s before {at:.1f} s")
        skipped = max(0, self._place - begin)
        inside = block[:, skipped : max(skipped, last - begin)]
        self._place += hole + inside.shape[1]
        self.full = self._place >= last
        return [np.zeros((len(block), hole), np.float32), inside]

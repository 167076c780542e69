"""What is taken of a clip while its packets go by once: the pictures nearest to a grid of moments, and the sound."""

from __future__ import annotations

import bisect
import math
import os
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av
    import numpy as np

# Packets to look ahead: more than a decoder may reorder (16), so that every earlier picture has been seen by then.
_AHEAD = 20
# Codecs whose pictures that no other refers to can be left out one by one, and that change nothing else.
_SPARING = frozenset({"h264", "hevc"})
_MOST_THREADS = 4
_ROUNDING = 1e-6  # seconds


def _threads() -> int:
    """One where torch has been told to use one, as in a loader's workers, which are as many as there are cores."""
    torch = sys.modules.get("torch")
    return 1 if torch is not None and torch.get_num_threads() == 1 else min(_MOST_THREADS, os.cpu_count() or 1)


class Pictures:
    """Takes the frames nearest to a regular grid of moments, scaled by FFmpeg while they are converted.

    Pictures that are not wanted and that no other picture refers to are not decoded; the others come out the same.

    Args:
        stream: of pictures.
        moments: seconds from the beginning of the stream, ascending.
        size: height and width of the frames that are returned.

    Attributes:
        full: whether every moment has its frame.
        reached: end in seconds of the last frame that was decoded.
    """

    def __init__(self, stream: av.VideoStream, moments: Sequence[float], size: tuple[int, int]) -> None:
        from av.video.reformatter import VideoReformatter

        self.stream, self._moments, self._size = stream, list(moments), size
        self._scaler = VideoReformatter()  # one for all frames: it keeps its tables
        self.stream.thread_type = "AUTO"
        self.stream.codec_context.thread_count = _threads()
        self._unit = float(stream.time_base or 0)
        self._origin = float((stream.start_time or 0) * (stream.time_base or 0))
        self._step = 1 / float(stream.average_rate or 25)
        self._sparing = stream.codec_context.name in _SPARING
        self._ahead: deque[av.Packet] = deque()
        self._times: list[float] = []
        self._taken: list[np.ndarray] = []
        self._last: av.VideoFrame | None = None
        self.full, self.reached = False, 0.0

    def feed(self, packet: av.Packet) -> None:
        """Decode what of a packet is wanted; the stream's last packet, which is empty, brings out what is held back."""
        if self.full:
            return
        if packet.size and self._sparing and packet.pts is not None:
            bisect.insort(self._times, self._time(packet))
            self._ahead.append(packet)
            if len(self._ahead) > _AHEAD:
                first = self._ahead.popleft()
                self._decode(first, "DEFAULT" if self._wanted(self._time(first)) else "NONREF")
            return
        # Among these is the last picture, which stands for what is missing after it.
        while self._ahead:
            self._decode(self._ahead.popleft(), "DEFAULT")
        self._decode(packet, "DEFAULT")

    def finish(self) -> list[np.ndarray] | None:
        """A frame a moment, or None where there is none at all."""
        if self._last is None:
            return None
        if not self.full:  # the container promised more than it holds: its last frame stands until the end
            last = self._array(self._last)
            self._taken += [last] * (len(self._moments) - len(self._taken))
        return self._taken

    def _time(self, packet: av.Packet) -> float:
        return (packet.pts or 0) * self._unit - self._origin

    def _wanted(self, time: float) -> bool:
        """Whether a moment lies after the end of the picture before this one and before the end of this one."""
        place = bisect.bisect_left(self._times, time)
        before = self._times[place - 1] if place else -math.inf
        first = bisect.bisect_left(self._moments, before + self._step - _ROUNDING)
        return first < bisect.bisect_left(self._moments, time + self._step + _ROUNDING)

    def _decode(self, packet: av.Packet, skipped: str) -> None:
        if self._sparing:
            self.stream.codec_context.skip_frame = skipped  # type: ignore[assignment]
        for frame in packet.decode():
            self._take(frame)  # type: ignore[arg-type]

    def _take(self, frame: av.VideoFrame) -> None:
        time = (frame.time or 0.0) - self._origin
        # A frame stands for [time, time + step); it serves every moment that it covers.
        array: np.ndarray | None = None
        while not self.full and time + self._step > self._moments[len(self._taken)]:
            array = self._array(frame) if array is None else array
            self._taken.append(array)
            self.full = len(self._taken) == len(self._moments)
        self._last, self.reached = frame, max(self.reached, time + self._step)

    def _array(self, frame: av.VideoFrame) -> np.ndarray:
        height, width = self._size
        scaled = self._scaler.reformat(frame, width, height, "rgb24", interpolation="BICUBIC", threads=1)
        return scaled.to_ndarray()


class Voice:
    """Takes a sound track, mixed to mono and resampled by FFmpeg, cut to the span.

    Args:
        stream: of sound.
        span: first and last moment in seconds from the beginning of the stream.
        rate: samples per second of the result.

    Attributes:
        full: whether the end of the span has been heard.
        reached: end in seconds of the last frame that was decoded.
    """

    def __init__(self, stream: av.AudioStream, span: tuple[float, float], rate: int) -> None:
        import av

        self.stream = stream
        # Collected in blocks of a second: codecs give some twenty milliseconds at a time.
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=rate, frame_size=rate)
        self._span, self._rate, self._parts = span, rate, list[Any]()
        self._first: float | None = None
        self._origin = float((stream.start_time or 0) * (stream.time_base or 0))
        self.full, self.reached = False, 0.0

    def feed(self, packet: av.Packet) -> None:
        """Decode and resample a packet."""
        for frame in packet.decode():
            self._take(frame)  # type: ignore[arg-type]

    def finish(self) -> np.ndarray | None:
        """float32 ``[samples]``, or None where nothing was heard."""
        import numpy as np

        if self._first is None:
            return None
        self._parts += self._resampled(None)
        wave = np.concatenate(self._parts)
        begin = max(0, round((self._span[0] - self._first) * self._rate))
        length = self._span[1] - max(self._span[0], self._first)
        return wave[begin:] if math.isinf(length) else wave[begin : begin + math.ceil(length * self._rate)]

    def _take(self, frame: av.AudioFrame) -> None:
        time = (frame.time or 0.0) - self._origin
        if self._first is None:
            self._first = time
        if time > self._span[1]:
            self.full = True
            return
        self.reached = time + frame.samples / frame.sample_rate
        frame.pts = None  # timestamps with gaps would make the resampler refuse; the samples are contiguous
        self._parts += self._resampled(frame)

    def _resampled(self, frame: av.AudioFrame | None) -> Iterator[np.ndarray]:
        return (part.to_ndarray()[0] for part in self._resampler.resample(frame))

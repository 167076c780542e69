"""Stream readers of one pass over a clip's packets: the frames nearest to a grid of moments, and the sound."""

from __future__ import annotations

import bisect
import math
import os
import sys
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from affectllm.model.clips.budget import Span
from affectllm.model.clips.container import Fit
from affectllm.model.clips.fence import MOST_PIXELS, Unusable
from affectllm.model.clips.mono import Mono, Timeline
from affectllm.model.clips.restarts import CODECS, restarts
from affectllm.model.clips.upright import UPRIGHT, shown_size, turn_of

if TYPE_CHECKING:
    import av
    import numpy as np

# Packets to look ahead: more than a decoder may reorder (16), so that every earlier picture has been seen by then.
_AHEAD = 20
# Packets, and bytes of them, to wait for the next one at which the decoder can begin anew.
_MOST_WAITING, _MOST_BYTES = 300, 1 << 24
_MOST_THREADS = 4
_ROUNDING = 1e-6  # seconds
_MOST_PLANES = 7  # of sound that PyAV 18 copies; from eight on it reads beside its memory and the process dies


def _threads() -> int:
    """Return how many threads decode: 1 where torch is limited to one, as in loader workers."""
    torch = sys.modules.get("torch")
    return 1 if torch is not None and torch.get_num_threads() == 1 else min(_MOST_THREADS, os.cpu_count() or 1)


class Pictures:
    """Selects the frames nearest to a regular grid of moments, scaled by FFmpeg while they are converted.

    Pictures that no wanted one needs are not decoded, as far as that can be known: those that no other refers to, and
    all between the last wanted one and the next refresh. The others come out the same.

    Args:
        stream: of pictures.
        moments: seconds on the clip's clock, ascending.
        fit: height and width on the screen → those of the frames that are returned.
        origin: where that clock begins in the times of the stream, in seconds.

    Attributes:
        full: whether every moment has its frame.
        first: beginning of the first frame that was decoded, in seconds; None before it.
        entered: the same, or beginning of the first frame that was left out before any.
        reached: end of the last one.
    """

    def __init__(self, stream: av.VideoStream, moments: Sequence[float], fit: Fit, origin: float) -> None:
        from av.video.reformatter import VideoReformatter

        self.stream, self._moments, self._fit, self._origin = stream, list(moments), fit, origin
        self._size: tuple[int, int] | None = None
        self._scaler = VideoReformatter()  # one for all frames: it keeps its tables
        self.stream.thread_type = "AUTO"
        self.stream.codec_context.thread_count = _threads()
        self._unit = float(stream.time_base or 0)
        self._step = 1 / float(stream.average_rate or 25)
        # Codecs whose pictures that no other refers to can be left out one by one, and that change nothing else.
        self._sparing = stream.codec_context.name in CODECS
        self._ahead: deque[tuple[av.Packet, bool]] = deque()  # and whether the decoder can begin anew with it
        self._unwanted = 0  # how many of the first of these are not wanted themselves
        self._waiting_bytes = 0
        self._times: list[float] = []
        self._taken: list[np.ndarray] = []
        self._last: av.VideoFrame | None = None
        self.first: float | None = None
        self.entered: float | None = None
        self.full, self.reached = False, 0.0

    def feed(self, packet: av.Packet) -> None:
        """Decode the needed frames of a packet; the stream's last packet, which is empty, flushes the decoder."""
        if self.full:
            return
        if packet.size and self._sparing and packet.pts is not None:
            bisect.insort(self._times, self._time(packet))
            self._ahead.append((packet, packet.is_keyframe and self._restarts(packet)))
            self._waiting_bytes += packet.size
            while not self.full and self._decide():
                pass
            return
        while not self.full and self._decide(at_once=True):
            pass
        # Among these is the last picture, which stands for what is missing after it.
        while self._ahead and not self.full:
            self._decode(self._next(), "DEFAULT")
        if not self.full:
            self._decode(packet, "DEFAULT")

    def _decide(self, *, at_once: bool = False) -> bool:
        """Decode or drop the first packets; False where more must be seen before that, unless ``at_once``."""
        known = len(self._ahead) - _AHEAD
        while self._unwanted < known:
            packet, restart = self._ahead[self._unwanted]
            if restart and self._unwanted:  # all before it are needed by none
                if self.entered is None:
                    self.entered = self._time(self._ahead[0][0])
                for _ in range(self._unwanted):
                    self._next()
                return True
            if self._wanted(self._time(packet)):
                for _ in range(self._unwanted):
                    self._decode(self._next(), "NONREF")
                self._decode(self._next(), "DEFAULT")
                return True
            self._unwanted += 1
        full = self._unwanted > _MOST_WAITING or self._waiting_bytes > _MOST_BYTES
        if known < 1 or not (at_once or full):
            return False
        self._decode(self._next(), "NONREF")
        return True

    def _next(self) -> av.Packet:
        packet, _ = self._ahead.popleft()
        self._waiting_bytes -= packet.size
        self._unwanted = max(0, self._unwanted - 1)
        return packet

    def _restarts(self, packet: av.Packet) -> bool:
        context = self.stream.codec_context
        return restarts(context.name, bytes(packet), context.extradata)

    def finish(self) -> list[np.ndarray] | None:
        """Return one frame per moment, or None where there is no frame at all."""
        if self._last is None:
            return None
        if not self.full:  # the container promised more than it holds: its last frame stands until the end
            last = self._array(self._last)
            self._taken += [last] * (len(self._moments) - len(self._taken))
        return self._taken

    def _time(self, packet: av.Packet) -> float:
        return (packet.pts or 0) * self._unit - self._origin

    def _wanted(self, time: float) -> bool:
        """Return whether a moment lies between the end of the previous frame and the end of this one."""
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
        # A bare stream has no times: its frames follow each other.
        time = self.reached if frame.time is None else frame.time - self._origin
        if self.first is None:
            self.first = time
        if self.entered is None:
            self.entered = time
        # A frame stands for [time, time + step); it serves every moment that it covers.
        array: np.ndarray | None = None
        while not self.full and time + self._step > self._moments[len(self._taken)]:
            array = self._array(frame) if array is None else array
            self._taken.append(array)
            self.full = len(self._taken) == len(self._moments)
        self._last, self.reached = frame, max(self.reached, time + self._step)

    def _array(self, frame: av.VideoFrame) -> np.ndarray:
        if frame.width * frame.height > MOST_PIXELS:
            raise Unusable("too_large", f"a frame of {frame.width} × {frame.height} pixels")
        turn = turn_of(frame)
        if self._size is None:
            self._size = self._fit(*shown_size(self.stream, frame, turn))
        height, width = turn.size(*self._size)
        scaled = self._scaler.reformat(frame, width, height, "rgb24", interpolation="BICUBIC", threads=1)
        array: np.ndarray = scaled.to_ndarray()
        return array if turn == UPRIGHT else turn.of(array)


class Voice:
    """Reads a sound track: mixed to mono, resampled, on the clip's clock, cut to the span.

    Args:
        stream: of sound.
        span: what is wanted, in seconds on the clip's clock.
        origin: where that clock begins in the times of the stream, in seconds.
    """

    def __init__(self, stream: av.AudioStream, span: Span, origin: float) -> None:
        self.stream, self._origin = stream, origin
        self._line = Timeline(span.start, span.end)
        self._mono: Mono | None = None

    @property
    def full(self) -> bool:
        """Whether the end of the span has been reached."""
        return self._line.full

    @property
    def first(self) -> float | None:
        """The time of the first decoded sample, in seconds; None before there is one."""
        return self._line.first

    @property
    def entered(self) -> float | None:
        """The same as ``first``: no sound is left out."""
        return self._line.first

    @property
    def reached(self) -> float:
        """The end of the last decoded sample, in seconds."""
        return self._line.reached

    def feed(self, packet: av.Packet) -> None:
        """Decode and mix a packet."""
        for frame in cast("list[av.AudioFrame]", packet.decode()):
            time = None if frame.time is None else frame.time - self._origin
            for block in self._line.add(samples_of(frame), frame.sample_rate, time):
                self._mono = self._mono or Mono(frame.sample_rate)
                self._mono.add(block)

    def finish(self) -> np.ndarray | None:
        """Return float32 ``[samples]``, or None where nothing was decoded."""
        return self._mono.finish() if self._mono is not None else None


def samples_of(frame: av.AudioFrame) -> np.ndarray:
    """Convert a decoded frame to float32 ``[channels, samples]``, full scale at 1."""
    import numpy as np

    if frame.layout.nb_channels == 1 and frame.format.name in ("flt", "fltp"):  # what most decoders give of speech
        return np.frombuffer(cast(Any, frame.planes[0]), np.float32)[None, : frame.samples]
    if frame.format.is_planar and frame.layout.nb_channels > _MOST_PLANES:
        frame = _interleaved(frame)
    array = frame.to_ndarray()
    if not frame.format.is_planar:
        array = array.reshape(-1, frame.layout.nb_channels).T
    if array.dtype.kind == "f":
        return array.astype(np.float32, copy=False)
    middle = 128.0 if array.dtype.kind == "u" else 0.0
    return ((array.astype(np.float32) - middle) / float(2 ** (8 * array.dtype.itemsize - 1))).astype(np.float32)


def _interleaved(frame: av.AudioFrame) -> av.AudioFrame:
    import av

    frame.pts = None
    resampler = av.AudioResampler(format="flt", layout=frame.layout, rate=frame.sample_rate)
    return resampler.resample(frame)[0]

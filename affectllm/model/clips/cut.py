"""Cut clips: write a span, the sound track or the pictures to a file, for trainers that take only files.

What is cut is what our own reader takes: on the same clock, upright, at the same level. PyAV brings its own FFmpeg with
libx264. One encoder thread and no names of versions: the same file gives the same bytes wherever the same PyAV runs.
"""

from __future__ import annotations

import errno
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError
from affectllm.instruct.exports.media import Cut, Refused
from affectllm.model.clips.budget import asked_span
from affectllm.model.clips.container import film, guessed, opened, origin_of, packets, sound_track
from affectllm.model.clips.fence import Unusable
from affectllm.model.clips.mono import Timeline, checked
from affectllm.model.clips.stream_readers import samples_of
from affectllm.model.clips.upright import UPRIGHT, shown_size, turn_of

if TYPE_CHECKING:
    import av
    import numpy as np

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # which say nothing about a clip
_BITEXACT = 1 << 23  # AV_CODEC_FLAG_BITEXACT
# Visually lossless. The slower presets let x264 look ahead by macroblock trees, which gives other bytes every few runs.
_PICTURES = {"preset": "superfast", "crf": "18"}
_AAC_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_AAC_BITS = 192_000
_FINE = Fraction(1, 90_000)  # seconds; the unit of times in the cut video
_ROUNDING = 1e-6  # seconds
_NEAR, _LATE = 1.0, 0.05  # seconds: nearer beginnings are reached by decoding; how far seeking may lead too far


class _TooFar(Exception):
    """Seeking went past the beginning of the span, or to a packet that cannot be decoded from there."""


@dataclass(frozen=True)
class _Source:
    """A file and the requested span, in seconds on its clock.

    Args:
        seeks: whether to go to the beginning of the span at once; not every container leads there.
    """

    path: Path
    start: float
    end: float
    seeks: bool

    def seek(self, container: av.container.InputContainer, origin: float) -> None:
        if self.seeks and not guessed(container):
            container.seek(int((origin + self.start - 0.5) * 1_000_000))

    def arrived(self, first: float) -> None:
        """Raise ``_TooFar`` where the first content begins after the span does."""
        if self.seeks and first > self.start + _LATE:
            raise _TooFar


def tracks(source: Path) -> frozenset[str] | Refused:
    """Return which of ``video`` and ``audio`` a file has."""
    try:
        with opened(source) as container:
            return frozenset(stream.type for stream in container.streams) & {"video", "audio"}
    except Unusable as error:
        return Refused(error.reason, str(source), error.detail)


def cut(source: Path, target: Path, request: Cut) -> Refused | None:
    """Write the requested part of ``source`` to ``target``; on failure nothing is left there.

    A refusal has a reason of ``model.media.MediaError``.

    Raises:
        OSError: when there is no room for it.
    """
    make = {"sound": _sound, "video": _video, "silent": _silent}[request.kind]
    scratch = target.with_name(f".part.{target.name}")
    try:
        start, end = asked_span(request.start, request.end)
        try:
            make(_Source(source, start, end, seeks=start > _NEAR), scratch, request)
        except (_TooFar, Unusable):
            if start <= _NEAR:
                raise
            make(_Source(source, start, end, seeks=False), scratch, request)
        scratch.replace(target)
        return None
    except Unusable as error:
        _raise_disk(error.__cause__)
        return Refused(error.reason, str(source), error.detail)
    except (AffectError, ImportError):
        raise
    except Exception as error:  # as in ``model.fence``
        _raise_disk(error)
        return Refused("undecodable", str(source), f"{type(error).__name__}: {error}")
    finally:
        scratch.unlink(missing_ok=True)


def _raise_disk(error: BaseException | None) -> None:
    if error is not None and getattr(error, "errno", None) in _DISK:
        raise error


def _sound(source: _Source, target: Path, request: Cut) -> None:
    """Write the sound as 16-bit PCM, at its own rate and with its own channels: music is not speech at 16 kHz."""
    with opened(source.path) as container:
        waves = _waves(container, source)
        first = next(waves, None)
        if first is None:
            raise Unusable("too_short", "no sound in the span")
        channels, rate = len(first[0]), first[1]
        with wave.open(str(target), "wb") as file:
            file.setparams((channels, 2, rate, 0, "NONE", "not compressed"))
            for block, _ in chain((first,), waves):
                file.writeframes(_in_16_bits(_with_channels(block, channels)))


def _in_16_bits(block: np.ndarray) -> bytes:
    import numpy as np

    return np.clip(np.rint(block.T * 32_768), -32_768, 32_767).astype("<i2").tobytes()


def _silent(source: _Source, target: Path, request: Cut) -> None:
    """Copy the video packets without re-encoding; the display matrix is kept."""
    import av

    with opened(source.path) as container:
        stream = film(container)
        with av.open(str(target), "w", options={"fflags": "+bitexact"}) as out:
            copy = out.add_stream_from_template(stream)
            for packet in packets(container, stream, source.path):
                if packet.dts is not None:
                    packet.stream = copy
                    out.mux(packet)


def _video(source: _Source, target: Path, request: Cut) -> None:
    """Encode a span as H.264, with the sound as AAC where requested; frames keep their intervals."""
    import av

    with opened(source.path) as container:
        stream = film(container)
        track = sound_track(container) if request.sound else None
        frames = _frames(container, source, stream)
        first = next(frames, None)
        if first is None:
            raise Unusable("too_short", "no frame in the span")
        options = {"fflags": "+bitexact", "movflags": "+faststart"}
        with av.open(str(target), "w", format="mp4", options=options) as out:
            pictures = _picture_stream(out, stream, *shown_size(stream, first[0], turn_of(first[0])))
            voice = None if track is None else _voice_stream(out, track)
            for frame, time in chain((first,), frames):
                out.mux(pictures.encode(_upright(frame, pictures, time - source.start)))
            out.mux(pictures.encode(None))
            if voice is not None:
                _encode_voice(source, out, voice)


def _picture_stream(
    out: av.container.OutputContainer, stream: av.VideoStream, height: int, width: int
) -> av.VideoStream:
    encoder = out.add_stream("libx264", rate=stream.average_rate or 25)
    # H.264 in 4:2:0, which every decoder reads, needs even sides.
    encoder.width, encoder.height, encoder.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
    encoder.codec_context.thread_count = 1
    encoder.codec_context.flags |= _BITEXACT
    encoder.codec_context.time_base = _FINE
    encoder.options = dict(_PICTURES)
    return encoder


def _voice_stream(out: av.container.OutputContainer, stream: av.AudioStream) -> av.AudioStream:
    rate = stream.rate if stream.rate in _AAC_RATES else min(_AAC_RATES, key=lambda aac: abs(aac - stream.rate))
    encoder = out.add_stream("aac", rate=rate, layout="stereo" if stream.layout.nb_channels == 2 else "mono")
    encoder.bit_rate = _AAC_BITS
    encoder.codec_context.flags |= _BITEXACT
    return encoder


def _frames(
    container: av.container.InputContainer, source: _Source, stream: av.VideoStream
) -> Iterator[tuple[av.VideoFrame, float]]:
    """Yield the frames that are shown within the span, with their times on the clip's clock."""
    stream.thread_type = "AUTO"
    origin, step = origin_of(container), 1 / float(stream.average_rate or 25)
    following: float | None = None
    source.seek(container, origin)
    for packet in packets(container, stream, source.path):
        for frame in packet.decode():
            time = following or 0.0 if frame.time is None else float(frame.time) - origin
            if following is None:
                source.arrived(time)
            following = time + step
            if time >= source.end - _ROUNDING:
                return
            if following > source.start + _ROUNDING:
                yield frame, time


def _upright(frame: av.VideoFrame, encoder: av.VideoStream, time: float) -> av.VideoFrame:
    """Turn a frame upright, and give it the size and time at which it is encoded."""
    import av

    turn = turn_of(frame)
    if turn != UPRIGHT:
        height, width = turn.size(encoder.height, encoder.width)
        frame = av.VideoFrame.from_ndarray(turn.of(frame.reformat(width, height, "rgb24").to_ndarray()), format="rgb24")
    scaled = frame.reformat(encoder.width, encoder.height, "yuv420p")
    scaled.pts, scaled.time_base = round(max(0.0, time) / _FINE), _FINE
    scaled.pict_type = 0  # what was a key frame there need not be one here
    return scaled


def _encode_voice(source: _Source, out: av.container.OutputContainer, encoder: av.AudioStream) -> None:
    import av
    import numpy as np

    rate, layout, place = encoder.rate, encoder.layout.name, 0
    with opened(source.path) as container:  # a second pass: the first has decoded past the span
        for wave in _resampled(_waves(container, source), rate, encoder.layout.nb_channels):
            clipped = np.ascontiguousarray(np.clip(wave, -1.0, 1.0))
            frame = av.AudioFrame.from_ndarray(clipped, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, place, Fraction(1, rate)
            out.mux(encoder.encode(frame))
            place += wave.shape[1]
    out.mux(encoder.encode(None))


def _with_channels(block: np.ndarray, channels: int) -> np.ndarray:
    """Return a block as it is, or its mean in each channel where the channel count differs: the level stays."""
    return block if len(block) == channels else block.mean(axis=0, keepdims=True).repeat(channels, 0)


def _resampled(blocks: Iterator[tuple[np.ndarray, int]], rate: int, channels: int) -> Iterator[np.ndarray]:
    """Resample blocks to ``rate`` with one or two channels; more become their mean, as in our own reader."""
    import numpy as np
    import soxr

    resampler: Any = None
    for block, own in blocks:
        mixed = _with_channels(block, channels)
        if own != rate and resampler is None:
            resampler = soxr.ResampleStream(own, rate, channels, dtype="float32")
        part = mixed if resampler is None else resampler.resample_chunk(np.ascontiguousarray(mixed.T)).T
        if part.size:
            yield part
    if resampler is not None:
        part = resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True).T
        if part.size:
            yield part


def _waves(container: av.container.InputContainer, source: _Source) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the samples of a span in blocks (float32 ``[channels, samples]``) with their rate, exact to one sample."""
    stream, origin, line = sound_track(container), origin_of(container), Timeline(source.start, source.end)
    source.seek(container, origin)
    for packet in packets(container, stream, source.path):
        for frame in packet.decode():
            time = None if frame.time is None else float(frame.time) - origin
            if line.first is None:
                source.arrived(time or 0.0)
            for block in line.add(samples_of(frame), frame.sample_rate, time):
                yield checked(block), frame.sample_rate
        if line.full:
            return

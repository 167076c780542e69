"""Cutting clips: a span, a sound track or pictures alone as a file of its own, for trainers that know only files.

PyAV brings its own FFmpeg with libx264. One encoder thread and no names of versions: the same file gives the same
bytes wherever the same PyAV runs.
"""

from __future__ import annotations

import errno
import math
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.instruct.exports.media import Cut, Refused

if TYPE_CHECKING:
    import av

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # which say nothing about a clip
_BITEXACT = 1 << 23  # AV_CODEC_FLAG_BITEXACT
# Visually lossless. The slower presets let x264 look ahead by macroblock trees, which gives other bytes every few runs.
_PICTURES = {"preset": "superfast", "crf": "18"}
_AAC_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_AAC_BITS = 192_000
_FINE = Fraction(1, 90_000)  # seconds; the unit of times in the cut video
_ROUNDING = 1e-6  # seconds


def tracks(source: Path) -> frozenset[str] | Refused:
    """Which of ``video`` and ``audio`` a file has."""
    import av

    try:
        with av.open(str(source)) as container:
            return frozenset(stream.type for stream in container.streams) & {"video", "audio"}
    except (av.FFmpegError, EOFError, ValueError) as error:
        return Refused("unreadable", str(source), str(error))


def cut(source: Path, target: Path, wanted: Cut) -> Refused | None:
    """Write what is wanted of ``source`` into ``target``; nothing is left there when that fails.

    A refusal has the reason ``unreadable``, ``no_video_stream``, ``no_audio_stream`` or ``too_short``.

    Raises:
        OSError: when there is no room for it.
    """
    import av

    make = {"sound": _sound, "video": _video, "silent": _silent}[wanted.kind]
    scratch = target.with_name(f".part.{target.name}")
    try:
        refused = make(source, scratch, wanted)
        if refused is None:
            scratch.replace(target)
        return refused
    except (av.FFmpegError, EOFError, ValueError) as error:
        if getattr(error, "errno", None) in _DISK:
            raise
        return Refused("unreadable", str(source), str(error))
    finally:
        scratch.unlink(missing_ok=True)


def _sound(source: Path, target: Path, wanted: Cut) -> Refused | None:
    """The sound as 16-bit PCM, at its own rate and with its own channels: music is not speech at 16 kHz."""
    import av

    with av.open(str(source)) as container:
        if not container.streams.audio:
            return Refused("no_audio_stream", str(source))
        stream = container.streams.audio[0]
        with wave.open(str(target), "wb") as file:
            file.setparams((stream.layout.nb_channels, 2, stream.rate, 0, "NONE", "not compressed"))
            for block in _waves(container, stream, _span(wanted), stream.rate, "s16"):
                file.writeframes(block.tobytes())
            heard = file.getnframes()
    return None if heard else Refused("too_short", str(source), "no sound in the span")


def _silent(source: Path, target: Path, wanted: Cut) -> Refused | None:
    """The pictures, packet by packet, without encoding them again."""
    import av

    with av.open(str(source)) as container:
        if not container.streams.video:
            return Refused("no_video_stream", str(source))
        stream = container.streams.video[0]
        with av.open(str(target), "w", options={"fflags": "+bitexact"}) as out:
            copy = out.add_stream_from_template(stream)
            for packet in container.demux(stream):
                if packet.dts is not None:
                    packet.stream = copy
                    out.mux(packet)
    return None


def _video(source: Path, target: Path, wanted: Cut) -> Refused | None:
    """A span as H.264, with the sound as AAC where it is wanted; pictures keep their distances in time."""
    import av

    span = _span(wanted)
    with av.open(str(source)) as container:
        if not container.streams.video:
            return Refused("no_video_stream", str(source))
        if wanted.sound and not container.streams.audio:
            return Refused("no_audio_stream", str(source))
        options = {"fflags": "+bitexact", "movflags": "+faststart"}
        with av.open(str(target), "w", format="mp4", options=options) as out:
            pictures = _picture_stream(out, container.streams.video[0])
            voice = _voice_stream(out, container.streams.audio[0]) if wanted.sound else None
            shown = _encode_pictures(container, out, pictures, span)
            if voice is not None and shown:
                _encode_voice(source, out, voice, span)
    return None if shown else Refused("too_short", str(source), "no frame in the span")


def _span(wanted: Cut) -> tuple[float, float]:
    return wanted.start or 0.0, math.inf if wanted.end is None else wanted.end


def _picture_stream(out: av.container.OutputContainer, stream: av.VideoStream) -> av.VideoStream:
    made = out.add_stream("libx264", rate=stream.average_rate or 25)
    # H.264 in 4:2:0, which every decoder reads, needs even sides.
    made.width, made.height, made.pix_fmt = (
        stream.width + stream.width % 2,
        stream.height + stream.height % 2,
        "yuv420p",
    )
    made.codec_context.thread_count = 1
    made.codec_context.flags |= _BITEXACT
    made.codec_context.time_base = _FINE
    made.options = dict(_PICTURES)
    return made


def _voice_stream(out: av.container.OutputContainer, stream: av.AudioStream) -> av.AudioStream:
    rate = stream.rate if stream.rate in _AAC_RATES else min(_AAC_RATES, key=lambda known: abs(known - stream.rate))
    layout = "mono" if stream.layout.nb_channels == 1 else "stereo"
    made = out.add_stream("aac", rate=rate, layout=layout)
    made.bit_rate = _AAC_BITS
    made.codec_context.flags |= _BITEXACT
    return made


def _encode_pictures(
    container: av.container.InputContainer,
    out: av.container.OutputContainer,
    made: av.VideoStream,
    span: tuple[float, float],
) -> int:
    """Encode the frames that stand for a moment of the span, and return how many."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    origin, step = _origin(stream), 1 / float(stream.average_rate or 25)
    shown = 0
    _seek(container, span[0])
    for frame in container.decode(stream):
        time = float(frame.time or 0.0) - origin
        if time >= span[1] - _ROUNDING:
            break
        if time + step <= span[0] + _ROUNDING:
            continue
        scaled = frame.reformat(made.width, made.height, "yuv420p")
        scaled.pts, scaled.time_base = round(max(0.0, time - span[0]) / _FINE), _FINE
        scaled.pict_type = 0  # what was a key frame there need not be one here
        out.mux(made.encode(scaled))
        shown += 1
    if shown:
        out.mux(made.encode(None))
    return shown


def _encode_voice(
    source: Path, out: av.container.OutputContainer, made: av.AudioStream, span: tuple[float, float]
) -> None:
    import av

    rate, layout, place = made.rate, made.layout.name, 0
    with av.open(str(source)) as container:  # a second pass: the first has decoded past the span
        for block in _waves(container, container.streams.audio[0], span, rate, "fltp", layout):
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, place, Fraction(1, rate)
            out.mux(made.encode(frame))
            place += block.shape[-1]
    out.mux(made.encode(None))


def _waves(
    container: av.container.InputContainer,
    stream: av.AudioStream,
    span: tuple[float, float],
    rate: int,
    form: str,
    layout: str | None = None,
) -> Iterator[Any]:
    """The samples of a span in blocks, exact to one sample; interleaved or planar as ``form`` is."""
    import av

    channels = stream.layout.nb_channels if layout is None else (1 if layout == "mono" else 2)
    resampler = av.AudioResampler(format=form, layout=layout or stream.layout.name, rate=rate)
    width = channels if form == "s16" else 1  # numbers a sample takes along the last axis
    first: int | None = None  # place of the next sample, counted from the beginning of the stream
    last = math.inf if math.isinf(span[1]) else round(span[1] * rate)
    begin = round(span[0] * rate)
    _seek(container, span[0])
    origin = _origin(stream)
    for frame in _with_end(container, stream):
        if frame is not None:
            if first is None:
                first = round((float(frame.time or 0.0) - origin) * rate)
            frame.pts = None  # gaps in the times would make the resampler refuse; samples are contiguous
        for part in resampler.resample(frame):
            assert first is not None
            block = part.to_ndarray()
            count = block.shape[-1] // width
            low, high = max(0, begin - first), min(count, last - first)
            if low < high:
                yield block[:, int(low) * width : int(high) * width]
            first += count
        if first is not None and first >= last:
            return


def _with_end(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[Any]:
    yield from container.decode(stream)
    yield None  # brings out what the resampler holds back


def _origin(stream: Any) -> float:
    return float((stream.start_time or 0) * (stream.time_base or 0))


def _seek(container: av.container.InputContainer, start: float) -> None:
    if start > 1.0:
        container.seek(int((start - 0.5) * 1_000_000))

"""Open a container with FFmpeg; its tracks share one clock, which begins at the first start of a track."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.model.clips.fence import MOST_PIXELS, Unusable

if TYPE_CHECKING:
    import av

# Demuxers that open other files or addresses, wait for more to come, or take any text for pictures.
_REFUSED = frozenset(
    {
        *("hls", "applehttp", "concat", "ffconcat", "dash", "webm_dash_manifest", "sdp", "rtsp", "rtp", "sap", "imf"),
        *("lavfi", "vobsub", "vapoursynth", "avisynth", "image2", "image2pipe", "x11grab", "kmsgrab", "fbdev", "alsa"),
        *("oss", "v4l2", "tty", "ansi", "bin", "adf", "idf", "xbin", "data", "rawvideo", "bitpacked"),
    }
)
# Without a header that says how long they are; FFmpeg guesses by the bit rate of the first packets.
_GUESSED = frozenset(
    {
        *("aac", "mp3", "loas", "ac3", "eac3", "dts", "dtshd", "mlp", "truehd", "amr", "amrnb", "amrwb", "obu"),
        *("h261", "h263", "h264", "hevc", "vvc", "m4v", "mpegvideo", "mjpeg"),
    }
)
# Whose header says at which time the file ends, and not how long it lasts; FFmpeg hands that on as a length.
_FROM_ZERO = frozenset({"matroska", "webm", "nut", "asf"})
# Whose length FFmpeg takes from the file's last bytes where the header has none, also where these were cut off.
_FROM_THE_TAIL = frozenset({"flv"})
_BELIEVED = 0.5  # seconds by which packets may outlast such a length
_PATIENCE = 300.0  # seconds for one read; a file on a slow disk answers sooner, a loop inside a demuxer never does
_PRIMING = 0.1  # seconds that a codec needs before its first sample is heard; containers give it a negative time


@contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
    """Open the container at ``path``; FFmpeg may read no other file.

    Raises:
        Unusable: ``unreadable``, when FFmpeg refuses it, then or while it is read.
    """
    import av

    _without_log()
    options = {"format_whitelist": _demuxers(), "protocol_whitelist": "file"}
    try:
        with av.open(f"file:{path}", options=options, timeout=_PATIENCE, metadata_errors="replace") as container:
            yield container
    except (av.FFmpegError, EOFError) as error:
        raise Unusable("unreadable", str(error)) from error


def _without_log() -> None:
    """Let FFmpeg's words not reach Python, as PyAV has it until something asks for them (older torchvision does).

    A thread of the decoder that says something then waits for the interpreter's lock, which whoever closes the clip
    holds while it waits for that thread: neither goes on (PyAV's issues 751 and 909).
    """
    import av.logging

    if av.logging.get_level() is not None:
        av.logging.set_level(None)


@cache
def _demuxers() -> str:
    import av

    return ",".join(sorted(name for name in av.formats_available if not _REFUSED & set(name.split(","))))


def film(container: av.container.InputContainer) -> av.VideoStream:
    """Return the first video track; an album cover is none.

    Raises:
        Unusable: ``no_video_stream``, ``unreadable`` for an unknown codec, or ``too_large`` by the header.
    """
    import av

    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            _check_codec(stream)
            if stream.width * stream.height > MOST_PIXELS:
                raise Unusable("too_large", f"frames of {stream.width} × {stream.height} pixels")
            stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
            return stream
    raise Unusable("no_video_stream")


def sound_track(container: av.container.InputContainer) -> av.AudioStream:
    """Return the first sound track.

    Raises:
        Unusable: ``no_audio_stream``, or ``unreadable`` for an unknown codec.
    """
    if not container.streams.audio:
        raise Unusable("no_audio_stream")
    _check_codec(container.streams.audio[0])
    return container.streams.audio[0]


def _check_codec(stream: av.stream.Stream) -> None:
    if getattr(stream, "codec_context", None) is None:
        raise Unusable("unreadable", f"FFmpeg has no decoder for the codec of the {stream.type}")


def origin_of(container: av.container.InputContainer) -> float:
    """Return the origin of the clip's clock in the container's own timestamps: the first start of a track."""
    starts = [
        float(stream.start_time * stream.time_base)
        for stream in (*container.streams.video, *container.streams.audio)
        if stream.start_time is not None and stream.time_base
    ]
    first = min(starts, default=0.0)
    return 0.0 if -_PRIMING < first < 0 else first


def end_of(stream: av.stream.Stream, origin: float) -> float | None:
    """Return the end of a track on the clip's clock by the container's own index, None where that says nothing."""
    if not stream.duration or not stream.time_base or guessed(stream.container):
        return None
    start = 0 if _is_one_of(stream.container, _FROM_ZERO) else stream.start_time or 0
    return float((stream.duration + start) * stream.time_base) - origin


def guessed(container: Any) -> bool:
    """Return whether FFmpeg's duration is an estimate."""
    return _is_one_of(container, _GUESSED)


def _is_one_of(container: Any, names: frozenset[str]) -> bool:
    return bool(names & set(container.format.name.split(",")))


def duration_of(container: av.container.InputContainer, path: Path, enough: float) -> float:
    """Return the duration of a clip in seconds; where no header states it, its packets are counted.

    Args:
        enough: seconds after which the counting stops, because more would not be used.
    """
    if not container.duration or guessed(container):
        return measured(path, enough)
    if _is_one_of(container, _FROM_THE_TAIL):
        stated, counted = float(container.duration) / 1_000_000, measured(path, enough)
        return counted if counted > stated + _BELIEVED else stated
    if not _is_one_of(container, _FROM_ZERO):
        return float(container.duration) / 1_000_000
    ends = [float(s.duration * s.time_base) for s in container.streams if s.duration and s.time_base]
    return max(ends, default=float(container.duration) / 1_000_000) - origin_of(container)


def measured(path: Path, enough: float) -> float:
    """Return the seconds to the end of the last packet of sound or pictures, without decoding."""
    last = 0.0
    with opened(path) as container:
        origin = origin_of(container)
        sums: dict[int, float] = {}
        for packet in packets(container, [*container.streams.video, *container.streams.audio], path):
            length = float(packet.duration or 0) * float(packet.time_base or 0)
            index = packet.stream.index
            sums[index] = sums.get(index, 0.0) + length
            own = sums[index] if packet.pts is None else float(packet.pts * packet.time_base) - origin + length
            last = max(last, own)
            if last > enough:
                break
    return last


def packets(container: av.container.InputContainer, streams: Any, path: Path) -> Iterator[Any]:
    """Yield the packets of ``streams``, including the empty flush packets at their ends.

    Raises:
        Unusable: ``undecodable``, for a demuxer that goes round in a circle: every packet has a byte of the file.
    """
    left = path.stat().st_size + 10_000
    for packet in container.demux(streams):
        left -= 1
        if left < 0:
            raise Unusable("undecodable", "more packets than bytes: the file is read in a circle")
        yield packet


Fit = Callable[[int, int], tuple[int, int]]

"""Read sound files through libsndfile, which is faster than FFmpeg; FFmpeg reads what it does not know."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from affectllm.model.clips.budget import Budget, Span, check_end, span_of
from affectllm.model.clips.fence import Unusable
from affectllm.model.clips.mono import Mono

if TYPE_CHECKING:
    import numpy as np

_BLOCK = 1 << 16  # frames read at a time, so that a header that claims years costs nothing
_UNKNOWN = 0x7FFF0000  # sizes from here on, and 0, are those of writers that could not go back to the header
_MP3_HEAD = 4096  # bytes in which the first frame begins


def read_sound(path: Path, budget: Budget, start: float, end: float) -> tuple[np.ndarray, Span] | None:
    """Read the sound of a file, mono at ``SAMPLING_RATE``, and the span that was read.

    None where libsndfile does not know how much there is: it guesses the length of an MP3 without a header that counts
    its frames, and takes a WAV that was streamed for empty.

    Raises:
        soundfile.LibsndfileError: for what libsndfile cannot read.
        Unusable: ``too_long``, ``truncated``, ``not_finite``.
    """
    import soundfile

    with soundfile.SoundFile(path) as file:
        rate = file.samplerate
        seconds = file.frames / rate
        promised = promised_seconds(path, rate)
        if not file.frames or (promised is None and file.format == "MP3"):
            return None
        if promised is None and file.format == "FLAC":
            promised = seconds  # of its own header
        span = span_of(max(seconds, promised or 0.0), start, end, budget)
        file.seek(min(int(span.start * rate), file.frames))
        mono, left = Mono(rate), math.ceil((span.end - span.start) * rate)
        read = 0
        while read < left:
            block = file.read(min(_BLOCK, left - read), dtype="float32", always_2d=True)
            if not len(block):
                break
            mono.add(block.T)
            read += len(block)
    if promised is not None:
        check_end("audio", promised, min(seconds, span.start) + read / rate, span)
    if span.end >= seconds:
        check_last_page(path)
    return mono.finish(), span


def promised_seconds(path: Path, rate: int) -> float | None:
    """Return the length in seconds by the file's own header, None where it has none or does not say.

    WAV, RF64 and W64 (bytes of sound), MP3 (frames in a Xing, Info or VBRI header).
    """
    with path.open("rb") as stream:
        head = stream.read(4)
        stream.seek(0)
        if head in (b"RIFF", b"RF64", b"BW64"):
            return _riff(stream)
        if head == b"riff":
            return _w64(stream)
        frames = _mp3_frames(stream)
    return None if frames is None else frames / rate


def _riff(stream: BinaryIO) -> float | None:
    stream.seek(12)
    bytes_a_second, long_size = 0, 0
    while len(head := stream.read(8)) == 8:
        kind, size = struct.unpack("<4sI", head)
        if kind == b"data":
            size = long_size if size == 0xFFFFFFFF and long_size else size
            stated = size > 0 and (size < _UNKNOWN or size == long_size)
            return size / bytes_a_second if stated and bytes_a_second else None
        body = stream.read(min(size, 64)) if kind in (b"fmt ", b"ds64") else b""
        if kind == b"fmt " and len(body) >= 12:
            bytes_a_second = struct.unpack_from("<I", body, 8)[0]
        elif kind == b"ds64" and len(body) >= 16:
            long_size = struct.unpack_from("<Q", body, 8)[0]
        stream.seek(size + size % 2 - len(body), 1)
    return None


def _w64(stream: BinaryIO) -> float | None:
    stream.seek(40)
    bytes_a_second = 0
    while len(head := stream.read(24)) == 24:
        kind, size = head[:4], struct.unpack_from("<Q", head, 16)[0]
        if size < 24 or size >= 1 << 62:
            return None
        if kind == b"data":
            return (size - 24) / bytes_a_second if bytes_a_second and size > 24 else None
        body = stream.read(min(size - 24, 64)) if kind == b"fmt " else b""
        if len(body) >= 12:
            bytes_a_second = struct.unpack_from("<I", body, 8)[0]
        stream.seek(-(-size // 8) * 8 - 24 - len(body), 1)
    return None


def _mp3_frames(stream: BinaryIO) -> int | None:
    """Return the sample count by the header (Xing, Info or VBRI) that encoders put into an MP3's first frame."""
    head = stream.read(10)
    if head[:3] == b"ID3" and len(head) == 10:
        # The tag's length is "syncsafe": seven bits a byte, so that it cannot look like the start of a frame.
        stream.seek(10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)))
        head = b""
    head += stream.read(_MP3_HEAD)
    sync = head.find(b"\xff")
    if sync < 0 or len(head) < sync + 4 or head[sync + 1] & 0xE6 != 0xE2:  # eleven bits of sync, then layer III
        return None
    samples = 1152 if head[sync + 1] & 0x18 == 0x18 else 576  # per frame, of MPEG 1 and of MPEG 2 and 2.5
    for name in (b"Xing", b"Info"):
        if (place := head.find(name, sync, sync + 40)) >= 0 and head[place + 7] & 1:
            return int(struct.unpack_from(">I", head, place + 8)[0]) * samples
    place = head.find(b"VBRI", sync, sync + 40)
    return int(struct.unpack_from(">I", head, place + 14)[0]) * samples if place >= 0 else None


def check_last_page(path: Path) -> None:
    """Raise ``truncated`` where the last page of an Ogg file, which promises no length, is not whole."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if stream.read(4) != b"OggS":
            return
        stream.seek(max(0, size - (27 + 255 + 255 * 255)))
        tail = stream.read()
    place = tail.rfind(b"OggS")
    head, segments = tail[place : place + 27], 0
    if place >= 0 and len(head) == 27:
        segments = head[26]
    lacing = tail[place + 27 : place + 27 + segments]
    if place < 0 or len(head) < 27 or len(lacing) < segments or place + 27 + segments + sum(lacing) > len(tail):
        raise Unusable("truncated", "the file ends inside a page of Ogg")

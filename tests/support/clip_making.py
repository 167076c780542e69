"""Clips in many containers and codecs, with notes and starts of tracks of one's choice, made by PyAV."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

FPS, RATE = 25, 48_000
LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 6: "5.1", 7: "6.1", 8: "7.1"}
# Suffix → codecs of pictures and sound. Two suffixes of one container have a word before the dot.
CONTAINERS = {
    "mp4": ("libx264", "aac"),
    "mov": ("libx264", "pcm_s16le"),
    "mkv": ("libx264", "flac"),
    "float.mkv": ("mpeg4", "pcm_f32le"),
    "webm": ("libvpx-vp9", "libopus"),
    "avi": ("mjpeg", "pcm_s16le"),
    "mp3.avi": ("mpeg4", "libmp3lame"),
    "flv": ("flv1", "aac"),
    "ts": ("libx264", "aac"),
    "mpg": ("mpeg2video", "mp2"),
    "3gp": ("mpeg4", "aac"),
    "nut": ("ffv1", "pcm_s24le"),
    "mxf": ("mpeg2video", "pcm_s16le"),
}


def scene(seconds: float = 3.0, height: int = 112, width: int = 160) -> np.ndarray:
    """Grey that brightens by the frame, with a green mark in the upper left quarter."""
    frames = np.empty((round(seconds * FPS), height, width, 3), np.uint8)
    for index, frame in enumerate(frames):
        frame[:] = min(255, 30 + 2 * index)
        frame[: height // 2, : width // 2] = (0, 200, 0)
    return frames


def tones(seconds: float = 3.0, rate: int = RATE, level: float = 0.5) -> np.ndarray:
    """300 Hz in the first half second, 600 in the second, and so on."""
    moments = np.arange(round(seconds * rate)) / rate
    step = np.floor(moments * 2) + 1
    return (level * np.sin(2 * np.pi * 300 * step * moments)).astype(np.float32)


def write(
    path: Path,
    codecs: tuple[str, str],
    frames: np.ndarray | None,
    sound: np.ndarray | None,
    *,
    starts: tuple[float, float] = (0.0, 0.0),
    rate: int = RATE,
    options: Mapping[str, str] | None = None,
    shape: Fraction | None = None,
) -> Path:
    """Write ``frames`` and ``sound`` (``[channels, samples]``) so that each begins at its own moment."""
    with av.open(str(path), "w", options={"strict": "-2", **(options or {})}) as container:
        tracks: list[tuple[Any, list[tuple[float, Any]]]] = []
        if frames is not None:
            stream: Any = container.add_stream(codecs[0], rate=FPS)
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt = "yuvj420p" if codecs[0] == "mjpeg" else "yuv420p"
            stream.bit_rate = 4_000_000
            stream.codec_context.options = {"strict": "-2"}
            if shape is not None:
                stream.sample_aspect_ratio = shape
            tracks.append((stream, list(_pictures(frames, stream.pix_fmt, starts[0]))))
        if sound is not None:
            stream = container.add_stream(codecs[1], rate=rate, layout=LAYOUTS[len(sound)])
            stream.codec_context.options = {"strict": "-2"}
            tracks.append((stream, list(_sounds(sound, rate, starts[1]))))
        everything = sorted(((time, place) for place, (_, items) in enumerate(tracks) for time, _ in items))
        queues = [iter(items) for _, items in tracks]
        for _, place in everything:
            container.mux(tracks[place][0].encode(next(queues[place])[1]))
        for stream, _ in tracks:
            container.mux(stream.encode(None))
    return path


def _pictures(frames: np.ndarray, form: str, start: float) -> Any:
    for index, array in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(array, format="rgb24").reformat(format=form)
        frame.pts, frame.time_base = index + round(start * FPS), Fraction(1, FPS)
        yield start + index / FPS, frame


def _sounds(sound: np.ndarray, rate: int, start: float) -> Any:
    block = rate // FPS
    for begin in range(0, sound.shape[1], block):
        # Interleaved: PyAV cannot fill more than seven planes.
        part = np.ascontiguousarray(sound[:, begin : begin + block].T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(part, format="flt", layout=LAYOUTS[len(sound)])
        frame.sample_rate, frame.pts, frame.time_base = rate, begin + round(start * rate), Fraction(1, rate)
        yield start + begin / rate, frame


def with_matrix(source: Path, target: Path, a: int, b: int, c: int, d: int) -> Path:
    """Copy an MP4 or MOV with another display matrix in the header of its first track."""
    data = bytearray(source.read_bytes())
    place = data.index(b"tkhd") + 4
    place += 36 + (12 if data[place] else 0) + 4
    assert struct.unpack_from(">i", data, place)[0] == 1 << 16
    numbers = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, place, *numbers)
    target.write_bytes(bytes(data))
    return target


def pitch(wave: np.ndarray, rate: int = 16_000) -> int:
    """The loudest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    return round(int(spectrum.argmax()) * rate / len(wave))


def mark(frame: np.ndarray) -> str:
    """The quarter of a frame that is green."""
    height, width = frame.shape[:2]
    quarters = {
        f"{rows} {columns}": frame[
            slice(None, height // 3) if rows == "upper" else slice(-height // 3, None),
            slice(None, width // 3) if columns == "left" else slice(-width // 3, None),
        ]
        for rows in ("upper", "lower")
        for columns in ("left", "right")
    }
    return max(quarters, key=lambda name: float(quarters[name][..., 1].mean() - quarters[name][..., 0].mean()))

"""Recordings damaged more and more: other pitch, other tempo, a codec's losses, another voice on top."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import soundfile
from scipy.signal import resample

RATE = 16_000
Sound = np.ndarray


def filtered(sound: Sound, *filters: tuple[str, str]) -> Sound:
    """Run a sound through FFmpeg's filters, as PyAV binds them."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="flt", layout="mono")
    nodes = [source, *(graph.add(name, options) for name, options in filters), graph.add("abuffersink")]
    graph.link_nodes(*nodes).configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None], np.float32), "flt", "mono")
    frame.sample_rate = RATE
    pieces = []
    graph.push(frame)
    graph.push(None)
    while True:
        try:
            pieces.append(graph.pull().to_ndarray().reshape(-1))
        except (av.BlockingIOError, av.EOFError):
            return np.concatenate(pieces).astype(np.float32)


def warped(sound: Sound, tempo: float) -> Sound:
    """Another tempo at the same pitch."""
    return filtered(sound, ("atempo", f"{tempo}")) if tempo != 1 else sound


def pitched(sound: Sound, semitones: float) -> Sound:
    """Another pitch, with its formants, at the same tempo."""
    factor = 2 ** (semitones / 12)
    return warped(resample(sound, round(len(sound) / factor)).astype(np.float32), 1 / factor)


def recoded(sound: Sound, kilobits: int) -> Sound:
    """Through MP3 of so few kilobits a second, and back."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as out:
        stream = out.add_stream("mp3", rate=RATE, layout="mono")
        stream.bit_rate = kilobits * 1_000
        frame = av.AudioFrame.from_ndarray(np.int16(np.clip(sound, -1, 1) * 32767)[None], "s16", "mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    buffer.seek(0)
    with av.open(buffer) as back:
        resampler = av.AudioResampler("flt", "mono", RATE)
        frames = [one for frame in back.decode(audio=0) for one in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


def mixed(sound: Sound, other: Sound, decibels: float) -> Sound:
    """Another voice on top, so many decibels below this one."""
    over = np.resize(other, len(sound))
    power = [float(np.sqrt(np.mean(one**2))) + 1e-9 for one in (sound, over)]
    both = sound + over * power[0] / power[1] * 10 ** (-decibels / 20)
    return (both / max(1.0, float(np.abs(both).max()))).astype(np.float32)


def read(path: Path) -> Sound:
    """A recording at 16 kHz, mono."""
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = sound.mean(1)
    return mono if rate == RATE else resample(mono, round(len(mono) * RATE / rate)).astype(np.float32)


def write(path: Path, sound: Sound) -> Path:
    """A recording as WAV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, RATE)
    return path


LEVELS = ("slight", "clear", "heavy")
DAMAGE: dict[str, dict[str, Callable[[Sound, Sound], Sound]]] = {
    "pitch": {
        level: lambda sound, _, by=by: pitched(sound, by) for level, by in zip(LEVELS, (0.25, 3, 9), strict=True)
    },
    "tempo": {
        level: lambda sound, _, by=by: warped(sound, by) for level, by in zip(LEVELS, (1.03, 1.5, 0.5), strict=True)
    },
    "codec": {
        level: lambda sound, _, by=by: recoded(sound, by) for level, by in zip(LEVELS, (128, 24, 8), strict=True)
    },
    "voice": {
        level: lambda sound, other, by=by: mixed(sound, other, by)
        for level, by in zip(LEVELS, (30, 8, -8), strict=True)
    },
}
"""Kind of damage → level → (sound, another voice) → sound; each level is worse than the one before it."""

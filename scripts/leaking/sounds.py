"""Plant copies of sounds: other codecs, rates, depths, levels and lengths."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
import soxr

from affectllm.model.fingerprints.landmarks import RATE, LandmarkIndex, landmarks, phases

CODECS = {
    "MP3, 32 kbit/s": ("libmp3lame", "mp3", 16_000, 32_000),
    "Opus, 24 kbit/s": ("libopus", "ogg", 48_000, 24_000),
    "Opus, 12 kbit/s": ("libopus", "ogg", 48_000, 12_000),
    "AAC, 48 kbit/s": ("aac", "adts", 22_050, 48_000),
    "µ-law, 8 kHz": ("pcm_mulaw", "wav", 8_000, 0),
    "ADPCM": ("adpcm_ms", "wav", 16_000, 0),
}


def rates(corpora: Path, copies: int = 50) -> Iterator[tuple[str, str, int, int, int, int]]:
    """Yield for each part and kind of copy: planted, detected, others named, pairs of other clips compared."""
    dice = random.Random(0)
    parts = {
        "EMO-DB (chosen on)": sorted((corpora / "emodb/wav").glob("*.wav")),
        "RAVDESS and CREMA-D (measured on)": [
            *sorted((corpora / "ravdess").rglob("*.wav")),
            *sorted((corpora / "crema_d/AudioWAV").glob("*.wav")),
        ],
    }
    for part, files in parts.items():
        clips = [_read(file) for file in files]
        index = LandmarkIndex([landmarks(_narrow(*clip)) for clip in clips])
        chosen = dice.sample(range(len(clips)), min(copies, len(clips)))
        asked: dict[str, list[tuple[int, set[int]]]] = {}
        for at in chosen:
            for kind, (sound, rate) in _copies(*clips[at], dice).items():
                matches = {owner for owner, _ in index.matches(phases(_narrow(sound, rate)))}
                asked.setdefault(kind, []).append((at, matches))
        for kind, answers in asked.items():
            others = sum(len(matches - {at}) for at, matches in answers)
            yield (
                part,
                kind,
                len(answers),
                sum(at in matches for at, matches in answers),
                others,
                len(clips) * len(answers),
            )
        named = sum(len(set(dict(index.matches(phases(_narrow(*clip))))) - {at}) for at, clip in enumerate(clips))
        pairs = len(list(combinations(clips, 2))) * 2
        yield part, "other clips of the same studio, speakers and sentences", 0, 0, named, pairs


def _read(file: Path) -> tuple[Any, int]:
    sound, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return sound.mean(axis=1), rate


def _narrow(sound: Any, rate: int) -> Any:
    return soxr.resample(sound, rate, RATE).astype(np.float32)


def _copies(sound: Any, rate: int, dice: random.Random) -> Mapping[str, tuple[Any, int]]:
    length = len(sound)
    begin, end = (int(length * dice.uniform(0.1, 0.33)) for _ in range(2))
    copies = {kind: _coded(sound, rate, *codec) for kind, codec in CODECS.items()}
    copies |= {
        "8 kHz": (soxr.resample(sound, rate, 8_000), 8_000),
        "44.1 kHz": (soxr.resample(sound, rate, 44_100), 44_100),
        "−20 dB": (sound * 0.1, rate),
        "+6 dB over full scale": (np.clip(sound * 2 / np.abs(sound).max(), -1, 1), rate),
        "8 bits": (np.round(sound / np.abs(sound).max() * 127) / 127, rate),
        "start cut by up to a third": (sound[begin:], rate),
        "end cut by up to a third": (sound[: length - end], rate),
        "start and end cut by a third": (sound[length // 3 : length - length // 3], rate),
        "start cut, then Opus 24": _coded(sound[begin:], rate, *CODECS["Opus, 24 kbit/s"]),
        "both cut, then MP3 32": _coded(sound[begin : length - end], rate, *CODECS["MP3, 32 kbit/s"]),
        "a third of a second of silence before": (np.concatenate([np.zeros(rate // 3), sound]), rate),
    }
    return copies


def _coded(sound: Any, rate: int, codec: str, container: str, to: int, bits: int) -> tuple[Any, int]:
    wave = soxr.resample(sound, rate, to).astype(np.float32)[None]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=to, layout="mono")
        if bits:
            stream.bit_rate = bits
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate = to
        fitting = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=to)
        for one in [*fitting.resample(frame), *fitting.resample(None), None]:
            output.mux(stream.encode(one))
    file.seek(0)
    with av.open(file) as reader:
        fitting = av.AudioResampler(format="fltp", layout="mono", rate=to)
        blocks = [out.to_ndarray()[0] for frame in reader.decode(audio=0) for out in fitting.resample(frame)]
    return np.concatenate(blocks), to

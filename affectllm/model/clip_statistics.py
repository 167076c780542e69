"""Statistics of a clip as one vector: what a shallow model hears and sees of it.

With ``opensmile`` installed, sounds are described by its eGeMAPS functionals (Eyben et al., IEEE TAC 2016); else by the
mean, spread and percentiles of log-mel bands, their change, energy and zero crossings.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from affectllm.model.clips.budget import SAMPLING_RATE

_BANDS = 40
_GRID = 8  # cells along each side of a frame
_FLOOR = 1e-8


def describes_sounds_by() -> str:
    """Return the name of the sound features that are in use."""
    return "eGeMAPSv02" if importlib.util.find_spec("opensmile") else "log-mel statistics"


def sound_statistics(sound: np.ndarray) -> np.ndarray:
    """Describe a sound, float32 ``[samples]`` at 16 kHz, as float64 ``[features]``."""
    if importlib.util.find_spec("opensmile"):
        return _egemaps(sound)
    bands = _log_mel(sound)
    changes = np.abs(np.diff(bands, axis=0)) if len(bands) > 1 else np.zeros((1, _BANDS))
    crossings = np.mean(np.abs(np.diff(np.signbit(sound)))) if len(sound) > 1 else 0.0
    energy = np.log(np.mean(sound.astype(np.float64) ** 2) + _FLOOR)
    spans = [np.percentile(bands, share, axis=0) for share in (10, 50, 90)]
    return np.concatenate([bands.mean(0), bands.std(0), *spans, changes.mean(0), [crossings, energy, len(sound)]])


def _log_mel(sound: np.ndarray) -> np.ndarray:
    """Return log-mel bands ``[frames, 40]`` of windows of 25 ms every 10 ms."""
    from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

    filters = mel_filter_bank(
        num_frequency_bins=201,
        num_mel_filters=_BANDS,
        min_frequency=50.0,
        max_frequency=SAMPLING_RATE / 2,
        sampling_rate=SAMPLING_RATE,
        norm="slaney",
        mel_scale="slaney",
    )
    long_enough = np.pad(sound, (0, max(0, 400 - len(sound))))
    bands: np.ndarray = spectrogram(
        long_enough.astype(np.float64),
        window_function(400, "hann"),
        frame_length=400,
        hop_length=160,
        power=2.0,
        mel_filters=filters,
        mel_floor=_FLOOR,
        log_mel="log",
    )
    return bands.T


def _egemaps(sound: np.ndarray) -> np.ndarray:
    import opensmile

    smile: Any = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    values: np.ndarray = smile.process_signal(sound, SAMPLING_RATE).to_numpy()[0]
    return np.nan_to_num(values.astype(np.float64))


def frame_statistics(frames: np.ndarray) -> np.ndarray:
    """Describe frames, uint8 ``[time, height, width, 3]``, by the mean, spread and change of an 8 × 8 grid of cells."""
    rows, columns = (np.array_split(np.arange(size), _GRID) for size in frames.shape[1:3])
    cells = [
        frames[:, row[:, None], column].mean(axis=(1, 2)) if len(row) and len(column) else np.zeros((len(frames), 3))
        for row in rows
        for column in columns
    ]
    grid = np.stack(cells, axis=1).reshape(len(frames), -1) / 255.0
    changes = np.abs(np.diff(grid, axis=0)) if len(grid) > 1 else np.zeros_like(grid[:1])
    return np.concatenate([grid.mean(0), grid.std(0), changes.mean(0)])

"""Five measures of a voice: pitch, its range, loudness, pace and pauses; by Praat, by openSMILE, or by numpy alone."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from importlib import metadata
from typing import Any, Literal

import numpy as np

from affectllm.model.clips.budget import SAMPLING_RATE

Tool = Literal["praat", "opensmile", "numpy"]
MEASURES = ("pitch", "pitch_range", "loudness", "pace", "pauses")
"""Pitch in semitones above 27.5 Hz, its standard deviation, dB of the voiced frames, voiced stretches a second, and the
share of frames in which nobody speaks."""
_PACKAGES = {"praat": "praat-parselmouth", "opensmile": "opensmile", "numpy": "numpy"}
_MODULES = {"praat": "parselmouth", "opensmile": "opensmile", "numpy": "numpy"}
_FRAME, _HOP = 640, 160  # samples: 40 ms every 10 ms
_LOW, _HIGH = 60.0, 500.0  # Hz
_VOICED, _QUIET = 0.45, 25.0  # least autocorrelation of a voiced frame; dB below the loudest that is no speech
_NAMES = {  # of eGeMAPSv02
    **{"pitch": "F0semitoneFrom27.5Hz_sma3nz_amean", "pitch_range": "F0semitoneFrom27.5Hz_sma3nz_stddevNorm"},
    **{"loudness": "equivalentSoundLevel_dBp", "pace": "VoicedSegmentsPerSec"},
}


def installed(tool: Tool) -> bool:
    """Return whether a tool can be used here."""
    return importlib.util.find_spec(_MODULES[tool]) is not None


def version_of(tool: Tool) -> str:
    """Return name and version of the package behind a tool."""
    return f"{_PACKAGES[tool]} {metadata.version(_PACKAGES[tool])}"


def measured(sound: np.ndarray, tool: Tool) -> dict[str, float] | None:
    """Return the measures of a sound, float32 ``[samples]`` at 16 kHz; None where no voice is found in it."""
    ways: dict[Tool, Callable[[np.ndarray], dict[str, float] | None]] = {
        "praat": _by_praat,
        "opensmile": _by_opensmile,
        "numpy": _by_numpy,
    }
    values = ways[tool](sound.astype(np.float64))
    if values is None or not all(np.isfinite(value) for value in values.values()):
        return None
    return {name: round(float(values[name]), 4) for name in MEASURES}


def _told(pitch: np.ndarray, levels: np.ndarray, voiced: np.ndarray, seconds: float) -> dict[str, float] | None:
    """Return the measures of frames: pitch in Hz (0 where unvoiced), level in dB, and whether somebody speaks."""
    if voiced.sum() < 3:
        return None
    tones = 12 * np.log2(pitch[voiced] / 27.5)
    starts = int(np.sum(np.diff(np.concatenate([[False], voiced]).astype(int)) == 1))
    silent = levels < levels.max() - _QUIET
    return {
        "pitch": float(np.median(tones)),
        "pitch_range": float(np.std(tones)),
        "loudness": float(np.mean(levels[voiced])),
        "pace": starts / seconds,
        "pauses": float(np.mean(silent & ~voiced)),
    }


def _by_numpy(sound: np.ndarray) -> dict[str, float] | None:
    if len(sound) < _FRAME:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(sound, _FRAME)[::_HOP] * np.hanning(_FRAME)
    levels = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    spectrum = np.fft.rfft(frames - frames.mean(1, keepdims=True), 2 * _FRAME, axis=1)
    curve = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :_FRAME]
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(_FRAME), 2 * _FRAME)) ** 2)[:_FRAME]
    # Divided by the window's own, as Boersma (1993) does: else a longer period looks weaker than it is.
    curve = curve / np.maximum(curve[:, :1], 1e-12) / (window / window[0])
    shortest, longest = int(SAMPLING_RATE / _HIGH), min(int(SAMPLING_RATE / _LOW), _FRAME // 2)
    best = _first_peak(curve[:, shortest:longest])
    strength = curve[np.arange(len(curve)), shortest + best]
    voiced = (strength > _VOICED) & (levels > levels.max() - _QUIET)
    return _told(SAMPLING_RATE / (shortest + best), levels, voiced, len(sound) / SAMPLING_RATE)


def _first_peak(curves: np.ndarray) -> np.ndarray:
    """Return of each row the first place that is nearly as high as the highest: twice a period fits as well as one."""
    inner = np.pad(curves, ((0, 0), (1, 1)), constant_values=-np.inf)
    peaks = (curves >= inner[:, :-2]) & (curves >= inner[:, 2:]) & (curves > 0.9 * curves.max(1, keepdims=True))
    return np.asarray(np.where(peaks.any(1), peaks.argmax(1), curves.argmax(1)))


def _by_praat(sound: np.ndarray) -> dict[str, float] | None:
    import parselmouth

    clip = parselmouth.Sound(sound, SAMPLING_RATE)
    if clip.duration < 0.1:  # seconds: Praat's window of the lowest pitch does not fit
        return None
    pitch = clip.to_pitch(time_step=0.01, pitch_floor=_LOW, pitch_ceiling=_HIGH)
    heights = np.asarray(pitch.selected_array["frequency"])
    intensity = clip.to_intensity(minimum_pitch=_LOW, time_step=0.01)
    levels = np.interp(pitch.xs(), intensity.xs(), intensity.values[0])
    return _told(heights, levels, heights > 0, clip.duration)


def _by_opensmile(sound: np.ndarray) -> dict[str, float] | None:
    import opensmile

    smile: Any = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    row = smile.process_signal(sound.astype(np.float32), SAMPLING_RATE).iloc[0]
    values = {name: float(row[column]) for name, column in _NAMES.items()}
    if values["pitch"] <= 0:
        return None
    values["pitch_range"] *= values["pitch"]  # it is told as a share of the mean
    spoken = float(row["MeanVoicedSegmentLengthSec"]) * values["pace"]
    return {**values, "pauses": max(0.0, 1.0 - spoken)}

"""Opening clips: one pass per file for frames and sound, only what is needed, in the size that the model wants.

This is the only place that opens a clip. What cannot be used is a ``MediaError`` value, never an empty answer.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from affectllm.model.takers import Pictures, Voice

if TYPE_CHECKING:
    import av
    import numpy as np

SAMPLING_RATE = 16_000
SOUND_FILES = frozenset({".wav", ".flac", ".ogg", ".mp3"})
_SILENCE = 1e-4  # peak amplitude; 16-bit dither is below 1e-4
_SHORTEST_SOUND = 0.025  # one window of the mel spectrogram
# What may be missing of a stream at its end, in seconds or as a share: indices round, and last frames get lost.
_MISSING_SECONDS, _MISSING_SHARE = 0.5, 0.1


@dataclass(frozen=True)
class Budget:
    """How much of a clip a model is given. A field of a recipe, and of a content part where it says otherwise.

    Args:
        fps: frames per second to take.
        max_frames: at most this many frames; a longer clip is sampled more thinly.
        max_pixels: at most height × width per frame after resizing.
        min_pixels: smaller frames are enlarged to this.
        max_seconds: longest clip.
        long: what happens to a longer one: ``reject`` (counted as ``too_long``) or ``trim`` (its beginning is used).
    """

    fps: float = 2.0
    max_frames: int = 32
    max_pixels: int = 256 * 28 * 28
    min_pixels: int = 4 * 28 * 28
    max_seconds: float = 60.0
    long: Literal["reject", "trim"] = "reject"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class MediaError:
    """Why a clip cannot be used.

    Args:
        reason: ``missing``, ``empty_file``, ``unreadable``, ``no_video_stream``, ``no_audio_stream``, ``too_short``,
            ``truncated`` (a stream ends before its own index says so), ``too_long`` or ``silent``.
        path: the file, relative to the root of its corpus where known.
        detail: what the decoder said.
    """

    reason: str
    path: str
    detail: str = ""


@dataclass(frozen=True)
class Clip:
    """What a model is given of one file.

    Args:
        frames: uint8 ``[time, height, width, 3]`` RGB, or None.
        fps: frames per second of ``frames``, after thinning.
        sound: float32 ``[samples]`` mono in [-1, 1] at ``SAMPLING_RATE``, or None.
    """

    frames: np.ndarray | None
    fps: float
    sound: np.ndarray | None


def open_clip(
    path: Path,
    budget: Budget,
    *,
    frames: bool,
    sound: bool,
    start: float | None = None,
    end: float | None = None,
    factor: int = 28,
) -> Clip | MediaError:
    """Decode what ``budget`` allows of a file.

    Args:
        path: any container that FFmpeg reads; sound files go through soundfile, which is faster.
        frames: whether pictures are wanted.
        sound: whether the sound is wanted; a file without it, or a silent one, is an error value.
        start, end: span in seconds; None means the file's own ends.
        factor: height and width become multiples of this.
    """
    if not path.is_file():
        return MediaError("missing", str(path))
    if path.stat().st_size == 0:
        return MediaError("empty_file", str(path))
    span = (start or 0.0, math.inf if end is None else end)
    if sound and not frames and path.suffix.lower() in SOUND_FILES:
        clip = _open_sound_file(path, budget, span)
    else:
        clip = _open_container(path, budget, span, frames=frames, sound=sound, factor=factor)
    return clip if isinstance(clip, MediaError) else _checked(clip, path, sound)


def _checked(clip: Clip, path: Path, sound: bool) -> Clip | MediaError:
    import numpy as np

    if sound and clip.sound is not None:
        if len(clip.sound) < _SHORTEST_SOUND * SAMPLING_RATE:
            return MediaError("too_short", str(path), f"{len(clip.sound) / SAMPLING_RATE:.3f} s of sound")
        if np.abs(clip.sound).max() < _SILENCE:
            return MediaError("silent", str(path))
    return clip


def open_image(path: Path, budget: Budget, factor: int = 28) -> np.ndarray | MediaError:
    """Decode a picture to uint8 ``[height, width, 3]``, resized within the budget."""
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not path.is_file():
        return MediaError("missing", str(path))
    try:
        with Image.open(path) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        return MediaError("unreadable", str(path), str(error))
    height, width = frame_size(upright.height, upright.width, budget, factor)
    return np.array(upright.resize((width, height), Image.Resampling.BICUBIC))


def frame_size(height: int, width: int, budget: Budget, factor: int) -> tuple[int, int]:
    """Height and width that keep the aspect ratio, are multiples of ``factor`` and lie within the pixel budget.

    The rule of Qwen2-VL's ``smart_resize`` (arXiv:2409.12191, §2.1).
    """
    fit_height = max(factor, round(height / factor) * factor)
    fit_width = max(factor, round(width / factor) * factor)
    if fit_height * fit_width > budget.max_pixels:
        scale = math.sqrt(height * width / budget.max_pixels)
        fit_height = max(factor, math.floor(height / scale / factor) * factor)
        fit_width = max(factor, math.floor(width / scale / factor) * factor)
    elif fit_height * fit_width < budget.min_pixels:
        scale = math.sqrt(budget.min_pixels / (height * width))
        fit_height = math.ceil(height * scale / factor) * factor
        fit_width = math.ceil(width * scale / factor) * factor
    return fit_height, fit_width


def _open_sound_file(path: Path, budget: Budget, span: tuple[float, float]) -> Clip | MediaError:
    import soundfile
    import soxr

    try:
        with soundfile.SoundFile(path) as file:
            seconds = _length(file.frames / file.samplerate, span, budget)
            if seconds is None:
                return MediaError("too_long", str(path), f"{file.frames / file.samplerate:.1f} s")
            file.seek(min(int(span[0] * file.samplerate), file.frames))
            wave = file.read(math.ceil(seconds * file.samplerate), dtype="float32", always_2d=True).mean(axis=1)
            rate = file.samplerate
    except soundfile.LibsndfileError as error:
        return MediaError("unreadable", str(path), str(error))
    return Clip(None, 0.0, wave if rate == SAMPLING_RATE else soxr.resample(wave, rate, SAMPLING_RATE))


def _length(duration: float, span: tuple[float, float], budget: Budget) -> float | None:
    """Seconds to take, or None when that is more than the budget and the budget rejects."""
    seconds = max(0.0, min(duration, span[1]) - span[0])
    if seconds <= budget.max_seconds + 0.5 / SAMPLING_RATE:
        return seconds
    return budget.max_seconds if budget.long == "trim" else None


def _open_container(
    path: Path, budget: Budget, span: tuple[float, float], *, frames: bool, sound: bool, factor: int
) -> Clip | MediaError:
    import av

    try:
        with av.open(str(path)) as container:
            if frames and not container.streams.video:
                return MediaError("no_video_stream", str(path))
            if sound and not container.streams.audio:
                return MediaError("no_audio_stream", str(path))
            duration = _duration(container)
            seconds = _length(duration, span, budget)
            if seconds is None:
                return MediaError("too_long", str(path), f"{min(duration, span[1]) - span[0]:.1f} s")
            return _one_pass(container, budget, (span[0], span[0] + seconds), frames, sound, factor)
    except (av.FFmpegError, EOFError, ValueError) as error:
        return MediaError("unreadable", str(path), str(error))


def _duration(container: av.container.InputContainer) -> float:
    if container.duration:
        return float(container.duration) / 1_000_000
    lengths = [float(s.duration * s.time_base) for s in container.streams if s.duration and s.time_base]
    return max(lengths, default=math.inf)


def _one_pass(
    container: av.container.InputContainer,
    budget: Budget,
    span: tuple[float, float],
    frames: bool,
    sound: bool,
    factor: int,
) -> Clip | MediaError:
    import numpy as np

    fps, moments = _grid(budget, span)
    pictures = _pictures(container, budget, moments, factor) if frames else None
    voice = Voice(container.streams.audio[0], span, SAMPLING_RATE) if sound else None
    streams = [taker.stream for taker in (pictures, voice) if taker is not None]
    if span[0] > 1.0:
        container.seek(int((span[0] - 0.5) * 1_000_000))
    for packet in container.demux(streams):
        taker = pictures if pictures is not None and packet.stream is pictures.stream else voice
        assert taker is not None
        taker.feed(packet)
        if all(t is None or t.full for t in (pictures, voice)):
            break
    shown = pictures.finish() if pictures is not None else None
    heard = voice.finish() if voice is not None else None
    if pictures is not None and shown is None:
        return MediaError("too_short", container.name, "no frame in the span")
    if voice is not None and heard is None:
        return MediaError("no_audio_stream", container.name, "no sound in the span")
    for taker in (pictures, voice):
        if taker is not None and not taker.full and (lost := _lost(taker.stream, taker.reached, span)):
            return MediaError(
                "truncated", container.name, f"the last {lost:.1f} s of the {taker.stream.type} are missing"
            )
    return Clip(None if shown is None else np.stack(shown), fps if pictures else 0.0, heard)


def _grid(budget: Budget, span: tuple[float, float]) -> tuple[float, list[float]]:
    """Frames per second after thinning, and the middles of the intervals that they stand for."""
    seconds = span[1] - span[0]
    count = max(1, min(budget.max_frames, round(seconds * budget.fps)))
    count = max(2, count - count % 2) if budget.max_frames > 1 else 1  # temporal patches are pairs of frames
    fps = count / seconds if math.isfinite(seconds) and seconds > 0 else budget.fps
    return fps, [span[0] + (index + 0.5) / fps for index in range(count)]


def _pictures(container: av.container.InputContainer, budget: Budget, moments: list[float], factor: int) -> Pictures:
    stream = container.streams.video[0]
    return Pictures(stream, moments, frame_size(stream.height, stream.width, budget, factor))


def _lost(stream: av.stream.Stream, reached: float, span: tuple[float, float]) -> float:
    """Seconds missing at the end of the span by the stream's own index; 0 where little is missing or none is known."""
    if not stream.duration or not stream.time_base:
        return 0.0
    end = min(span[1], float(stream.duration * stream.time_base))
    missing = end - reached
    return missing if missing > max(_MISSING_SECONDS, _MISSING_SHARE * (end - span[0])) else 0.0

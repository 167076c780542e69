"""Open clips: one pass per file for frames and sound, decoding only what is needed, in the model's size.

This is the only place that opens a clip. What cannot be used is a ``MediaError`` value, never an empty answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from affectllm.model.clips.budget import (
    SAMPLING_RATE,
    Budget,
    Span,
    asked_span,
    check_end,
    frame_size,
    missing,
    span_of,
)
from affectllm.model.clips.container import (
    duration_of,
    end_of,
    film,
    guessed,
    measured,
    opened,
    origin_of,
    packets,
    sound_track,
)
from affectllm.model.clips.fence import MediaError, Unusable, fenced, present
from affectllm.model.clips.picture import open_image
from affectllm.model.clips.soundfiles import check_last_page, promised_seconds, read_sound
from affectllm.model.clips.stream_readers import Pictures, Voice

if TYPE_CHECKING:
    import av
    import numpy as np

__all__ = ["SAMPLING_RATE", "Budget", "Clip", "MediaError", "frame_size", "open_clip", "open_image"]

SOUND_FILES = frozenset({".wav", ".flac", ".ogg", ".mp3"})
_SILENCE = 1e-4  # peak amplitude; 16-bit dither is below 1e-4
_SHORTEST_SOUND = 0.025  # one window of the mel spectrogram
_NEAR = 1.0  # seconds; nearer beginnings are reached by decoding
_LATE = 0.05  # seconds after which a track that was sought is too far on


@dataclass(frozen=True)
class Clip:
    """The decoded frames and sound of one file.

    Args:
        frames: uint8 ``[time, height, width, 3]`` RGB, upright, or None.
        fps: frames per second of ``frames``, after thinning.
        sound: float32 ``[samples]`` in [-1, 1] at ``SAMPLING_RATE``, the mean of its channels, or None.
        trimmed: seconds that were left out at the end because the budget is smaller.
    """

    frames: np.ndarray | None
    fps: float
    sound: np.ndarray | None
    trimmed: float = 0.0


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
    """Decode the frames and sound of a file, within ``budget``.

    Pictures and sound are on one clock, which begins where the first of the file's tracks does; what is missing of the
    sound before it begins is silence. Samples beyond full scale are clipped.

    Args:
        path: any container that FFmpeg reads; sound files go through libsndfile, which is faster.
        frames: whether pictures are wanted.
        sound: whether the sound is wanted; a file without it, or a silent one, is an error value.
        start, end: span in seconds; None means the file's own ends.
        factor: height and width become multiples of this.
    """
    return fenced(path, lambda: _opened(path, budget, asked_span(start, end), frames, sound, factor))


def _opened(path: Path, budget: Budget, span: tuple[float, float], frames: bool, sound: bool, factor: int) -> Clip:
    present(path)
    if sound and not frames and path.suffix.lower() in SOUND_FILES:
        clip = _sound_file(path, budget, span)
    else:
        clip = _container(path, budget, span, frames, sound, factor)
    return _checked(clip)


def _checked(clip: Clip) -> Clip:
    import numpy as np

    if clip.sound is not None:
        if len(clip.sound) < _SHORTEST_SOUND * SAMPLING_RATE:
            raise Unusable("too_short", f"{len(clip.sound) / SAMPLING_RATE:.3f} s of sound")
        if np.abs(clip.sound).max() < _SILENCE:
            raise Unusable("silent")
    return clip


def _sound_file(path: Path, budget: Budget, span: tuple[float, float]) -> Clip:
    import soundfile

    try:
        sound = read_sound(path, budget, *span)
    except soundfile.LibsndfileError as error:
        return _by_another_name(path, budget, span, str(error))
    if sound is None:
        return _container(path, budget, span, False, True, 1)
    wave, span_taken = sound
    return Clip(None, 0.0, wave, span_taken.trimmed)


def _by_another_name(path: Path, budget: Budget, span: tuple[float, float], reason: str) -> Clip:
    """Open with FFmpeg what libsndfile does not know: it may be an MP4 called ``.wav``, or in another codec."""
    try:
        return _container(path, budget, span, False, True, 1)
    except Unusable as error:
        if error.reason in ("unreadable", "no_audio_stream"):
            raise Unusable("unreadable", reason) from error
        raise


def _container(path: Path, budget: Budget, span: tuple[float, float], frames: bool, sound: bool, factor: int) -> Clip:
    with opened(path) as container:
        if frames:
            film(container)
        rate = sound_track(container).rate if sound else 1
        length = duration_of(container, path, span[0] + budget.max_seconds + 1.0)
        if not frames:
            length = max(length, promised_seconds(path, rate) or 0.0)
        reading = _Reading(path, budget, span_of(length, *span, budget), length, frames, sound, factor)
        clip = reading.clip(container, sought=reading.span.start > _NEAR and not guessed(container))
    if clip is None:
        with opened(path) as container:
            clip = reading.clip(container, sought=False)
    assert clip is not None
    return clip


@dataclass(frozen=True)
class _Reading:
    """Decodes a clip in one pass over the packets of a container."""

    path: Path
    budget: Budget
    span: Span
    length: float
    frames: bool
    sound: bool
    factor: int

    def clip(self, container: av.container.InputContainer, *, sought: bool) -> Clip | None:
        """Decode the span, seeking to it where ``sought``; None where seeking does not reach it."""
        import av
        import numpy as np

        origin = origin_of(container)
        fps, moments = _grid(self.budget, self.span)
        pictures = Pictures(film(container), moments, self._fit, origin) if self.frames else None
        voice = Voice(sound_track(container), self.span, origin) if self.sound else None
        takers = [taker for taker in (pictures, voice) if taker is not None]
        try:
            if sought:
                container.seek(int((origin + self.span.start - 0.5) * 1_000_000))
            self._feed(container, takers)
        except av.FFmpegError:
            if not sought:
                raise
            return None  # some containers cannot be sought, and some decoders break where a stream is entered
        if sought and any(taker.entered is None or taker.entered > self.span.start + _LATE for taker in takers):
            return None
        frames = pictures.finish() if pictures is not None else None
        heard = voice.finish() if voice is not None else None
        if pictures is not None and frames is None:
            raise Unusable("too_short", "no frame in the span")
        if voice is not None and heard is None:
            raise Unusable("too_short", "no sound in the span")
        for taker in takers:
            self._check(taker, origin)
        if self.span.end >= self.length:
            check_last_page(self.path)
        return Clip(None if frames is None else np.stack(frames), fps if frames else 0.0, heard, self.span.trimmed)

    def _fit(self, height: int, width: int) -> tuple[int, int]:
        return frame_size(height, width, self.budget, self.factor)

    def _feed(self, container: av.container.InputContainer, takers: list[Pictures | Voice]) -> None:
        """Pass each packet to its taker until all are full; an error at the very end counts as a missing end."""
        import av

        by_stream = {taker.stream.index: taker for taker in takers}
        broken: dict[int, av.FFmpegError | EOFError] = {}
        for packet in packets(container, [taker.stream for taker in takers], self.path):
            index = packet.stream.index
            if packet.size and index in broken:
                raise broken[index]
            try:
                by_stream[index].feed(packet)
            except (av.FFmpegError, EOFError) as error:
                broken[index] = error
            if all(taker.full for taker in takers):
                return
        for index, fault in broken.items():
            if by_stream[index].first is None:
                raise fault

    def _check(self, taker: Pictures | Voice, origin: float) -> None:
        """Raise ``truncated`` where a track ends before the container says."""
        if taker.full:
            return
        kind = taker.stream.type
        end = end_of(taker.stream, origin)
        if isinstance(taker, Voice) and len(taker.stream.container.streams) == 1:
            end = promised_seconds(self.path, taker.stream.rate) or end
        if end is not None:
            check_end(kind, end, taker.reached, self.span)
        elif missing(self.length, taker.reached, self.span) and not guessed(taker.stream.container):
            # Matroska counts the length of the whole file only: another track may be the one that lasts.
            check_end("file", self.length, measured(self.path, self.length), self.span)


def _grid(budget: Budget, span: Span) -> tuple[float, list[float]]:
    """Return the frame rate after thinning, and the midpoints of the intervals that frames stand for."""
    seconds = span.end - span.start
    count = max(1, min(budget.max_frames, round(seconds * budget.fps)))
    count = max(2, count - count % 2) if budget.max_frames > 1 else 1  # temporal patches are pairs of frames
    fps = count / seconds if seconds > 0 else budget.fps
    return fps, [span.start + (index + 0.5) / fps for index in range(count)]

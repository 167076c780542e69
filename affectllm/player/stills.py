"""Pictures of a clip for a page that is not playing it: poster, strip of frames, waveform and spectrogram."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.model.clips.media import SAMPLING_RATE, Budget, Clip, MediaError, open_clip
from affectllm.player.outlines import SILENT, Outline, outline

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

FRAMES, LONGEST = 8, 30.0
_BUDGET = Budget(fps=4.0, max_frames=FRAMES, max_pixels=320 * 240, min_pixels=4, max_seconds=LONGEST, long="trim")
_STRIP_HEIGHT, _COLUMNS, _BANDS = 72, 320, 64  # pixels; columns and bands of the spectrogram
_WINDOW, _QUIETEST = 512, -80.0  # samples of a window; decibels below the loudest that are drawn black


@dataclass(frozen=True)
class Stills:
    """What a clip looks and sounds like; each is empty where the clip has no pictures, or no sound.

    Args:
        poster: the middle frame, as a data URI.
        strip: frames from the beginning to the end side by side, as a data URI.
        shape: width and height of the poster in pixels.
        wave: the outline of its sound.
        spectrogram: time to the right, frequency upwards to 8 kHz on the mel scale, as a data URI.
    """

    poster: str = ""
    strip: str = ""
    shape: tuple[int, int] = (0, 0)
    wave: Outline = SILENT
    spectrogram: str = ""


NO_STILLS = Stills()


def stills(path: Path, part: Mapping[str, Any]) -> Stills:
    """Return the pictures of what a media part refers to: its span, and its sound as far as the model was given it.

    A clip that cannot be opened has none; its player says why.
    """
    frames = part["type"] == "video"
    sound = part["type"] == "audio" or bool(part.get("sound"))
    clip = _opened(path, part, frames=frames, sound=sound)
    if isinstance(clip, MediaError) and frames and sound:
        clip = _opened(path, part, frames=True, sound=False)  # of silent videos the pictures are shown all the same
    return NO_STILLS if isinstance(clip, MediaError) else _of_clip(clip)


def _opened(path: Path, part: Mapping[str, Any], *, frames: bool, sound: bool) -> Clip | MediaError:
    return open_clip(path, _BUDGET, frames=frames, sound=sound, factor=2, start=part.get("start"), end=part.get("end"))


def _of_clip(clip: Clip) -> Stills:
    poster, strip, shape, wave, spectrogram = "", "", (0, 0), SILENT, ""
    if clip.frames is not None and len(clip.frames):
        middle = clip.frames[len(clip.frames) // 2]
        poster, strip, shape = _jpeg(middle), _jpeg(_side_by_side(clip.frames)), (middle.shape[1], middle.shape[0])
    if clip.sound is not None:
        wave, spectrogram = outline(clip.sound), _png(mel_spectrogram(clip.sound))
    return Stills(poster, strip, shape, wave, spectrogram)


def _side_by_side(frames: Array) -> Array:
    import numpy as np
    from PIL import Image

    width = max(1, round(frames.shape[2] * _STRIP_HEIGHT / frames.shape[1]))
    return np.concatenate([np.asarray(Image.fromarray(one).resize((width, _STRIP_HEIGHT))) for one in frames], axis=1)


def mel_spectrogram(sound: Array) -> Array:
    """Return decibels below the loudest, scaled to 0..255: uint8 ``[bands, columns]``, high frequencies first."""
    import numpy as np

    padded = np.pad(sound, (0, max(0, _WINDOW - len(sound))))
    starts = np.linspace(0, len(padded) - _WINDOW, min(_COLUMNS, max(1, len(padded) // 64))).astype(int)
    windows = np.stack([padded[start : start + _WINDOW] for start in starts]) * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(windows)) ** 2 @ _mel_bands().T
    decibels = 10 * np.log10(np.maximum(power / max(float(power.max()), 1e-12), 10 ** (_QUIETEST / 10)))
    return np.asarray(255 * (1 - decibels / _QUIETEST), np.uint8).T[::-1]


def _mel_bands() -> Array:
    """Return triangles of equal width on the mel scale, ``[bands, frequencies]``."""
    import numpy as np

    top = 2595 * np.log10(1 + SAMPLING_RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, _BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / SAMPLING_RATE)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rise, fall = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    bands = np.maximum(0, np.minimum(rise, fall))
    # The lowest triangles are narrower than a frequency: each takes the nearest one.
    nearest = np.abs(frequencies[None] - middle).argmin(1)
    bands[np.arange(_BANDS), nearest] = np.maximum(bands[np.arange(_BANDS), nearest], 1e-3)
    return bands


def _jpeg(pixels: Array) -> str:
    from PIL import Image

    return _encoded(Image.fromarray(pixels), "JPEG", quality=80)


def _png(levels: Array) -> str:
    import matplotlib
    import numpy as np
    from PIL import Image

    image = Image.fromarray(levels).convert("P")
    colours = np.asarray(matplotlib.colormaps["magma"](np.arange(256)))[:, :3]
    image.putpalette(np.asarray(np.rint(255 * colours), np.uint8).ravel().tolist())
    return _encoded(image, "PNG", optimize=True)


def _encoded(image: Any, kind: str, **options: Any) -> str:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return f"data:image/{kind.lower()};base64," + b64encode(stream.getvalue()).decode("ascii")

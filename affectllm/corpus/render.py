"""Writing small clips and sounds, for miniatures and synthetic corpora. Writes only: reading is the model room's."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import av
    import numpy as np

_CODECS = {".mp4": ("libx264", "aac"), ".avi": ("mpeg4", "libmp3lame"), ".flv": ("flv1", "aac")}


def write_sound(path: Path, samples: Sequence[float] | np.ndarray, rate: int) -> None:
    """Write mono sound in [-1, 1] as 16-bit PCM (``.wav``, ``.flac``) or whatever FFmpeg makes of the suffix."""
    import numpy as np
    import soundfile

    mono = np.asarray(samples, np.float32)
    if path.suffix in (".wav", ".flac"):
        soundfile.write(path, mono, rate, subtype="PCM_16")
        return
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libmp3lame" if path.suffix == ".mp3" else "aac", rate=rate, layout="mono")
        _mux_sound(container, stream, mono, rate)


def write_clip(
    path: Path, frames: np.ndarray, fps: int, sound: Sequence[float] | np.ndarray | None, rate: int = 16_000
) -> None:
    """Write frames (``[time, height, width, 3]``, uint8 RGB) at ``fps``, and mono ``sound`` in [-1, 1] where given.

    One encoder thread and fixed settings: the same arrays give the same bytes.
    """
    import av
    import numpy as np

    picture_codec, sound_codec = _CODECS[path.suffix]
    options = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if path.suffix == ".mp4" else {})
    with av.open(str(path), "w", options=options) as container:
        pictures = cast("av.VideoStream", container.add_stream(picture_codec, rate=fps))
        pictures.width, pictures.height, pictures.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        pictures.codec_context.thread_count = 1
        pictures.codec_context.flags |= 1 << 23  # AV_CODEC_FLAG_BITEXACT
        if picture_codec == "libx264":
            pictures.options = {"preset": "ultrafast", "crf": "23"}
        voice = None
        if sound is not None:
            voice = container.add_stream(sound_codec, rate=rate, layout="mono")
            voice.codec_context.flags |= 1 << 23
            if sound_codec == "aac":
                voice.options = {"aac_coder": "fast"}
        for index, array in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(array, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        if voice is not None and sound is not None:
            _mux_sound(container, voice, np.asarray(sound, np.float32), rate)


def _mux_sound(container, stream, mono: np.ndarray, rate: int) -> None:  # type: ignore[no-untyped-def]
    import av

    for start in range(0, len(mono), 1024):
        frame = av.AudioFrame.from_ndarray(mono[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))

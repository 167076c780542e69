"""Make a small copy of a clip that every browser plays: the span that the model got, as MP4 or WAV."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus.render import write_clip, write_sound
from affectllm.model.clips.media import SAMPLING_RATE, Budget, Clip, MediaError, open_clip

MIME = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".webm": "video/webm",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".m4a": "audio/mp4",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
"""Suffix → MIME type of the files that browsers play natively."""

FPS = 10
LONGEST = 30.0
_BUDGET = Budget(
    fps=FPS, max_frames=round(FPS * LONGEST), max_pixels=320 * 240, min_pixels=4, max_seconds=LONGEST, long="trim"
)


def preview(path: Path, part: Mapping[str, Any]) -> tuple[str, bytes] | MediaError:
    """Re-encode what a media part refers to.

    Args:
        path: the clip.
        part: a ``video`` or ``audio`` part; its span is honoured, and its sound as far as the model was given it.

    Returns:
        Suffix and bytes of a file (``.mp4`` or ``.wav``), or why the clip cannot be opened.
    """
    start, end = part.get("start"), part.get("end")
    if part["type"] == "audio":
        clip = open_clip(path, _BUDGET, frames=False, sound=True, start=start, end=end)
    else:
        clip = open_clip(path, _BUDGET, frames=True, sound=bool(part.get("sound")), factor=2, start=start, end=end)
        if isinstance(clip, MediaError) and part.get("sound"):
            clip = open_clip(path, _BUDGET, frames=True, sound=False, factor=2, start=start, end=end)
    return clip if isinstance(clip, MediaError) else _encode(clip)


def _encode(clip: Clip) -> tuple[str, bytes]:
    suffix = ".wav" if clip.frames is None else ".mp4"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"clip{suffix}"
        if clip.frames is not None:
            write_clip(file, clip.frames, max(1, round(clip.fps)), clip.sound, SAMPLING_RATE)
        elif clip.sound is not None:
            write_sound(file, clip.sound, SAMPLING_RATE)
        return suffix, file.read_bytes()

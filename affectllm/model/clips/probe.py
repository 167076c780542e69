"""Check for an audit whether a clip can be used, and if not, why."""

from __future__ import annotations

from pathlib import Path

from affectllm.corpus import MediaRef
from affectllm.model.clips.media import Budget, MediaError, open_clip, open_image

# Two small frames are enough to know that a picture can be decoded; the sound is read whole, to know it is not silent.
_GLANCE = Budget(fps=1.0, max_frames=2, max_pixels=28 * 28, min_pixels=28 * 28, max_seconds=24 * 3600.0)


def probe(path: Path, ref: MediaRef) -> str | None:
    """Open the file of ``ref`` and return the reason why it cannot be used, or None.

    Of an ``undecodable`` clip, of which nobody foresaw what is wrong, what the decoder said follows after a colon.
    """
    if ref.modality == "image":
        return _reason(open_image(path, _GLANCE))
    clip = open_clip(
        path,
        _GLANCE,
        frames=ref.modality == "video",
        sound=ref.modality == "audio" or ref.sound,
        start=ref.start,
        end=ref.end,
    )
    return _reason(clip)


def _reason(opened: object) -> str | None:
    if not isinstance(opened, MediaError):
        return None
    return f"{opened.reason}: {opened.detail}" if opened.reason == "undecodable" else opened.reason

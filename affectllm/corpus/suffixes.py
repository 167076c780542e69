"""Endings of files that our readers open, by what they hold: one list for all who look for clips by name.

What a file is decides its content when it is opened; the ending only says where to look. ``.ts``, ``.3gp``, ``.mp4``
and others that hold either kind are filed under video.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

VIDEO = (
    *(".mp4", ".m4v", ".mov", ".qt", ".avi", ".divx", ".mkv", ".webm", ".flv", ".f4v", ".wmv", ".asf"),
    *(".mpg", ".mpeg", ".mpe", ".m1v", ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".3gp", ".3g2", ".ogv", ".mxf", ".dv"),
)
AUDIO = (
    *(".wav", ".wave", ".w64", ".rf64", ".mp3", ".mp2", ".mpga", ".flac", ".ogg", ".oga", ".opus", ".spx"),
    *(".m4a", ".m4b", ".aac", ".weba", ".mka", ".wma", ".amr", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf"),
    *(".ac3", ".eac3", ".ape", ".wv", ".tta", ".sph", ".voc"),
)
IMAGE = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".gif", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".avif"),
    *(".jp2", ".j2k", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".pcx", ".sgi", ".ico"),
)


def kind_of(path: PurePath | str) -> Literal["video", "audio", "image"] | None:
    """What a file's ending says that it holds, in either case; None for any other ending."""
    suffix = PurePath(path).suffix.lower()
    if suffix in VIDEO:
        return "video"
    if suffix in AUDIO:
        return "audio"
    return "image" if suffix in IMAGE else None

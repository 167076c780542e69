"""Clips in the page: each a data URI within a budget, or an honest note on why it is not there."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus.roots import locate
from affectllm.errors import NotFound

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
"""What browsers play without help."""

MAX_CLIP_BYTES = 2_000_000
MAX_PAGE_BYTES = 16_000_000
MAX_CLIPS = 48


@dataclass(frozen=True)
class Player:
    """One clip of an example.

    Args:
        kind: ``video``, ``audio`` or ``image``.
        path: where it lies below the root of its corpus.
        uri: the clip as a data URI; None where it is left out.
        note: why it is left out, or what of it is played; empty where there is nothing to say.
    """

    kind: str
    path: str
    uri: str | None
    note: str


@dataclass
class Gallery:
    """Hands out players until the page's budget is spent.

    Args:
        roots: corpus → folder, as ``--root`` gives them.
        left_out: how many clips were not embedded.
    """

    roots: Mapping[str, Path] = field(default_factory=dict)
    left_out: int = 0
    _clips: int = 0
    _bytes: int = 0

    def player(self, part: Mapping[str, Any]) -> Player:
        """The player for a media part of a message."""
        path, why = self._find(str(part["corpus"]), str(part["path"]))
        why = why or self._refusal(path)
        if why:
            self.left_out += 1
            return Player(part["type"], part["path"], None, why)
        content = path.read_bytes()
        self._clips, self._bytes = self._clips + 1, self._bytes + len(content)
        fragment, note = _span(part)
        encoded = base64.b64encode(content).decode("ascii")
        return Player(part["type"], part["path"], f"data:{MIME[path.suffix.lower()]};base64,{encoded}{fragment}", note)

    def _find(self, corpus: str, relative: str) -> tuple[Path, str]:
        try:
            root = locate(corpus, self.roots)
        except NotFound as error:
            return Path(relative), f"not embedded: {error.what}"
        path = root / relative
        # Paths come from result files; one that climbs out of its corpus is not a clip of it.
        if not path.resolve().is_relative_to(root.resolve()):
            return path, "not embedded: the path leads out of its corpus"
        return path, "" if path.is_file() else "not embedded: the file is not there any more"

    def _refusal(self, path: Path) -> str:
        if path.suffix.lower() not in MIME:
            return f"not embedded: browsers do not play {path.suffix or 'files without suffix'}"
        size = path.stat().st_size
        if size == 0:
            return "not embedded: the file is empty"
        if size > MAX_CLIP_BYTES:
            return f"not embedded: {size / 1e6:.1f} MB is more than {MAX_CLIP_BYTES / 1e6:.0f} MB"
        if self._clips >= MAX_CLIPS or self._bytes + size > MAX_PAGE_BYTES:
            return "not embedded: the page has as many clips as it may hold"
        return ""


def _span(part: Mapping[str, Any]) -> tuple[str, str]:
    """A media fragment (``#t=1.5,3``) for the span of a part, and a note that says so."""
    start, end = part.get("start"), part.get("end")
    if start is None and end is None:
        return "", ""
    first = float(start or 0.0)
    last = "" if end is None else f",{float(end):g}"
    until = "the end" if end is None else f"{float(end):g} s"
    return f"#t={first:g}{last}", f"{first:g} s to {until} of the file"

"""Embed clips in the page: each as a data URI within a size budget, or a note on why it is missing."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus.files.links import inside_root
from affectllm.corpus.roots import locate
from affectllm.errors import NotFound
from affectllm.player.previews import MIME
from affectllm.player.stills import NO_STILLS, Stills, stills

MAX_CLIP_BYTES = 1_000_000
MAX_PAGE_BYTES = 16_000_000
MAX_CLIPS = 48


@dataclass(frozen=True)
class Player:
    """One clip of an example.

    Args:
        kind: ``video``, ``audio`` or ``image``.
        path: where it lies below the root of its corpus.
        uri: the clip as a data URI; None where it is left out.
        note: why it is left out, or what was done to it; empty where there is nothing to say.
        stills: what it looks and sounds like while it is not played.
    """

    kind: str
    path: str
    uri: str | None
    note: str
    stills: Stills = NO_STILLS


@dataclass
class Gallery:
    """Makes players until the page's size budget is spent.

    Args:
        roots: corpus → folder, as ``--root`` gives them.
        left_out: how many clips were not embedded.
    """

    roots: Mapping[str, Path] = field(default_factory=dict)
    left_out: int = 0
    _clips: int = 0
    _bytes: int = 0

    def player(self, part: Mapping[str, Any]) -> Player:
        """Return the player for a media part of a message."""
        path, why = self._find(str(part["corpus"]), str(part["path"]))
        suffix, content, note = ("", b"", why) if why else self._content(path, part)
        if content and self._bytes + len(content) > MAX_PAGE_BYTES:
            content, note = b"", "the page has as many bytes of clips as it may hold"
        if not content:
            self.left_out += 1
            return Player(part["type"], part["path"], None, f"not embedded: {note}")
        self._clips, self._bytes = self._clips + 1, self._bytes + len(content)
        encoded = base64.b64encode(content).decode("ascii")
        shown = NO_STILLS if part["type"] == "image" else stills(path, part)
        return Player(part["type"], part["path"], f"data:{MIME[suffix]};base64,{encoded}", note, shown)

    def _find(self, corpus: str, relative: str) -> tuple[Path, str]:
        try:
            root = locate(corpus, self.roots)
        except NotFound as error:
            return Path(relative), error.what
        path = root / relative
        # Paths come from result files; one that climbs out of its corpus is not a clip of it.
        if not inside_root(root, relative):
            return path, "the path leads out of its corpus"
        return path, "" if path.is_file() else "the file is not there any more"

    def _content(self, path: Path, part: Mapping[str, Any]) -> tuple[str, bytes, str]:
        """Return suffix, bytes and note of the embedded clip; where none is, no bytes and the note says why."""
        if self._clips >= MAX_CLIPS:
            return "", b"", f"the page has {MAX_CLIPS} clips already"
        suffix, size = path.suffix.lower(), path.stat().st_size
        playable = MIME.get(suffix, "").startswith(f"{part['type']}/")
        whole = part.get("start") is None and part.get("end") is None
        if playable and whole and 0 < size <= MAX_CLIP_BYTES:
            return suffix, path.read_bytes(), ""
        if part["type"] == "image":
            return "", b"", f"a picture of {size / 1e6:.1f} MB, or of a kind that browsers do not show"
        return _previewed(path, part)


def _previewed(path: Path, part: Mapping[str, Any]) -> tuple[str, bytes, str]:
    from affectllm.model.clips.media import MediaError
    from affectllm.player.previews import LONGEST, preview

    copy = preview(path, part)
    if isinstance(copy, MediaError):
        return "", b"", f"the clip cannot be opened ({copy.reason})"
    suffix, content = copy
    if len(content) > MAX_CLIP_BYTES:
        return "", b"", f"even its small copy has {len(content) / 1e6:.1f} MB"
    return suffix, content, f"a small copy{_span(part)}; at most {LONGEST:.0f} s"


def _span(part: Mapping[str, Any]) -> str:
    start, end = part.get("start"), part.get("end")
    if start is None and end is None:
        return ""
    return f" of {start or 0:g} s to {'the end' if end is None else f'{end:g} s'}"

"""Link a page to the clips of a corpus on this disk; nothing is copied."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from affectllm.corpus.files.links import inside_root

_PLAYED = {".mp4", ".webm", ".ogv", ".mov", ".wav", ".mp3", ".ogg", ".m4a", ".flac", ".aac"}
_SHOWN = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".svg"}


@dataclass(frozen=True)
class Link:
    """A link to a clip, as a page shows it.

    Args:
        kind: ``video``, ``audio``, ``image``; ``link`` where browsers do not play the format, ``missing`` where there
            is no such file.
        href: relative to the page, with the span as a media fragment; empty where the file is missing.
        path: below the root of the corpus.
        span: in seconds, in words; empty for a whole clip.
        muted: whether it has sound that the model is not given.
    """

    kind: str
    href: str
    path: str
    span: str = ""
    muted: bool = False


def clip_link(
    kind: str,
    path: str,
    root: Path | None,
    page: Path,
    *,
    start: float | None = None,
    end: float | None = None,
    muted: bool = False,
) -> Link:
    """Return the link to a clip from a page in the folder ``page``.

    Args:
        kind: modality, ``video``, ``audio`` or ``image``.
        path: below ``root``; one that leads out of it is missing.
        root: folder of the corpus; None where it is not on this disk.
        start, end: the span in seconds; None for the ends of the clip.
    """
    span = _spoken(start, end)
    file = (root / path).resolve() if root is not None else None
    if root is None or file is None or not inside_root(root, path) or not file.is_file():
        return Link("missing", "", path, span)
    plays = Path(path).suffix.lower() in (_SHOWN if kind == "image" else _PLAYED)
    href = quote(os.path.relpath(file, page.resolve()).replace(os.sep, "/"))
    return Link(kind if plays else "link", href + fragment(start, end), path, span, muted)


def fragment(start: float | None, end: float | None) -> str:
    """Return the media fragment of a span in seconds, ``#t=1.5,3``; empty for a whole clip."""
    if start is None and end is None:
        return ""
    return f"#t={start or 0:g}" + (f",{end:g}" if end is not None else "")


def _spoken(start: float | None, end: float | None) -> str:
    if start is None and end is None:
        return ""
    return f"{start or 0:g} s to {'the end' if end is None else f'{end:g} s'}"

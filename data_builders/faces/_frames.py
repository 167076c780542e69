"""Shared code of corpora of faces on film: a clip is one file, or a folder of numbered pictures. Not a corpus."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from affectllm.corpus import MediaRef, Rejection
from affectllm.corpus.files.media_files import unusable
from affectllm.corpus.files.suffixes import PICTURES
from affectllm.corpus.reading import is_debris, relative

_NUMBER = re.compile(r"\d+")


def picture_names(folder: Path) -> list[str]:
    """Return the pictures in a folder in the order of the numbers in their names: 2.jpg comes before 10.jpg."""
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if e.name.lower().endswith(PICTURES) and not is_debris(e.name)]
    return sorted(names, key=lambda name: ([int(digits) for digits in _NUMBER.findall(name)], name))


class FrameMedia(NamedTuple):
    """The media of a sample, facts about them, and rejections."""

    media: tuple[MediaRef, ...]
    facts: Mapping[str, str]
    trouble: tuple[Rejection, ...]


def clip_or_frame(
    root: Path,
    named: tuple[str, str],
    video: str | None,
    frames: Path | None,
    *,
    expected: bool,
    sound: bool = False,
) -> FrameMedia:
    """Return the clip, or where there are only pictures the middle one, and the folder of the others.

    Args:
        named: id of the sample, and ``file:line`` of its row, for a rejection.
        expected: whether the download has clips at all, so that one without is a loss.
    """
    trouble = unusable(root, video, named[0]) if video is not None else None
    if video is not None and trouble is None:
        return FrameMedia((MediaRef(video, "video", sound=sound),), {}, ())
    rejections = (trouble,) if trouble else ()
    names = picture_names(frames) if frames is not None and os.path.isdir(frames) else []
    if frames is None or not names:
        lost = (Rejection(named[0], "media_missing", named[1], "neither a clip nor frames"),) if expected else ()
        return FrameMedia((), {}, rejections or lost)
    picture = relative(frames / names[len(names) // 2], root)
    if linked := unusable(root, picture, named[0]):
        return FrameMedia((), {}, (*rejections, linked))
    facts = {"frames": relative(frames, root), "frame_count": str(len(names))}
    return FrameMedia((MediaRef(picture, "image"),), facts, rejections)

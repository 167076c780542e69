"""What corpora of faces on film have in common: a clip is one file, or a folder of numbered pictures. Not a corpus."""

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
    """The pictures in a folder in the order of the numbers in their names: 2.jpg stands before 10.jpg."""
    with os.scandir(folder) as entries:
        found = [e.name for e in entries if e.name.lower().endswith(PICTURES) and not is_debris(e.name)]
    return sorted(found, key=lambda name: ([int(digits) for digits in _NUMBER.findall(name)], name))


class Found(NamedTuple):
    """The medium of a sample, facts about it, and what is wrong with it."""

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
) -> Found:
    """The clip, or where there are only pictures the one in the middle; and where the others lie.

    Args:
        named: id of the sample, and ``file:line`` of its row, for a rejection.
        expected: whether the download has clips at all, so that one without is a loss.
    """
    trouble = unusable(root, video, named[0]) if video is not None else None
    if video is not None and trouble is None:
        return Found((MediaRef(video, "video", sound=sound),), {}, ())
    said = (trouble,) if trouble else ()
    names = picture_names(frames) if frames is not None and os.path.isdir(frames) else []
    if frames is None or not names:
        lost = (Rejection(named[0], "media_missing", named[1], "neither a clip nor frames"),) if expected else ()
        return Found((), {}, said or lost)
    picture = relative(frames / names[len(names) // 2], root)
    if linked := unusable(root, picture, named[0]):
        return Found((), {}, (*said, linked))
    facts = {"frames": relative(frames, root), "frame_count": str(len(names))}
    return Found((MediaRef(picture, "image"),), facts, said)

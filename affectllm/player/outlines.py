"""The outline of a sound as a text of some hundred characters, since a page may list thousands of sounds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.model.clips.media import SAMPLING_RATE, Budget, MediaError, open_clip

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

COLUMNS, LONGEST = 160, 600.0
MOST = 3_000
"""Clips of one page that are opened for their outlines: some seconds on a few cores."""
LEVELS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
"""The level of a column is the place of its character; none of them means anything to HTML or JavaScript."""
_BUDGET = Budget(fps=1.0, max_frames=2, max_pixels=64 * 64, min_pixels=4, max_seconds=LONGEST, long="trim")
_THREADS = 8


@dataclass(frozen=True)
class Outline:
    """How loud a sound is from its beginning to its end.

    Args:
        levels: a character of ``LEVELS`` for each column, the loudest at the top; empty where there is no sound.
        seconds: that it covers, at most ``LONGEST``.
    """

    levels: str = ""
    seconds: float = 0.0


SILENT = Outline()


def outline(sound: Array) -> Outline:
    """Return the outline of a sound, ``[samples]`` at ``SAMPLING_RATE``: the largest amplitude of each column."""
    import numpy as np

    if not len(sound):
        return SILENT
    edges = np.linspace(0, len(sound), min(COLUMNS, len(sound)) + 1).astype(int)
    heights = np.maximum.reduceat(np.abs(sound), edges[:-1])
    levels = np.rint((len(LEVELS) - 1) * heights / (float(heights.max()) or 1.0)).astype(int)
    return Outline("".join(LEVELS[level] for level in levels), round(len(sound) / SAMPLING_RATE, 2))


def outline_of(path: Path, part: Mapping[str, Any]) -> Outline:
    """Return the outline of what a media part refers to; a clip that cannot be opened has none."""
    clip = open_clip(path, _BUDGET, frames=False, sound=True, start=part.get("start"), end=part.get("end"))
    return SILENT if isinstance(clip, MediaError) or clip.sound is None else outline(clip.sound)


def points(levels: str) -> str:
    """Return an outline as the points of an SVG polygon in a box of ``COLUMNS`` by 2, around 1."""
    heights = [LEVELS.index(level) / (len(LEVELS) - 1) for level in levels]
    xs = [round(number * COLUMNS / max(1, len(heights) - 1), 1) for number in range(len(heights))]
    upper = [f"{x:g},{1 - height:.2f}" for x, height in zip(xs, heights, strict=True)]
    lower = [f"{x:g},{1 + height:.2f}" for x, height in zip(xs, heights, strict=True)]
    return " ".join([*upper, *reversed(lower)])


class Outlines:
    """Outlines of a page's clips, each opened once, until there are as many as the page may have opened.

    Args:
        most: clips that are opened.

    Attributes:
        left_out: clips with sound that were not opened for that reason.
    """

    def __init__(self, most: int = MOST) -> None:
        self._left, self.left_out = most, 0
        self._known: dict[tuple[Any, ...], Outline] = {}

    def of(self, wanted: Sequence[tuple[Path, Mapping[str, Any]]]) -> list[Outline]:
        """Return an outline for each path and media part, in their order."""
        keys = [(path, part.get("start"), part.get("end")) for path, part in wanted]
        new = {key: pair for key, pair in zip(keys, wanted, strict=True) if key not in self._known}
        opened = dict(list(new.items())[: self._left])
        self._left -= len(opened)
        self.left_out += len(new) - len(opened)
        self._known |= dict.fromkeys(new, SILENT) | dict(zip(opened, _each(list(opened.values())), strict=True))
        return [self._known[key] for key in keys]


def _each(wanted: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[Outline]:
    if len(wanted) < 2:
        yield from (outline_of(*one) for one in wanted)
        return
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads:  # decoders leave the interpreter's lock
        yield from threads.map(lambda one: outline_of(*one), wanted)

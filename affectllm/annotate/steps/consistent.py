"""Keep descriptions that do not contradict what can be measured: loudness, light, movement, in the samples' own range.

A clip among the quieter half of all is not "loud", one among the louder half not "quiet". Words are English; a
description without any of them, or a clip without that modality, says nothing and is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from affectllm.annotate.row import Item, Row
from affectllm.annotate.step import NOTHING, Context, Read, Step
from affectllm.corpus.sample import MediaRef
from affectllm.model.clips.media import Budget, Clip, open_clip, open_image

# Measure → words for much of it, and for little.
WORDS = {
    "loudness": (
        "loud|loudly|shouts?|shouting|yells?|yelling|screams?|screaming",
        "quiet|quietly|soft-spoken|whispers?|whispering|hushed",
    ),
    "light": ("bright|brightly lit|well-lit|sunlit", "dark|dim|dimly lit"),
    "movement": (
        "moves a lot|gestures wildly|restless|agitated movements?|jumps|jumping",
        "motionless|(?:sits|stands|stays|keeps) still|barely moves|hardly moves|frozen",
    ),
}
_NEGATED = re.compile(r"\b(?:not|no|never|without|isn't|doesn't|neither|nor)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_FEW = 4  # clips, below which there is no range to speak of
_BUDGET = Budget(fps=2.0, max_frames=8, max_pixels=64 * 64, min_pixels=28 * 28, max_seconds=30.0, long="trim")


@dataclass(frozen=True)
class Consistent(Step):
    """Args:
    of: step whose description is checked.
    """

    of: str

    whole: ClassVar[bool] = True
    leaves: ClassVar[str] = NOTHING

    def reads(self) -> tuple[Read, ...]:
        return (Read(self.of),)

    def over(self, rows: Sequence[Row], context: Context) -> list[Item]:
        measured = [measures(row, context.roots) for row in rows]
        ranges = {name: sorted(one[name] for one in measured if name in one) for name in WORDS}
        context.facts[self.name] = {"measured": {name: len(values) for name, values in ranges.items()}}
        items: list[Item] = []
        for row, values in zip(rows, measured, strict=True):
            wrong = contradiction(str(row.notes.get(self.of, "")), values, ranges)
            items.append(row.rejected("inconsistent", wrong) if wrong else row)
        return items

    def supposed(self, row: Row, context: Context) -> list[Row]:
        return [row]


def contradiction(text: str, values: Mapping[str, float], ranges: Mapping[str, Sequence[float]]) -> str:
    """Return what of a description the measurements contradict; empty where nothing does."""
    for name, (much, little) in WORDS.items():
        spread = ranges.get(name, ())
        if name not in values or len(spread) < _FEW:
            continue
        middle = (spread[(len(spread) - 1) // 2] + spread[len(spread) // 2]) / 2
        for words, is_wrong in ((much, values[name] < middle), (little, values[name] > middle)):
            if is_wrong and (word := _says(text, words)):
                return f"{word!r} with {name} {values[name]:.3g}, of {spread[0]:.3g} to {spread[-1]:.3g}"
    return ""


def _says(text: str, words: str) -> str:
    """Return the word that a text says and does not deny."""
    for match in re.finditer(rf"\b(?:{words})\b", text, re.IGNORECASE):
        if not _NEGATED.search(text[: match.start()]):
            return match[0]
    return ""


def measures(row: Row, roots: Mapping[str, Path]) -> dict[str, float]:
    """Return loudness (dB of full scale), light (0 to 1) and movement (mean change between frames, 0 to 1)."""
    values = Counter[str]()
    result: dict[str, float] = {}
    for ref in row.sample.media:
        for name, value in _of_clip(roots[row.sample.corpus] / ref.path, ref).items():
            values[name] += 1
            result[name] = result.get(name, 0.0) + (value - result.get(name, 0.0)) / values[name]
    return result


def _of_clip(path: Path, ref: MediaRef) -> dict[str, float]:
    import numpy as np

    if ref.modality == "image":
        picture = open_image(path, _BUDGET)
        return {"light": float(np.asarray(picture).mean() / 255)} if isinstance(picture, np.ndarray) else {}
    seen, heard = ref.modality == "video", ref.sound or ref.modality == "audio"
    clip = open_clip(path, _BUDGET, frames=seen, sound=heard, start=ref.start, end=ref.end)
    if not isinstance(clip, Clip) and seen and heard:  # its sound track may be silent
        clip = open_clip(path, _BUDGET, frames=True, sound=False, start=ref.start, end=ref.end)
    if not isinstance(clip, Clip):
        return {}
    values: dict[str, float] = {}
    if clip.sound is not None and len(clip.sound):
        values["loudness"] = float(10 * np.log10(np.mean(clip.sound.astype(np.float64) ** 2) + 1e-10))
    if clip.frames is not None and len(clip.frames):
        values["light"] = float(clip.frames.mean() / 255)
        if len(clip.frames) > 1:
            values["movement"] = float(np.abs(np.diff(clip.frames.astype(np.float32), axis=0)).mean() / 255)
    return values


STEP = Consistent

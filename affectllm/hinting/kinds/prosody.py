"""How a voice sounds beside how its speaker usually sounds: "pitch much higher and pace faster than usual …".

Measures of a clip (``voice_measures``) are compared with those of the speaker's clips in TRAIN, where there are at
least ``clips`` of them, else with all of TRAIN: nothing is learned from what is scored. A clip of TRAIN is compared
with the others, itself left out. What lies within half a standard deviation of the mean is usual and is not told;
beyond one and a half it is "much".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from affectllm.corpus import TRAIN, MediaRef, Sample
from affectllm.errors import AffectError, placed
from affectllm.hinting.kept import Kept
from affectllm.hinting.kind import Kind, Source, Work
from affectllm.hinting.voice_measures import MEASURES, Tool, installed, measured, version_of
from affectllm.hints.table import Hint
from affectllm.model.media import Budget, MediaError, open_clip
from affectllm.run import digest
from affectllm.train.method import Bound

_RULES = 1
"""Version of the words."""
USUAL, MUCH = 0.5, 1.5  # standard deviations
_WORDS = {  # measure → what is said below and above the usual
    "pitch": ("pitch lower", "pitch higher"),
    "pitch_range": ("intonation flatter", "intonation livelier"),
    "loudness": ("quieter", "louder"),
    "pace": ("slower", "faster"),
    "pauses": ("fewer pauses", "more pauses"),
}
_BUDGET = Budget(max_seconds=60.0, long="trim")
_NO_SPREAD = 1e-6


@dataclass(frozen=True)
class Options:
    """Options of hints of prosody.

    Args:
        by: ``praat`` or ``opensmile`` (``pip install affectllm[prosody]``), or ``numpy``, which is always there;
            ``auto`` for the first of these that is installed.
        clips: of a speaker in TRAIN that are enough to know how the speaker usually sounds.
    """

    by: Literal["auto", "praat", "opensmile", "numpy"] = "auto"
    clips: int = 5


def find(work: Work) -> Iterator[Hint]:
    """Yield the hint of every sample."""
    options: Options = work.options
    with placed(work.where("by")):
        tool = _tool(options.by)
    heard = sum(sample.split == TRAIN and _sound(sample) is not None for sample in work.samples)
    if heard < options.clips:
        message = f"{heard:,} clips of TRAIN have sound, and at least clips ({options.clips:,}) say what is usual"
        do = "lower clips; of a corpus without TRAIN there are no hints of prosody"
        raise AffectError(message, where=work.where("clips"), do=do)
    kept = Kept(work.kept, [tool, version_of(tool)])
    values = [_measure(work, sample, kept, tool) for sample in work.samples]
    usual = Usual(work.samples, values, options.clips)
    version = digest([_RULES, version_of(tool), options.clips, usual.state()])
    source = Source("prosody", version_of(tool), version)
    for sample, its in zip(work.samples, values, strict=True):
        if isinstance(its, str):
            yield source.none(sample, its)
            continue
        compared = usual.compared(sample, its)
        if compared is None:
            yield source.none(sample, "nothing_to_compare_with", its)
        else:
            whose, scores = compared
            yield source.hint(sample, _told(whose, scores), {"measures": its, "scores": scores})


def _tool(by: str) -> Tool:
    tools: Sequence[Tool] = ("praat", "opensmile", "numpy")
    if by == "auto":
        return next(tool for tool in tools if installed(tool))
    tool = next(one for one in tools if one == by)
    if not installed(tool):
        raise AffectError(f"{by} is not installed", do="pip install affectllm[prosody], or write by: numpy")
    return tool


def _sound(sample: Sample) -> MediaRef | None:
    return next((one for one in sample.media if one.modality == "audio" or one.sound), None)


def _measure(work: Work, sample: Sample, kept: Kept, tool: Tool) -> dict[str, float] | str:
    """Return the measures of a sample's voice, or why there are none."""
    if (ref := _sound(sample)) is None:
        return "no_audio"
    result: dict[str, float] | str = kept.of(work.root, ref, lambda: _heard(work, ref, tool))
    return result


def _heard(work: Work, ref: MediaRef, tool: Tool) -> dict[str, float] | str:
    clip = open_clip(work.root / ref.path, _BUDGET, frames=False, sound=True, start=ref.start, end=ref.end)
    if isinstance(clip, MediaError):
        return clip.reason
    return (measured(clip.sound, tool) if clip.sound is not None else None) or "no_voice"


@dataclass
class _Sums:
    """Count, sum and sum of squares, from which one clip can be left out."""

    n: int = 0
    first: float = 0.0
    second: float = 0.0

    def add(self, value: float, sign: int = 1) -> _Sums:
        return _Sums(self.n + sign, self.first + sign * value, self.second + sign * value * value)

    def score(self, value: float) -> float:
        """Return how many standard deviations a value lies above the mean; 0 where all are the same."""
        mean = self.first / self.n
        spread = math.sqrt(max(0.0, self.second / self.n - mean * mean))
        return (value - mean) / spread if spread > _NO_SPREAD else 0.0


class Usual:
    """How the speakers of TRAIN, and TRAIN as a whole, usually sound.

    Args:
        samples: of all splits; only those of TRAIN count.
        values: of each the measures, or why there are none.
        clips: of a speaker that are enough.
    """

    def __init__(self, samples: Sequence[Sample], values: Sequence[dict[str, float] | str], clips: int) -> None:
        self._clips = clips
        self._sums: dict[tuple[str | None, str], _Sums] = {}
        for sample, its in zip(samples, values, strict=True):
            if sample.split == TRAIN and not isinstance(its, str):
                for who in {None, sample.speaker}:
                    for name, value in its.items():
                        self._sums[who, name] = self._sums.get((who, name), _Sums()).add(value)

    def compared(self, sample: Sample, its: Mapping[str, float]) -> tuple[str, dict[str, float]] | None:
        """Return with whose voice a clip is compared, and measure → standard deviations; None where there is none."""
        own = sample.split == TRAIN
        for who, whose in ((sample.speaker, "this speaker"), (None, "the speakers of this corpus")):
            counted = self._sums.get((who, MEASURES[0]), _Sums()).n - own
            if counted >= self._clips and (who is not None or whose != "this speaker"):
                return whose, {name: round(self._score(who, name, value, own), 3) for name, value in its.items()}
        return None

    def _score(self, who: str | None, name: str, value: float, own: bool) -> float:
        sums = self._sums[who, name]
        return (sums.add(value, -1) if own else sums).score(value)

    def state(self) -> list[Any]:
        """Return what decides the comparisons, as JSON values."""
        return sorted([who or "", name, vars(sums)] for (who, name), sums in self._sums.items())


def _told(whose: str, scores: Mapping[str, float]) -> str:
    parts = []
    for name in MEASURES:
        if (size := abs(scores[name])) >= USUAL:
            words = _WORDS[name][scores[name] > 0]
            parts.append(f"{words} ({'much' if size >= MUCH else 'somewhat'})")
    return f"Voice: {', '.join(parts)}, against what is usual for {whose}" if parts else f"Voice: as usual for {whose}"


KIND = Kind("how a voice sounds beside its speaker's usual voice", Options, find, bounds={"clips": Bound(2)})

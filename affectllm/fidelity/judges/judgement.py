"""What a judge says about a clip, and the memory in which it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from affectllm.corpus import Sample
from affectllm.evaluate.answers import Answers
from affectllm.evaluate.models.requests import content_digest
from affectllm.run import digest

_TOGETHER = 8  # clips that are judged between two writes


@dataclass(frozen=True)
class Judgement:
    """What a judge says about one clip.

    Args:
        label: the emotion that it finds; None where it finds none.
        shares: label → probability, where the judge gives any.
        numbers: dimension → value, where the judge gives any.
        reason: why there is no judgement; empty where there is one.
    """

    label: str | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""

    def renamed(self, names: Mapping[str, str]) -> Judgement:
        """Return the judgement in other words; shares of labels that become one are added."""
        shares: dict[str, float] = {}
        for label, share in self.shares.items():
            shares[names.get(label, label)] = shares.get(names.get(label, label), 0.0) + share
        best = max(shares, key=lambda label: shares[label]) if shares and self.label is not None else self.label
        return replace(self, label=names.get(best, best) if best is not None else None, shares=shares)


class Judge(Protocol):
    """Who judges clips."""

    def identity(self) -> dict[str, Any]:
        """Return everything that decides the judgements beside the clips, as JSON values."""

    def judge(self, clips: Sequence[Sample]) -> list[Judgement]:
        """Return the judgement of each clip, whose paths are absolute."""


class Remembering:
    """A judge with a memory: no clip is judged twice, wherever it lies; each batch is stored as it comes.

    Args:
        folder: where judgements are kept; None keeps nothing.

    Attributes:
        judged: how many clips the judge was asked about; the others were known.
    """

    def __init__(self, judge: Judge, folder: Path | None) -> None:
        self.inner, self.judged = judge, 0
        self._answers, self._identity = Answers(folder), digest({"version": 1, **judge.identity()})

    def judge(self, clips: Sequence[Sample]) -> list[Judgement]:
        """Return the judgement of each clip."""
        keys = [self._key(clip) for clip in clips]
        new = {key: clip for key, clip in zip(keys, clips, strict=True) if self._answers.get(key) is None}
        for batch in _batches(list(new), _TOGETHER):
            judgements = self.inner.judge([new[key] for key in batch])
            self.judged += len(batch)
            self._answers.add({key: asdict(one) for key, one in zip(batch, judgements, strict=True)})
        return [Judgement(**(self._answers.get(key) or {})) for key in keys]

    def _key(self, clip: Sample) -> str:
        media = [[content_digest(Path(ref.path)), ref.modality, ref.sound, ref.start, ref.end] for ref in clip.media]
        return digest([self._identity, media])


def _batches(keys: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


def reasons(judgements: Iterable[Judgement]) -> dict[str, int]:
    """Return reason → how many clips have no judgement for it."""
    counts: dict[str, int] = {}
    for one in judgements:
        if one.reason:
            counts[one.reason] = counts.get(one.reason, 0) + 1
    return counts

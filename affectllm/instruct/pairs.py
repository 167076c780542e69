"""Comparisons: a sample made of two, whose annotation says which one has more of a dimension."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.splits import draw
from affectllm.labels import Annotation, LabelSpace

COMPARISON = LabelSpace(
    "comparison_2", "category", ("first", "second"), source="two moments of one corpus, compared on a dimension"
)


_WAITING = 64  # samples that look for a partner at the same time


@dataclass
class Pairing:
    """Pairs each sample with the one that has waited longest among those that differ enough from it.

    Args:
        space, rater, dimension: what is compared, and whose ratings.
        margin: smallest difference that is asked about.
    """

    space: str
    rater: str
    dimension: str
    margin: float
    _waiting: list[Sample] = field(default_factory=list, init=False)

    def add(self, sample: Sample) -> Sample | Rejection | None:
        """Return a pair, None while the sample waits for a partner, or the rejection of one that is not compared."""
        annotation = sample.annotation(self.space, self.rater)
        if annotation is None or self.dimension not in annotation.value:
            return Rejection(sample.id, "no_annotation", sample.source)
        for other in self._waiting:
            if abs(self._value(other) - self._value(sample)) >= self.margin:
                self._waiting.remove(other)
                return self._pair(other, sample)
        self._waiting.append(sample)
        return self._alone(self._waiting.pop(0)) if len(self._waiting) > _WAITING else None

    def rest(self) -> Iterator[Rejection]:
        """Yield rejections of the samples without a partner."""
        yield from map(self._alone, self._waiting)
        self._waiting.clear()

    def _alone(self, sample: Sample) -> Rejection:
        return Rejection(sample.id, "no_partner", sample.source, f"none differs by {self.margin:g}")

    def _pair(self, one: Sample, other: Sample) -> Sample:
        first, second = (one, other) if draw(f"{one.id}|{other.id}") < 0.5 else (other, one)
        more = "first" if self._value(first) > self._value(second) else "second"
        both = first.text is not None and second.text is not None
        return Sample(
            id=f"{first.id}|{second.id}",
            corpus=first.corpus,
            split=first.split,
            annotations=(Annotation(COMPARISON.name, self.rater, more),),
            source=first.source,
            text=f"First: {first.text}\nSecond: {second.text}" if both else None,
            language=first.language,
            media=(*first.media, *second.media),
            attributes={"quality": self.dimension.replace("_", " ")},
        )

    def _value(self, sample: Sample) -> float:
        annotation = sample.annotation(self.space, self.rater)
        assert annotation is not None and not isinstance(annotation.value, (str, tuple))
        return float(annotation.value[self.dimension])

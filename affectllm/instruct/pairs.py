"""Two moments compared: a sample made of two, whose annotation says which one has more of a dimension."""

from __future__ import annotations

from dataclasses import dataclass, field

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.splits import draw
from affectllm.labels import Annotation, LabelSpace

COMPARISON = LabelSpace(
    "comparison_2", "category", ("a", "b"), source="two moments of one corpus, compared on one annotated dimension"
)


@dataclass
class Pairing:
    """Pairs each sample with the one before it that has no partner yet.

    Args:
        space, rater, dimension: what is compared, and whose ratings.
        margin: smallest difference that is asked about.
    """

    space: str
    rater: str
    dimension: str
    margin: float
    _waiting: Sample | None = field(default=None, init=False)

    def add(self, sample: Sample) -> Sample | Rejection | None:
        """A pair, None while the sample waits for a partner, or why it is not compared."""
        annotation = sample.annotation(self.space, self.rater)
        if annotation is None or self.dimension not in annotation.value:
            return Rejection(sample.id, "no_annotation", sample.source)
        if self._waiting is None:
            self._waiting = sample
            return None
        other, self._waiting = self._waiting, None
        made = self._pair(other, sample)
        if made is None:
            self._waiting = other
            return Rejection(sample.id, "too_close", sample.source, f"differs by less than {self.margin:g}")
        return made

    def rest(self) -> Rejection | None:
        """The sample that found no partner."""
        left, self._waiting = self._waiting, None
        return Rejection(left.id, "no_partner", left.source) if left else None

    def _pair(self, one: Sample, other: Sample) -> Sample | None:
        first, second = (one, other) if draw(f"{one.id}|{other.id}") < 0.5 else (other, one)
        low, high = self._value(first), self._value(second)
        if abs(low - high) < self.margin:
            return None
        more = "a" if low > high else "b"
        both = first.text is not None and second.text is not None
        return Sample(
            id=f"{first.id}|{second.id}",
            corpus=first.corpus,
            split=first.split,
            annotations=(Annotation(COMPARISON.name, self.rater, more),),
            source=first.source,
            text=f"A: {first.text}\nB: {second.text}" if both else None,
            language=first.language,
            media=(*first.media, *second.media),
            attributes={"quality": self.dimension.replace("_", " ")},
        )

    def _value(self, sample: Sample) -> float:
        annotation = sample.annotation(self.space, self.rater)
        assert annotation is not None and not isinstance(annotation.value, (str, tuple))
        return float(annotation.value[self.dimension])

"""A row of an annotation: a sample on its way through the steps, with what each of them noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from affectllm.corpus import Rejection, Sample
from affectllm.labels import Annotation
from affectllm.labels.annotation import Value


@dataclass(frozen=True)
class Row:
    """A sample and the notes of the steps so far.

    Args:
        sample: with the annotations that steps added.
        notes: name of a step → what it noted, as JSON values.
        gaps: name of a step, or of a step and a model → why there is no note.
    """

    sample: Sample
    notes: Mapping[str, Any] = field(default_factory=dict)
    gaps: Mapping[str, str] = field(default_factory=dict)

    def noted(self, name: str, value: Any) -> Row:
        """Return the row with a note."""
        return replace(self, notes={**self.notes, name: value})

    def lacking(self, name: str, reason: str) -> Row:
        """Return the row with the reason why it has no note."""
        return replace(self, gaps={**self.gaps, name: reason})

    def annotated(self, space: str, rater: str, value: Value) -> Row:
        """Return the row with one more annotation; an earlier one of the rater in this space is replaced."""
        others = [one for one in self.sample.annotations if (one.space, one.rater) != (space, rater)]
        annotations = (*others, Annotation(space, rater, value))
        return replace(self, sample=replace(self.sample, annotations=annotations))

    def rejected(self, reason: str, detail: str = "") -> Rejection:
        """Return the rejection that takes the place of the row."""
        return Rejection(self.sample.id, reason, self.sample.source, detail)

    def to_json(self) -> dict[str, Any]:
        """Return id, notes and gaps, as the output of a step is kept."""
        return {"id": self.sample.id, "notes": dict(self.notes), "gaps": dict(self.gaps)}


Item = Row | Rejection

"""An annotation: one answer in a label space, and who gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Value = str | tuple[Any, ...] | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One answer in a label space *and who gave it*.

    Args:
        space: name of the label space.
        rater: who answered, as declared on the corpus card (``actor``, ``writer``, ``crowd_voice``, …).
        value: by the kind of the space: ``category`` a name, or a tuple of at least two names where the raters tied;
            ``set`` a tuple of names (possibly empty), or a mapping name → score from 0 to 1; ``dimension`` and
            ``distribution`` a mapping name → number;
            ``open`` a string; ``spans`` a tuple of ``{"turn": 3, "span": "words"}``, the turn a number from 1 or
            ``background`` and the span left out where only turns were marked; ``options`` a mapping with the
            ``options`` of the question and those that are ``right``, both tuples of texts; ``pairs`` a tuple of
            ``{"turn": 3, "emotion": "joy", "cause": 1, "span": "words"}``, the span left out as above.
    """

    space: str
    rater: str
    value: Value

    @property
    def tied(self) -> bool:
        """Whether raters of one vote tied between several names (only meaningful in a ``category`` space)."""
        return isinstance(self.value, tuple) and len(self.value) > 1

    def to_json(self) -> dict[str, Any]:
        """Return the annotation as JSON types; tuples become lists."""
        return {"space": self.space, "rater": self.rater, "value": plain(self.value)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Annotation:
        """Create an annotation from the output of ``to_json``."""
        return cls(record["space"], record["rater"], _frozen(record["value"]))


def plain(value: Any) -> Any:
    """Convert a value to JSON types; tuples become lists."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _frozen(item) for name, item in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value

"""An annotation: one answer in a label space, and who gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Value = str | tuple[str, ...] | Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One answer in a label space *and who gave it*.

    Args:
        space: name of the label space.
        rater: who answered, as declared on the corpus card (``actor``, ``writer``, ``crowd_voice``, …).
        value: by the kind of the space: ``category`` a name, or a tuple of at least two names where the raters tied;
            ``set`` a tuple of names (possibly empty); ``dimension`` and ``distribution`` a mapping name → number;
            ``open`` a string.
    """

    space: str
    rater: str
    value: Value

    @property
    def tied(self) -> bool:
        """Whether raters of one vote tied between several names (only meaningful in a ``category`` space)."""
        return isinstance(self.value, tuple) and len(self.value) > 1

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types: tuples become lists."""
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {"space": self.space, "rater": self.rater, "value": value}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Annotation:
        """Inverse of ``to_json``."""
        value = record["value"]
        return cls(record["space"], record["rater"], tuple(value) if isinstance(value, list) else value)

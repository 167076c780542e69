"""A label space: the set of answers that may be given to one question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from affectllm.errors import Malformed

Kind = Literal["category", "set", "dimension", "distribution", "open"]


@dataclass(frozen=True)
class LabelSpace:
    """The answers that may be given to one question.

    Args:
        name: unique name, e.g. ``ekman_6_neutral``.
        kind: ``category`` (one name), ``set`` (several names), ``dimension`` (numbers within ``bounds``),
            ``distribution`` (a count or weight per name) or ``open`` (free text).
        names: the category or dimension names, in the order in which the source lists them; empty for ``open``.
        source: where the space is defined (paper or release).
        aliases: other words for a name, as they occur in corpora and in answers (``angry`` → ``anger``).
        bounds: the smallest and largest value of a ``dimension``, both included.
    """

    name: str
    kind: Kind
    names: tuple[str, ...]
    source: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            raise Malformed("a label space names a label twice", where=self.name)
        if strange := sorted(set(self.aliases.values()) - set(self.names)):
            raise Malformed(f"aliases point at names that are not in the space: {strange}", where=self.name)
        if (self.kind == "dimension") != (self.bounds is not None):
            raise Malformed("bounds belong to dimensions, and to nothing else", where=self.name)

    def resolve(self, word: str) -> str | None:
        """The canonical name for ``word`` (case and blanks around it ignored), or None when it is not in the space."""
        key = word.strip().lower()
        return key if key in self.names else self.aliases.get(key)

    def check(self, value: Any) -> None:
        """Raise ``Malformed`` unless ``value`` is an answer in this space (see ``Annotation.value`` for the shapes)."""
        if not self._admits(value):
            raise Malformed(f"{value!r} is not an answer in the {self.kind} space {self.name}", where=self.name)

    def _admits(self, value: Any) -> bool:
        if self.kind == "open":
            return isinstance(value, str)
        if self.kind == "category" and isinstance(value, str):
            return value in self.names
        if self.kind in ("category", "set"):
            return (
                isinstance(value, (list, tuple))
                and set(value) <= set(self.names)
                and len(set(value)) == len(value)
                and (self.kind == "set" or len(value) > 1)
            )
        if not isinstance(value, Mapping) or not set(value) <= set(self.names):
            return False
        if self.kind == "distribution":
            return all(weight >= 0 for weight in value.values())
        low, high = self.bounds or (0.0, 0.0)
        return all(low <= number <= high for number in value.values())

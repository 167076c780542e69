"""Map labels to clusters by twelve mappings, in the published way and in a strict one.

``M1`` takes a spelling to its base word, ``M2`` on to a word of the wheels, and ``wheel1`` … ``wheel5_level2`` to the
cluster of a wheel at a level.

The published way drops a label that leads nowhere, and of several ways on takes the one that comes first in the
alphabet; so the 2025 tables send "fear" to happiness, because "fear" is listed as a spelling of "fearless". The strict
way drops nothing: a label that leads nowhere is a cluster of its own, together with its other spellings. And exact
words win: a word of the wheel is itself, a base word is no spelling of another one, and synonyms are followed only
where neither is so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from affectllm.errors import Malformed
from affectllm.metrics.wheels.tables import Tables

WHEELS = range(1, 6)
NEUTRAL = "neutral"
Route = Callable[[str], str]


@dataclass(frozen=True)
class Step:
    """One of the twelve mappings: its name, and the wheel and level of its clusters (0: before the wheels)."""

    name: str
    wheel: int = 0
    level: int = 0


BASE, SYNONYM = Step("M1"), Step("M2")


def wheel_steps(level: int) -> list[Step]:
    """Return the five mappings onto the clusters of one level."""
    return [Step(f"wheel{wheel}" + (f"_level{level}" if level > 1 else ""), wheel, level) for wheel in WHEELS]


@dataclass
class Published:
    """The routes of the published evaluator; an empty string where a label leads nowhere."""

    tables: Tables

    def route(self, step: Step) -> Route:
        """label → cluster, "" for none."""
        if step.wheel:
            clusters = self.tables.wheels[step.wheel - 1][step.level]
            return lambda label: _first(self._words(label), clusters)
        return self._base if step == BASE else self._synonym

    def _base(self, label: str) -> str:
        return min(self.tables.forms.get(label, ("",)))

    def _synonym(self, label: str) -> str:
        return min(self._wheel_words(self._base(label)), default="") if label in self.tables.forms else ""

    def _words(self, label: str) -> list[str]:
        return sorted(word for base in self.tables.forms.get(label, ()) for word in self._wheel_words(base))

    def _wheel_words(self, base: str) -> tuple[str, ...]:
        if base not in self.tables.bases:
            message = (
                f"{base!r} is a base word of the spellings but has no synonyms; the published evaluator fails here"
            )
            raise Malformed(message, do="take all tables from one release, or leave out compat")
        return self.tables.bases[base]


@dataclass
class Strict:
    """Routes on which exact words win; an empty string where a label leads nowhere."""

    tables: Tables

    def route(self, step: Step) -> Route:
        """label → cluster, "" for none."""
        if step.wheel:
            clusters = self.tables.wheels[step.wheel - 1][step.level]
            return lambda label: _first(self._nearest(label, clusters), clusters)
        return self._base if step == BASE else self._synonym

    def alone(self, label: str) -> str:
        """Return the own cluster of a label that leads nowhere: its base word, so that spellings agree, or itself."""
        return self._base(label) or label

    def _base(self, label: str) -> str:
        return min(self._bases(label), default="")

    def _synonym(self, label: str) -> str:
        return next(iter(self._nearest(label, self._wheel_words)), "")

    def _nearest(self, label: str, words: Iterable[str]) -> list[str]:
        """Return where a label may lead, best first: itself, base words on the wheel, synonyms of its base words."""
        if label in words:
            return [label]
        bases = self._bases(label)
        exact = sorted(base for base in bases if base in words)
        return exact or sorted(word for base in bases for word in self.tables.bases.get(base, ()))

    def _bases(self, label: str) -> tuple[str, ...]:
        return (label,) if label in self.tables.bases else self.tables.forms.get(label, ())

    @cached_property
    def _wheel_words(self) -> set[str]:
        return {word for wheel in self.tables.wheels for word in wheel[1]}


def _first(words: Sequence[str], clusters: Mapping[str, str]) -> str:
    return next((clusters[word] for word in words if word in clusters), "")

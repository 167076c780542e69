"""Panels: the single ratings behind a corpus's answer, and the rule that made one answer of them.

A builder declares a panel on its card where its samples keep the ratings of several people beside the answer that
stands for all of them. From these one rater at a time can be held against the others.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from affectllm.labels import Annotation
from affectllm.labels.figures import rounded

if TYPE_CHECKING:
    from affectllm.corpus.sample import Sample

Rule = Callable[[Sequence[Any]], Any]
"""Single ratings → the value of the annotation that stands for them (a tuple where they tie), or None for none."""


@dataclass(frozen=True)
class Rating:
    """One person's answer; ``rater`` is empty where the release counts votes without saying whose they are."""

    rater: str
    value: Any


@dataclass(frozen=True)
class Panel:
    """The single ratings behind the answer of one rater in one label space.

    Args:
        space, rater: of the answer that stands for all, as tasks name it.
        rule: how the corpus makes it of single ratings.
        of: raters whose own annotations the ratings are, each one person or one place in a table.
        votes: rater whose annotation in ``ratings`` counts the votes for each name; instead of ``of``.
        ratings: label space of the single ratings, where that is not ``space``.
    """

    space: str
    rater: str
    rule: Rule
    of: tuple[str, ...] = ()
    votes: str = ""
    ratings: str = ""

    def of_sample(self, sample: Sample) -> list[Rating]:
        """Return the ratings of a sample; of weights that count nobody none."""
        space = self.ratings or self.space
        if not self.votes:
            named = ((rater, sample.annotation(space, rater)) for rater in self.of)
            return [Rating(rater, annotation.value) for rater, annotation in named if annotation is not None]
        counted = sample.annotation(space, self.votes)
        if counted is None or not isinstance(counted.value, Mapping):
            return []
        if any(count != int(count) for count in counted.value.values()):
            return []
        return [Rating("", name) for name, count in counted.value.items() for _ in range(int(count))]

    def answered(self, sample: Sample, value: Any) -> Sample:
        """Return the sample with ``value`` as the answer that stands for all."""
        rest = (one for one in sample.annotations if (one.space, one.rater) != (self.space, self.rater))
        own = () if value is None else (Annotation(self.space, self.rater, value),)
        return replace(sample, annotations=(*rest, *own))


def majority(ratings: Sequence[Any]) -> Any:
    """Return the name that most gave, a tuple of names where they tie; a rating may hold several names."""
    counts = Counter(name for rating in ratings for name in ((rating,) if isinstance(rating, str) else rating))
    most = max(counts.values(), default=0)
    best = tuple(sorted(name for name, count in counts.items() if count == most))
    return best if len(best) > 1 else next(iter(best), None)


def agreed(share: float) -> Rule:
    """Return the rule by which a name holds that at least this share of the people gave."""

    def rule(ratings: Sequence[str]) -> str | None:
        name, count = Counter(ratings).most_common(1)[0]
        return name if count >= share * len(ratings) else None

    return rule


def mean(ratings: Sequence[Mapping[str, float]]) -> dict[str, float] | None:
    """Return the mean of each dimension over the ratings that have it."""
    columns: dict[str, list[float]] = {}
    for rating in ratings:
        for name, number in rating.items():
            columns.setdefault(name, []).append(number)
    return {name: rounded(math.fsum(column) / len(column)) for name, column in columns.items()} or None


def rounded_mean(ratings: Sequence[Mapping[str, float]]) -> dict[str, float] | None:
    """Return ``mean`` as whole numbers."""
    means = mean(ratings)
    return means and {name: float(round(number)) for name, number in means.items()}


def chosen_by(least: int) -> Rule:
    """Return the rule by which every name holds that at least so many gave."""

    def rule(ratings: Sequence[Sequence[str]]) -> tuple[str, ...]:
        counts = Counter(name for rating in ratings for name in rating)
        return tuple(sorted(name for name, count in counts.items() if count >= least))

    return rule

"""Suites: groups of tasks that have a score of their own, the mean of what their members lead with.

A group page says so under ``metadata``, where plain lm-eval reads it too and makes nothing of it::

    group: dfew
    task: [dfew_fold1, dfew_fold2, …]
    metadata: {version: 1, suite: {mean: headline, pooled: true}}

``mean: headline`` is the mean of each member's first metric, all of one weight; the name of a metric takes that one of
every member. ``pooled: true`` adds the same metric over the items of all members together, as for the folds of one
corpus, where it is the value with the honest interval.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.errors import Malformed
from affectllm.metrics import METRICS, Score

HEADLINE, POOLED, KEY = "headline", "pooled", "suite"
Scores = Mapping[str, Mapping[str, Score]]


@dataclass(frozen=True)
class Suite:
    """A group whose members' scores are averaged.

    Args:
        name: of the group.
        members: names of its tasks and groups.
        mean: ``headline`` or the name of a metric.
        pooled: whether the items of all members are scored together, too.
    """

    name: str
    members: tuple[str, ...]
    mean: str = HEADLINE
    pooled: bool = False

    @classmethod
    def read(cls, name: str, members: Sequence[str], metadata: Mapping[str, Any] | None, where: str) -> Suite | None:
        """Read the ``suite`` of a group's metadata; None where it has none.

        Raises:
            Malformed: with ``where``, when it has other keys or values.
        """
        given = (metadata or {}).get(KEY)
        if given is None:
            return None
        known = {"mean", "pooled"}
        if not isinstance(given, Mapping) or set(given) - known or not isinstance(given.get("pooled", False), bool):
            message = f"a suite has mean: (headline or a metric) and pooled: (true or false), not {given!r}"
            raise Malformed(message, where=where)
        suite = cls(name, tuple(members), given.get("mean", HEADLINE), given.get("pooled", False))
        if suite.mean != HEADLINE and suite.mean.rpartition(".")[2] not in METRICS:
            raise Malformed(f"there is no metric called {suite.mean!r}", where=where, do="see `affectllm ls metrics`")
        return suite

    def key_of(self, member: Mapping[str, Score]) -> str:
        """Return the metric of a member that is averaged."""
        return next(iter(member)) if self.mean == HEADLINE else self.mean

    def score_key(self, scores: Scores) -> str:
        """Return what the mean is called: ``mean.uar``; ``mean`` alone where the members lead with unlike metrics."""
        names = {self.key_of(scores[member]).rpartition(".")[2] for member in self.members}
        return f"mean.{names.pop()}" if len(names) == 1 else "mean"


def mean_score(values: Sequence[Score], items: Sequence[frozenset[str]]) -> Score:
    """Return the mean of several scores with an interval from theirs.

    The ends are recovered from the members' own intervals (Zou and Donner, Statistics in Medicine 27, 2008): distances
    from value to end add up in squares where members have no item or cluster in common, and plainly where they do,
    as if these always erred together. One member without an interval leaves none.

    Args:
        items: of each score the names of its items and clusters.
    """
    count = len(values)
    controls: dict[str, float | None] = {
        name: math.fsum(one["controls"][name] or 0.0 for one in values) / count
        for name in values[0]["controls"]
        if all(one["controls"].get(name) is not None for one in values)
    }
    value = math.fsum(one["value"] for one in values) / count
    low, high = (_end(values, items, end) for end in ("low", "high"))
    return {
        "value": value,
        "low": None if low is None else value - low,
        "high": None if high is None else value + high,
        "n": sum(one["n"] for one in values),
        "clusters": sum(one["clusters"] for one in values),
        "unreadable": math.fsum(one["unreadable"] * one["n"] for one in values) / sum(one["n"] for one in values),
        "controls": controls,
    }


def _end(values: Sequence[Score], items: Sequence[frozenset[str]], end: str) -> float | None:
    """Return the distance from the mean to one end of its interval."""
    distances = [None if one[end] is None else abs(one["value"] - one[end]) for one in values]  # type: ignore[literal-required]
    if any(distance is None for distance in distances):
        return None
    together = [math.fsum(distances[place] or 0.0 for place in places) for places in _related(items)]
    return math.hypot(*together) / len(values)


def _related(items: Sequence[frozenset[str]]) -> list[list[int]]:
    """Return the positions of the members in groups that have items in common, directly or through others."""
    groups: list[tuple[frozenset[str], list[int]]] = []
    for place, own in enumerate(items):
        joined = [group for group in groups if group[0] & own]
        groups = [group for group in groups if not group[0] & own]
        names = own.union(*(group[0] for group in joined))
        groups.append((names, [position for group in joined for position in group[1]] + [place]))
    return [places for _, places in groups]


def suite_details(suite: Suite, scores: Scores) -> dict[str, Any]:
    """Return what a report tells of a suite: each member's metric and value, and their spread."""
    keys = {member: suite.key_of(scores[member]) for member in suite.members}
    values = {member: scores[member][key]["value"] for member, key in keys.items()}
    spread = statistics.stdev(values.values()) if len(values) > 1 else 0.0
    members = {member: {"metric": keys[member], "value": values[member]} for member in suite.members}
    return {"suite": members, "spread": spread, "weights": "each member counts the same"}

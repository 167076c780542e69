"""Compute the scores of suites from those of their members, and of the items of all of them together."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.errors import Malformed
from affectllm.evaluate.scoring.rows import Row
from affectllm.evaluate.scoring.suites import POOLED, Suite, mean_score, suite_details
from affectllm.evaluate.scoring.task_scoring import Item, Scoring
from affectllm.metrics import Score


@dataclass(frozen=True)
class Part:
    """The scored items of one task or suite.

    Args:
        scoring: how its answers are scored; None where its tasks are scored in unlike ways.
        items: what is scored.
        clusters: of each item, unique among corpora; an item without one is its own.
    """

    scoring: Scoring | None
    items: list[Item]
    clusters: list[Hashable]

    @classmethod
    def of(cls, facts: Mapping[str, Any], rows: Sequence[Row], clusters: Sequence[str] | None) -> Part:
        """Collect the rows of a task."""
        names = clusters or [f"item {row.id}" for row in rows]
        items = [row.item for row in rows]
        return cls(Scoring.of_facts(facts), items, [f"{facts['corpus']}/{name}" for name in names])

    @property
    def names(self) -> frozenset[str]:
        """The names of its clusters."""
        return frozenset(map(str, self.clusters))


def add_suites(
    suites: Sequence[Suite],
    scores: MutableMapping[str, dict[str, Score]],
    details: MutableMapping[str, dict[str, Any]],
    parts: MutableMapping[str, Part],
) -> None:
    """Add the scores and details of suites, those within others first.

    Raises:
        Malformed: when a suite has a member without scores of ours, without its metric, or one that cannot be pooled.
    """
    for suite in suites:
        _check(suite, scores)
        values = [scores[member][suite.key_of(scores[member])] for member in suite.members]
        own = [parts[member] for member in suite.members]
        own_scores = {suite.score_key(scores): mean_score(values, [part.names for part in own])}
        parts[suite.name] = _joined(own)
        if suite.pooled:
            own_scores |= _pooled(suite, parts[suite.name], suite.key_of(scores[suite.members[0]]))
        details[suite.name] = suite_details(suite, scores)
        scores[suite.name] = own_scores


def _check(suite: Suite, scores: Mapping[str, Mapping[str, Score]]) -> None:
    for member in suite.members:
        if member not in scores:
            raise Malformed(f"{member} has no score that a suite could take", where=suite.name, do="leave it out")
        if (key := suite.key_of(scores[member])) not in scores[member]:
            raise Malformed(f"{member} is not scored by {key}", where=suite.name, do="average the headlines")


def _joined(parts: Sequence[Part]) -> Part:
    alike = all(part.scoring == parts[0].scoring for part in parts)
    items = [item for part in parts for item in part.items]
    return Part(parts[0].scoring if alike else None, items, [name for part in parts for name in part.clusters])


def _pooled(suite: Suite, part: Part, key: str) -> dict[str, Score]:
    if part.scoring is None:
        raise Malformed("tasks with other labels or forms cannot be pooled", where=suite.name, do="drop pooled:")
    return {f"{POOLED}.{key}": part.scoring.result(key, part.items, part.clusters).score()}

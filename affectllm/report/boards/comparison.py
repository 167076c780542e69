"""Compare runs on a task: the same items only, paired by cluster, corrected for the number of comparisons."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from string import ascii_letters
from typing import Any

from affectllm.errors import AffectError, NotFound
from affectllm.evaluate.scoring.paired import Together, together
from affectllm.evaluate.scoring.task_scoring import metric_of
from affectllm.metrics.core.comparison import Comparison, compare, smallest_p
from affectllm.metrics.core.jackknife import FEWEST
from affectllm.report.display import metric_name, number, signed

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Ranked:
    """One run in a comparison.

    Args:
        name: of the run.
        value: of the metric on the items that all runs answered.
        group: letters; two runs that share one cannot be told apart.
    """

    name: str
    value: float
    group: str


@dataclass(frozen=True)
class Board:
    """The runs of one task, the best first, and every pair of them.

    Args:
        task, metric: what was compared.
        n: items that all runs answered.
        clusters: speakers, dialogues or items that the comparison resamples.
        left_out: run → items that it answered and another did not.
        ranks: the runs, best first.
        pairs: differences with their intervals and corrected probabilities.
        unlike: in what the runs were asked otherwise, in words.
        lost: run → (answers in its files, answers that its scores count), where these are more.
    """

    task: str
    metric: str
    n: int
    clusters: int
    left_out: Mapping[str, int]
    ranks: tuple[Ranked, ...]
    pairs: tuple[Comparison, ...]
    unlike: tuple[str, ...] = ()
    lost: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def unresolved(self) -> str:
        """Why no runs can be told apart, however they differ; empty where they can."""
        if self.clusters < FEWEST:
            return (
                f"{self.clusters} {'cluster is' if self.clusters == 1 else 'clusters are'} too few to tell runs apart"
            )
        count, rounds = len(self.pairs), max((pair.rounds for pair in self.pairs), default=0)
        if smallest_p(count, self.clusters, rounds) < SIGNIFICANT:
            return ""
        pairs = "two runs" if count == 1 else f"{count:,} pairs of runs"
        less = "" if count == 1 else "; compare fewer"
        return f"{self.clusters:,} clusters and {rounds:,} draws are too few for telling {pairs} apart{less}"

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types: what is not defined is null."""
        return {**finite(asdict(self)), "unresolved": self.unresolved}


def board(folders: Mapping[str, Path], task: str, metric: str | None = None) -> Board:
    """Compare evaluations (name → folder) on a task, by its headline unless ``metric`` names another of its metrics.

    Raises:
        NotFound: when one of them did not score the task by the metric.
        AffectError: when they share no item.
    """
    one = together(folders, task, metric)
    if isinstance(one, str):
        raise NotFound(one, where=task, do="score the runs on the same task, and name one of its metrics")
    if not one.gold:
        raise AffectError("the runs share no item", where=task, do="score them on the same split")
    pairs = compare(
        metric_of(one.metric), one.gold, one.systems, clusters=one.clusters, correction="holm", **one.options
    )
    values = {name: _value(one, name) for name in one.systems}
    sign = -1 if metric_of(one.metric).better == "lower" else 1
    order = sorted(values, key=lambda name: rank_key(values[name], sign))
    groups = letters(order, {(row.first, row.second): row.p_corrected < SIGNIFICANT for row in pairs})
    ranks = tuple(Ranked(name, values[name], groups[name]) for name in order)
    counts = len(one.gold), clusters_of(one), one.left_out
    return Board(task, one.metric, *counts, ranks, tuple(pairs), one.unlike, one.lost)


def clusters_of(one: Together) -> int:
    """Return how many clusters a comparison resamples: items, where none are known."""
    return len(set(one.clusters)) if one.clusters else len(one.gold)


def rank_key(value: float, sign: int) -> tuple[bool, float]:
    """Return what sorts values from the best (the highest where ``sign`` is 1) to those that are not defined."""
    return (True, 0.0) if math.isnan(value) else (False, -sign * value)


def finite(value: Any) -> Any:
    """Return a value of JSON types in which a number that JSON does not know (NaN, infinity) is None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(one) for key, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, (list, tuple)) else value


def letters(order: Sequence[str], differ: Mapping[tuple[str, str], bool]) -> dict[str, str]:
    """Return for each name the letters of the groups it is in: two names share one exactly where they do not differ.

    A group is as large as it can be without a pair that differs (the compact letter display of Piepho, Journal of
    Computational and Graphical Statistics 13, 2004). Paired differences need not follow the ranks, so that the first
    and the third may not be told apart although the second is told from the first.
    """

    def alike(one: str, other: str) -> bool:
        return one == other or not differ.get((one, other), differ.get((other, one), False))

    groups: list[set[str]] = []
    for place, name in enumerate(order):
        for other in (name, *order[place + 1 :]):
            if alike(name, other) and not any({name, other} <= group for group in groups):
                group = {name, other}
                # What follows comes before what precedes, so that groups are stretches where differences follow ranks.
                for more in (*order[place:], *order[:place]):
                    if all(alike(more, one) for one in group):
                        group.add(more)
                groups.append(group)
    groups = [one for one in groups if not any(one < other for other in groups)]
    return {name: "".join(_letter(number) for number, group in enumerate(groups) if name in group) for name in order}


def _letter(number: int) -> str:
    """Return a, b, … z, A, … Z, and then letters of further alphabets: of one character, so that groups stand alone."""
    if number < len(ascii_letters):
        return ascii_letters[number]
    return chr(0x4E00 + number - len(ascii_letters))


def _value(one: Together, name: str) -> float:
    return metric_of(one.metric).statistic(one.gold, one.systems[name], **one.options).value()


def rendered(boards: Sequence[Board]) -> str:
    """Return the boards as text, or as JSON with ``rendered_json``."""
    return "\n\n".join("\n".join(_lines(one)) for one in boards)


def rendered_json(boards: Sequence[Board]) -> str:
    """Return the boards as JSON."""
    return json.dumps([one.to_json() for one in boards], indent=2, ensure_ascii=False, allow_nan=False)


def _lines(one: Board) -> Iterator[str]:
    yield f"{one.task}, {metric_name(one.metric)}, {one.n:,} items that all answered"
    for name, count in one.left_out.items():
        if count:
            yield f"  {count:,} items of {name} are left out: another run did not answer them"
    for name, (there, counted) in one.lost.items():
        yield f"  {name} has {there:,} answers on disk, and its scores count {counted:,}: some are lost"
    yield from (f"  asked otherwise: {one}" for one in one.unlike)
    width = max(len(rank.name) for rank in one.ranks)
    for rank in one.ranks:
        yield f"  {rank.name:<{width}}  {number(rank.value)}  {rank.group}"
    for pair in one.pairs:
        interval = (
            "no interval" if pair.low is None or pair.high is None else f"[{signed(pair.low)}, {signed(pair.high)}]"
        )
        yield f"  {pair.first} less {pair.second}: {signed(pair.difference)} {interval}, p {_p(pair.p_corrected)}"
    how = f"{one.clusters} clusters, paired, Holm's correction, 5 %"
    yield f"  {one.unresolved}." if one.unresolved else f"  Runs that share a letter cannot be told apart ({how})."


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"

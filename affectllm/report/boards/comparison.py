"""Compare runs on a task: the same items only, paired by cluster, corrected for the number of comparisons."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from affectllm.errors import AffectError, NotFound
from affectllm.evaluate.scoring.paired import Together, together
from affectllm.evaluate.scoring.task_scoring import metric_of
from affectllm.metrics.core.comparison import Comparison, compare
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
    """

    task: str
    metric: str
    n: int
    clusters: int
    left_out: Mapping[str, int]
    ranks: tuple[Ranked, ...]
    pairs: tuple[Comparison, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


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
    order = sorted(values, key=lambda name: -sign * values[name])
    groups = letters(order, {(row.first, row.second): row.p_corrected < SIGNIFICANT for row in pairs})
    ranks = tuple(Ranked(name, values[name], groups[name]) for name in order)
    clusters = len(set(one.clusters)) if one.clusters else len(one.gold)
    return Board(task, one.metric, len(one.gold), clusters, one.left_out, ranks, tuple(pairs))


def letters(order: Sequence[str], differ: Mapping[tuple[str, str], bool]) -> dict[str, str]:
    """Return for each name the letters of the groups it is in: two names share one where they do not differ.

    Groups are the longest stretches of ``order`` in which no pair differs (the compact display of Piepho, Journal of
    Computational and Graphical Statistics 13, 2004, for ranked means).
    """

    def apart(one: str, other: str) -> bool:
        return differ.get((one, other), differ.get((other, one), False))

    stretches: list[tuple[int, int]] = []
    for first in range(len(order)):
        last = first
        while last + 1 < len(order) and not any(apart(order[at], order[last + 1]) for at in range(first, last + 1)):
            last += 1
        if not stretches or last > stretches[-1][1]:
            stretches.append((first, last))
    return {
        name: "".join(chr(ord("a") + at) for at, (first, last) in enumerate(stretches) if first <= place <= last)
        for place, name in enumerate(order)
    }


def _value(one: Together, name: str) -> float:
    return metric_of(one.metric).statistic(one.gold, one.systems[name], **one.options).value()


def rendered(boards: Sequence[Board]) -> str:
    """Return the boards as text, or as JSON with ``rendered_json``."""
    return "\n\n".join("\n".join(_lines(one)) for one in boards)


def rendered_json(boards: Sequence[Board]) -> str:
    """Return the boards as JSON."""
    return json.dumps([one.to_json() for one in boards], indent=2, ensure_ascii=False)


def _lines(one: Board) -> Iterator[str]:
    yield f"{one.task}, {metric_name(one.metric)}, {one.n:,} items that all answered"
    for name, count in one.left_out.items():
        if count:
            yield f"  {count:,} items of {name} are left out: another run did not answer them"
    width = max(len(rank.name) for rank in one.ranks)
    for rank in one.ranks:
        yield f"  {rank.name:<{width}}  {number(rank.value)}  {rank.group}"
    for pair in one.pairs:
        interval = (
            "no interval" if pair.low is None or pair.high is None else f"[{signed(pair.low)}, {signed(pair.high)}]"
        )
        yield f"  {pair.first} less {pair.second}: {signed(pair.difference)} {interval}, p {_p(pair.p_corrected)}"
    if one.clusters < FEWEST:
        yield f"  {one.clusters} clusters are too few to tell any runs apart."
    else:
        how = f"{one.clusters} clusters, paired, Holm's correction, 5 %"
        yield f"  Runs that share a letter cannot be told apart ({how})."


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"

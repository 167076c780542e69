"""How much a score varies with the seed of the training: mean, standard deviation and range over runs alike but for it.

The interval of a score holds for other *items* and this one model. That another seed gives another model is a second
uncertainty, which only further runs show (Reimers and Gurevych, EMNLP 2017; Bouthillier et al., MLSys 2021).
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from affectllm.report.display import metric_name, number

SEED = "seed"


@dataclass(frozen=True)
class Seeded:
    """One headline of runs that differ in their seed alone.

    Args:
        values: what else the sweep has varied: dotted key → value.
        task, metric: whose score it is.
        scores: seed → value; at least two.
    """

    values: Mapping[str, str]
    task: str
    metric: str
    scores: Mapping[str, float]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.scores.values())

    @property
    def deviation(self) -> float:
        """The standard deviation of a sample, n − 1 below."""
        return statistics.stdev(self.scores.values())

    @property
    def range(self) -> tuple[float, float]:
        return min(self.scores.values()), max(self.scores.values())


def over_seeds(headlines: Sequence[tuple[Mapping[str, str], str, str, float]]) -> list[Seeded]:
    """Return the headlines that several seeds have, in the order of their first run.

    Args:
        headlines: what a run sets, the seed among it, with a task, its metric and the value.
    """
    found: dict[tuple[tuple[tuple[str, str], ...], str, str], dict[str, float]] = {}
    for values, task, metric, value in headlines:
        if SEED in values:
            others = tuple((key, text) for key, text in values.items() if key != SEED)
            found.setdefault((others, task, metric), {})[values[SEED]] = value
    return [Seeded(dict(key[0]), *key[1:], scores) for key, scores in found.items() if len(scores) > 1]


def lines(seeded: Sequence[Seeded]) -> list[str]:
    """Return a sentence for each headline: ``t, UAR over 5 seeds: mean 0.91, SD 0.04, from 0.87 to 0.96``."""
    return [
        f"{_of(one)}{one.task}, {metric_name(one.metric)} over {len(one.scores)} seeds: mean {number(one.mean)}, "
        f"SD {number(one.deviation)}, from {number(one.range[0])} to {number(one.range[1])}"
        for one in seeded
    ]


def _of(one: Seeded) -> str:
    varied = ", ".join(f"{key}={text}" for key, text in one.values.items())
    return f"{varied}: " if varied else ""

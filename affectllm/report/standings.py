"""How a model stands to the reference models: by the paired difference where both answered the same items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from affectllm.errors import NotFound
from affectllm.evaluate.scoring.paired import difference
from affectllm.metrics import Score
from affectllm.report import display
from affectllm.report.runfolder import Evaluation, RunData

CHECKS = ("oracle", "mute", "human")
"""References that are no rivals: two check the task, and the ceiling rests on gold values of its own."""


@dataclass(frozen=True)
class Standing:
    """What the scores say of a model beside another one.

    Args:
        name: of the other model.
        how: ``beats``, ``does_not_beat``, ``untold`` (the interval of the difference holds zero), ``other_items``,
            ``unknown`` (too few clusters for an interval).
        difference: the value of the model less that of the other, with its interval; empty where items are not paired.
    """

    name: str
    how: str
    difference: str = ""

    @property
    def words(self) -> str:
        """The verdict as the end of a sentence: ``does not beat shallow``."""
        return f"{display.VERDICTS[self.how]} {self.name}"


def standings(run: RunData, others: dict[str, Evaluation], task: str, metric: str) -> Iterator[Standing]:
    """Yield how a run stands to every other evaluation that has the metric, the most telling ones first."""
    if run.evaluation is None:
        return
    score = run.evaluation.scores[task][metric]
    for name, other in others.items():
        if name not in CHECKS and metric in other.scores.get(task, {}):
            yield standing(run.evaluation, other, task, metric, name, score)


def standing(ours: Evaluation, other: Evaluation, task: str, metric: str, name: str, score: Score) -> Standing:
    """Return how one evaluation stands to another: paired where possible, else by their intervals."""
    try:
        row = difference(ours.folder, other.folder, task, metric)
    except NotFound:  # the metric's emotion wheels are not here: the intervals decide
        row = None
    known = display.known_metric(metric)
    better = known.better if known else "higher"
    if row is None:
        return Standing(name, display.compared(score, other.scores[task][metric], better))
    text = display.signed(row.value)
    if row.low is None or row.high is None:
        return Standing(name, "unknown", text)
    interval = f"[{display.signed(row.low)}, {display.signed(row.high)}]"
    return Standing(name, display.verdict(row.low, row.high, better), f"{text} {interval}")

"""Whether a model that compares likelihoods is right as often as it is sure: reliability diagram and ECE."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.metrics import METRICS, Score
from affectllm.report.replies import Reply, is_labelled, read_replies, samples_file
from affectllm.report.runfolder import RunData
from affectllm.report.views import SERIES

BINS = 10
_RIGHT, _OTHER = "right", "other"


@dataclass(frozen=True)
class Bin:
    """Answers of about the same confidence.

    Args:
        low, high: of the confidence.
        confidence, accuracy: means of them.
        count: answers.
    """

    low: float
    high: float
    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True)
class Calibration:
    """The confidence of one run on a task.

    Args:
        ece: expected calibration error with its interval.
        confidence, accuracy: means over all answers.
        unread: answers without likelihoods, which are left out.
        bins: those that hold answers, from unsure to sure.
        line: the points of the diagram in a square of 100 by 100, as SVG has them.
    """

    run: str
    series: int
    ece: Score
    confidence: float
    accuracy: float
    unread: int
    bins: tuple[Bin, ...]
    line: str


def calibrations(runs: Sequence[RunData], task: str) -> list[Calibration]:
    """Return the calibration of each run that compared the likelihoods of the task's choices.

    The confidence of an answer is the likelihood of its choice among those of all choices of the item.
    """
    every = []
    for index, run in enumerate(runs):
        if run.evaluation and (path := samples_file(run.evaluation.folder, task)):
            details = run.evaluation.details.get(task, {})
            replies = [_Sure.of(one) for one in read_replies(path, labelled=is_labelled(details)) if one.likelihoods]
            if sure := [one for one in replies if one is not None]:
                kind = details.get("cluster")
                every.append(_calibration(run.name, index % SERIES, sure, kind, len(replies) - len(sure)))
    return every


@dataclass(frozen=True)
class _Sure:
    """One answer: how sure, and whether it is right; who speaks, and its id."""

    confidence: float
    right: bool
    speaker: str | None
    dialogue: str | None
    id: str

    @classmethod
    def of(cls, reply: Reply) -> _Sure | None:
        """Return it of a reply whose likelihoods could be compared, and whose choice is right or wrong."""
        values = list(reply.likelihoods.values())
        if reply.outcome not in ("correct", "wrong") or not all(map(math.isfinite, values)):
            return None
        most = max(values)
        confidence = 1 / math.fsum(math.exp(one - most) for one in values)
        return cls(confidence, reply.outcome == "correct", reply.speaker, reply.dialogue, reply.id)


def _calibration(run: str, series: int, sure: Sequence[_Sure], kind: Any, unread: int) -> Calibration:
    clusters = [getattr(one, kind) or f"item {one.id}" for one in sure] if kind in ("speaker", "dialogue") else None
    gold = [_RIGHT if one.right else _OTHER for one in sure]
    result = METRICS["ece"](
        gold, [{_RIGHT: one.confidence} for one in sure], clusters=clusters, bins=BINS, controls=False
    )
    bins = tuple(_bin(name, values) for name, values in result.per_class.items())
    size = len(sure)
    return Calibration(
        run,
        series,
        result.score(),
        math.fsum(one.confidence for one in sure) / size,
        sum(one.right for one in sure) / size,
        unread,
        bins,
        " ".join(f"{100 * one.confidence:.2f},{100 - 100 * one.accuracy:.2f}" for one in bins),
    )


def _bin(name: str, values: Any) -> Bin:
    low, high = map(float, name.split("–"))
    return Bin(low, high, values["confidence"], values["accuracy"], int(values["count"]))

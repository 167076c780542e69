"""The result of a metric: a value with its interval, controls, coverage and settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict


class Score(TypedDict):
    """One metric of one task in ``scores.json``: see ``Result`` for the fields, and its details for ``tokens``."""

    value: float
    low: float | None
    high: float | None
    n: int
    clusters: int
    unreadable: float
    controls: dict[str, float | None]
    tokens: NotRequired[str]


@dataclass(frozen=True)
class Result:
    """A value with everything that is needed to read it.

    Args:
        metric: name of the metric.
        value: the value, in the unit and range of the metric.
        low, high: 95 % interval; None for both from fewer than five clusters, which tell nothing of others.
        n: items that the value is computed on.
        unreadable: share of all answers that could not be read, 0..1.
        per_class: label (or another part of the data) → its values; empty where the metric knows none.
        controls: what answers without any understanding score: ``majority``, ``chance``, ``say_all``, ``empty`` and
            ``shuffled`` (gold answers in another order), as far as they make sense; None where undefined.
        coverage: what was left out or reached: items per wheel, labels per item, shares that a table knows …
        settings: how it was computed: compat mode, policy for unreadable answers, resamples, clusters, options.
        details: further values of the same computation, and which tokens it took.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    unreadable: float
    per_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    controls: Mapping[str, float | None] = field(default_factory=dict)
    coverage: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, float | str] = field(default_factory=dict)

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{self.metric} {self.value:.4f} {self.interval}, n {self.n:,}"

    @property
    def clusters(self) -> int:
        """The number of clusters of the interval: speakers, dialogues, or single items."""
        return int(self.settings["clusters"])

    @property
    def interval(self) -> str:
        """``[0.8123, 0.9012] from 12 clusters``, or that there is none."""
        if self.low is None or self.high is None:
            return f"[no interval from {self.clusters} clusters]"
        return f"[{self.low:.4f}, {self.high:.4f}] from {self.clusters} clusters"

    def score(self) -> Score:
        """Return the fields that ``scores.json`` stores."""
        record = Score(
            value=self.value,
            low=self.low,
            high=self.high,
            n=self.n,
            clusters=self.clusters,
            unreadable=self.unreadable,
            controls=dict(self.controls),
        )
        if "tokens" in self.details:
            record["tokens"] = str(self.details["tokens"])
        return record

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON types, keys in the order of the fields; None for numbers that are not finite."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):  # JSON knows no infinity: sums of very large numbers
        return None
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value

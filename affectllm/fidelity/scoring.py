"""Score generated clips by what a judge says of them: the metrics of generated media, by system and by group."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from affectllm.errors import Malformed
from affectllm.fidelity.judges.judgement import Judgement
from affectllm.fidelity.pairs import Pair
from affectllm.metrics import METRICS
from affectllm.metrics.core.comparison import Comparison, compare

TARGET, KEPT = "target_emotion_accuracy", "emotion_preservation"
_STEPS = 1_000  # rounds of a comparison


@dataclass(frozen=True)
class Judged:
    """A generated clip with what a judge says of it.

    Args:
        after: of the generated clip.
        before: of its reference; None where there is none.
        windows: of its windows; empty where none were judged.
    """

    pair: Pair
    after: Judgement
    before: Judgement | None = None
    windows: tuple[Judgement, ...] = ()


@dataclass(frozen=True)
class Table:
    """What a metric is computed on: its sides, what intervals resample, and which items."""

    metric: str
    gold: list[Any] | None
    predicted: list[Any]
    clusters: list[str]
    items: list[str]
    options: Mapping[str, Any]
    left_out: int = 0

    def result(self) -> dict[str, Any]:
        """Compute the metric; return its result as JSON, or why it is undefined."""
        clusters: list[Hashable] | None = list(self.clusters) if any(self.clusters) else None
        try:
            result = METRICS[self.metric](self.gold, self.predicted, clusters=clusters, **self.options)
        except Malformed as error:
            return {"undefined": error.what, "left_out": self.left_out}
        return {**result.to_json(), "left_out": self.left_out}


def tables(rows: Sequence[Judged], labels: Sequence[str]) -> list[Table]:
    """Return the tables of all metrics that the columns of these clips allow.

    Clips without what a metric needs (a target, a reference that could be judged) are left out of it and counted; a
    generated clip that could not be judged counts as wrong where labels are compared.
    """
    makers = (_target, _kept, _monotone, _distance, _consistency)
    return [table for make in makers if (table := make(rows, labels)) is not None]


def _label(one: Judgement, labels: Sequence[str]) -> str | None:
    return one.label if not labels or one.label in labels else None


def _of(
    metric: str, rows: Sequence[Judged], chosen: Sequence[Judged], gold: Any, predicted: Any, **options: Any
) -> Table:
    clusters, items = [one.pair.cluster for one in chosen], [one.pair.item for one in chosen]
    return Table(metric, gold, predicted, clusters, items, options, len(rows) - len(chosen))


def _target(rows: Sequence[Judged], labels: Sequence[str]) -> Table | None:
    chosen = [one for one in rows if one.pair.target and (one.after.label is not None or one.after.reason)]
    if not chosen:
        return None
    predicted = [_label(one.after, labels) for one in chosen]
    return _of(TARGET, rows, chosen, [one.pair.target for one in chosen], predicted, labels=list(labels))


def _kept(rows: Sequence[Judged], labels: Sequence[str]) -> Table | None:
    chosen = [one for one in rows if one.before is not None and one.before.label is not None]
    if not chosen:
        return None
    gold = [str(one.before.label) for one in chosen if one.before is not None]
    predicted = [one.after.label for one in chosen]
    known = sorted({*gold, *(label for label in predicted if label is not None)})
    return _of(KEPT, rows, chosen, gold, predicted, labels=known)


def _monotone(rows: Sequence[Judged], labels: Sequence[str]) -> Table | None:
    """The judged intensity is the probability of the target: the only one that every classifier gives."""
    chosen = [one for one in rows if one.pair.intensity is not None and one.pair.target in one.after.shares]
    if not chosen:
        return None
    gold = [one.pair.intensity for one in chosen]
    predicted = [one.after.shares[one.pair.target] for one in chosen]
    speakers = [one.pair.speaker or "all" for one in chosen]
    return _of("intensity_monotonicity", rows, chosen, gold, predicted, speakers=speakers)


def _distance(rows: Sequence[Judged], labels: Sequence[str]) -> Table | None:
    """Valence and arousal against those asked for, else against those of the reference."""
    chosen, gold = [], []
    for one in rows:
        meant = one.pair.point or (one.before.numbers if one.before else {})
        if meant and one.after.numbers and set(meant) <= set(one.after.numbers):
            chosen.append(one)
            gold.append(dict(meant))
    if not chosen:
        return None
    predicted = [{name: one.after.numbers[name] for name in meant} for one, meant in zip(chosen, gold, strict=True)]
    return _of("vad_error", rows, chosen, gold, predicted)


def _consistency(rows: Sequence[Judged], labels: Sequence[str]) -> Table | None:
    chosen = [one for one in rows if len(one.windows) > 1]
    if not chosen:
        return None
    numbers = [[list(w.numbers.values()) for w in one.windows] for one in chosen]
    if all(window for row in numbers for window in row):
        steps = [[sum(window) / len(window) for window in row] for row in numbers]
        return _of("mean_temporal_step", rows, chosen, None, steps)
    return _of("temporal_consistency", rows, chosen, None, [[w.label for w in one.windows] for one in chosen])


def scores(rows: Sequence[Judged], labels: Sequence[str], by: Sequence[str]) -> dict[str, Any]:
    """Return metric → result of some clips, and the same for each value of the columns ``by`` that has two values."""
    whole = {table.metric: table.result() for table in tables(rows, labels)}
    groups: dict[str, Any] = {}
    for column in by:
        values = sorted({getattr(one.pair, column) for one in rows} - {""})
        if len(values) > 1:
            parts = {value: [one for one in rows if getattr(one.pair, column) == value] for value in values}
            groups[column] = {
                value: {table.metric: table.result() for table in tables(part, labels)} for value, part in parts.items()
            }
    return {"metrics": whole, "by": groups}


def differences(systems: Mapping[str, Sequence[Judged]], labels: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Compare systems on the items that each pair of them shares, for labels that were meant and labels that were kept.

    Items are paired, speakers (or items) resampled, and probabilities corrected for all comparisons of a metric, by
    Bonferroni.
    """
    made = {name: {table.metric: table for table in tables(rows, labels)} for name, rows in systems.items()}
    every: dict[str, list[dict[str, Any]]] = {}
    for metric in (TARGET, KEPT):
        pairs = [
            one
            for first, second in combinations(made, 2)
            if metric in made[first] and metric in made[second]
            for one in _difference(metric, (first, made[first][metric]), (second, made[second][metric]))
        ]
        if pairs:
            every[metric] = [{**asdict(one), "p_corrected": min(1.0, one.p * len(pairs))} for one in pairs]
    return every


def _difference(metric: str, first: tuple[str, Table], second: tuple[str, Table]) -> list[Comparison]:
    rows = [{item: number for number, item in enumerate(table.items)} for _, table in (first, second)]
    shared = [item for item in rows[0] if item in rows[1]]
    if not shared:
        return []
    sides = {
        name: [table.predicted[own[item]] for item in shared]
        for (name, table), own in zip((first, second), rows, strict=True)
    }
    gold = first[1].gold
    assert gold is not None  # both metrics compare
    golds = [gold[rows[0][item]] for item in shared]
    clusters = [first[1].clusters[rows[0][item]] or item for item in shared]
    known = sorted({*golds, *(label for side in sides.values() for label in side if label is not None)})
    return compare(METRICS[metric], golds, sides, clusters=clusters, rounds=_STEPS, correction="none", labels=known)

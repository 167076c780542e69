"""How a task's answers become values of its metrics: the slot that each is of, and the options that its page gives.

``metrics: [weighted_f1, {pearson_per_group: {groups: emotion}}]``: an option that is one of the metric's columns names
an attribute of the samples, any other is passed on as it is. ``tables: "2025"`` stands for the emotion wheels of that
version in the folder that ``--wheels`` gives.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from affectllm.errors import Malformed, NotFound
from affectllm.evaluate.scoring.slots import JOINT, Pair, Scored, counts_some_labels, joint, of_facts, of_slot
from affectllm.metrics import METRICS, Metric, Result
from affectllm.metrics.core.fitting import needs_pairs_only, scores_shape
from affectllm.metrics.core.statistic import Statistic
from affectllm.metrics.wheels import tables_of_environment

TABLES = "tables"
Options = Mapping[str, Any]
_NO_FACTS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Item:
    """What is scored of one item.

    Args:
        gold, reading: as ``Pair``.
        facts: attributes of the sample that metrics need.
    """

    gold: Any
    reading: Any
    facts: Mapping[str, str] = field(default_factory=lambda: _NO_FACTS)

    @property
    def pair(self) -> Pair:
        """Gold value and reading."""
        return self.gold, self.reading


class ItemsOfTuples(Sequence[Item]):
    """Items that are made when somebody looks at them, of tuples that an evaluation holds anyway.

    Args:
        values: gold, reading and, where there are any, facts, as of ``Item``.
    """

    def __init__(self, values: Sequence[tuple[Any, ...]]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, number: Any) -> Any:
        chosen = self._values[number]
        return ItemsOfTuples(chosen) if isinstance(number, slice) else Item(*chosen)

    def __iter__(self) -> Iterator[Item]:
        return (Item(*value) for value in self._values)


@dataclass(frozen=True)
class Scoring:
    """The slots of a task and the options of its metrics.

    Args:
        slots: the scored slots of its template.
        options: key of a metric → option → value, as the page gives them.
    """

    slots: tuple[Scored, ...]
    options: Mapping[str, Options] = field(default_factory=dict)

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Scoring:
        """Return the scoring from the facts that a results file holds about its task."""
        return cls(of_facts(facts), facts.get("metric_options", {}))

    def columns(self) -> tuple[str, ...]:
        """Return the attributes of samples that the metrics need."""
        named = (_columns(metric_of(key), options).values() for key, options in self.options.items())
        return tuple(dict.fromkeys(name for names in named for name in names))

    def result(self, key: str, items: Sequence[Item], clusters: Sequence[Hashable] | None, **options: Any) -> Result:
        """Compute the metric of ``key`` with its interval and controls; ``options`` are further ones of the metric."""
        gold, answers, own = self.inputs(key, items)
        return metric_of(key)(gold, answers, clusters=clusters, **own, **options)

    def statistic(self, key: str, items: Sequence[Item]) -> Statistic:
        """Compute the metric of ``key`` alone."""
        gold, answers, own = self.inputs(key, items)
        return metric_of(key).statistic(gold, answers, **own)

    def inputs(self, key: str, items: Sequence[Item]) -> tuple[list[Any], list[Any], dict[str, Any]]:
        """Return the gold values and answers for the metric of ``key``, and its options."""
        metric, given = metric_of(key), dict(self.options.get(key, {}))
        gold, answers, options = self._sides(metric, key.rpartition(".")[0], items)
        columns = {one: [item.facts[fact] for item in items] for one, fact in _columns(metric, given).items()}
        tables = {TABLES: tables_of_environment(str(given[TABLES]))} if TABLES in given else {}
        return gold, answers, {**options, **given, **columns, **tables}

    def _sides(self, metric: Metric, name: str, items: Sequence[Item]) -> tuple[list[Any], list[Any], dict[str, Any]]:
        """Return the gold values and answers of the slot called ``name``, and what it knows of the metric's options."""
        if name == JOINT:
            joined = [joint(item.pair, self.slots) for item in items]
            return [gold for gold, _ in joined], [answer for _, answer in joined], {}
        slot = next(slot for slot in self.slots if slot.name == name)
        options = slot.options_of(metric) if metric.form.name != "raw" else {}
        return *slot.sides(of_slot(item.pair, name) for item in items), options


def metric_of(key: str) -> Metric:
    """Return the metric that a key such as ``uar`` or ``emotion.uar`` names."""
    return METRICS[key.rpartition(".")[2]]


def _columns(metric: Metric, options: Options) -> dict[str, str]:
    return {name: value for name, value in options.items() if name in metric.columns}


def check_metrics(keys: Sequence[str], scoring: Scoring, where: str) -> None:
    """Check that each metric scores values of the shape that it gets.

    Raises:
        NotFound: with the metrics that do, or the slots that there are.
    """
    shapes = {slot.name: slot.shape for slot in scoring.slots}
    if len(scoring.slots) > 1:
        shapes[JOINT] = "label"
    for key in keys:
        slot, _, name = key.rpartition(".")
        if slot not in shapes:
            names = ", ".join(f"{one}:" for one in shapes if one) or "a list of names"
            raise NotFound(f"metrics are given for {slot or 'no slot'!r}", where=where, do=f"give them for {names}")
        fitting = [one for one, metric in METRICS.items() if fits(metric, shapes[slot])]
        if name not in fitting:
            message = f"answers that are scored as {shapes[slot]} values have no metric called {name!r}"
            raise NotFound(message, where=where, do=f"choose of {', '.join(fitting)}")


def check_options(keys: Sequence[str], scoring: Scoring, where: str) -> None:
    """Check that each metric takes the options that its page gives.

    Raises:
        NotFound: with the options that it takes.
        Malformed: when a metric of emotion wheels is not told of which version they are.
    """
    for key in keys:
        _check_options(metric_of(key), scoring.options.get(key, {}), where)


def _check_options(metric: Metric, options: Options, where: str) -> None:
    accepted = {*metric.options, *metric.columns, *({"compat"} if metric.compat else ())} - {"labels", "score_labels"}
    if strange := sorted(set(options) - accepted):
        takes = ", ".join(sorted(accepted)) or "none"
        raise NotFound(f"{metric.name} takes no option {strange[0]!r}", where=where, do=f"it takes {takes}")
    if (compat := options.get("compat")) is not None and compat not in metric.compat:
        has = ", ".join(metric.compat)
        raise NotFound(f"{metric.name} has no compat mode {compat!r}", where=where, do=f"it has {has}")
    if TABLES in metric.options and TABLES not in options:
        hint = f"write {{{metric.name}: {{tables: '2025'}}}}"
        raise Malformed(f"{metric.name} needs the version of its emotion wheels", where=where, do=hint)


def check_score_labels(keys: Sequence[str], labels: Sequence[str], slots: Sequence[Scored], where: str) -> None:
    """Check the labels that F1 counts against the first slot and the headline.

    Raises:
        NotFound: when one of them is no label of the first slot.
        Malformed: when the headline is of all labels, whatever is left out.
    """
    names = slots[0].space.names
    if strange := [label for label in labels if label not in names]:
        message = f"score_labels has {strange[0]!r}, which {slots[0].space.name} does not have"
        raise NotFound(message, where=where, do=f"choose of {', '.join(names)}")
    if labels and not counts_some_labels(metric_of(keys[0])):
        able = ", ".join(name for name, metric in METRICS.items() if counts_some_labels(metric))
        raise Malformed(f"{keys[0]} is of all labels", where=where, do=f"let the first metric be one of {able}")


def fits(metric: Metric, shape: str) -> bool:
    """Return whether ``metric`` scores values of ``shape`` from gold values, answers and what a page can name."""
    return scores_shape(metric, shape) and (needs_pairs_only(metric) or TABLES in metric.options)

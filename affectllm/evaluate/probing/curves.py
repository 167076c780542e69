"""Fit and score the probes of a task, one a layer: the task's metrics, its control tasks, and later tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from affectllm.errors import AffectError
from affectllm.evaluate.models.linear import USUAL, Options, best_options, predicted
from affectllm.evaluate.probing.controls import control_golds
from affectllm.evaluate.probing.entries import Entry, Probed, facts_of, groups_of
from affectllm.evaluate.scoring.task_scoring import Item
from affectllm.evaluate.task import reading_of
from affectllm.instruct.slots import Slot

# Of standardised states of some hundreds of dimensions; the stronger ones are what deep layers want.
_TRIED: tuple[Options, ...] = tuple(
    {"C": strength, "class_weight": weights}
    for strength, weights in product((0.001, 0.01, 0.1, 1.0), ("balanced", None))
)
_PENALTIES = (1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0)
Representations = Callable[[int], np.ndarray]
"""Position → float32 ``[items, width]`` of one layer: 0 for the one that probes are fitted on."""


@dataclass(frozen=True)
class Fold:
    """Rows that a probe is fitted on, and rows that it is scored on."""

    train: np.ndarray
    held: np.ndarray


@dataclass(frozen=True)
class Probing:
    """The probes of one task.

    Args:
        task: what is probed.
        entries: its items that have a representation.
        folds: which of them are fitted and scored together.
        controls: kinds of control tasks.
        draws: random labellings of each, over which its score is averaged.
    """

    task: Probed
    entries: Sequence[Entry]
    folds: Sequence[Fold]
    controls: Sequence[str]
    draws: int

    @cached_property
    def golds(self) -> list[dict[str, Any]]:
        """Slot → gold answer, of each entry."""
        slots = self.task.template.slots
        golds = [entry.document["gold"] for entry in self.entries]
        return [{slots[0].name: gold} for gold in golds] if len(slots) == 1 else golds

    @cached_property
    def held(self) -> np.ndarray:
        """The rows that are scored."""
        return np.concatenate([fold.held for fold in self.folds])

    def check(self) -> None:
        """Make sure that every fold has something to tell apart.

        Raises:
            AffectError: where all training items have one answer.
        """
        for slot, fold in product(self.task.template.slots, self.folds):
            truths = self._truths(slot, self.golds, fold.train)
            if len(set(map(str, truths))) < 2:
                what = "no training item" if not truths else f"one answer alone, {truths[0]}"
                message = f"the items that the probe of {self.task.name} is fitted on have {what}"
                raise AffectError(message, do="take more items, other folds or another task")

    def layer(self, states: Representations, positions: int) -> dict[str, Any]:
        """Return the scores of one layer, and of its control tasks and later tokens by the headline.

        Args:
            positions: how many positions ``states`` has.
        """
        later = range(1, positions)
        options: list[Mapping[str, Options]] = []
        answers: list[list[Any]] = [[] for _ in range(positions)]
        controlled = self._controls()
        wrong: dict[str, list[list[Any]]] = {kind: [[] for _ in draws] for kind, draws in controlled.items()}
        own = states(0)
        for fold in self.folds:
            scaled = Scaler(own[fold.train])
            train, held = scaled(own[fold.train]), scaled(own[fold.held])
            chosen = self._options(train, fold)
            options.append(chosen)
            inputs = np.concatenate([held, *(_later(states(position), fold) for position in later)])
            values = self._answers(train, self.golds, fold, inputs, chosen)
            for position in range(positions):
                answers[position] += values[position * len(held) : (position + 1) * len(held)]
            for kind, draws in controlled.items():
                for number, golds in enumerate(draws):
                    wrong[kind][number] += self._answers(train, golds, fold, held, chosen)
        return self._scored(answers, options, controlled, wrong)

    def _scored(
        self,
        answers: Sequence[list[Any]],
        options: Sequence[Mapping[str, Options]],
        controlled: Mapping[str, Sequence[list[Any]]],
        wrong: Mapping[str, Sequence[list[Any]]],
    ) -> dict[str, Any]:
        scoring, headline = self.task.scoring, self.task.metrics[0]
        items, clusters = self._items(answers[0], self.golds), self._clusters()
        scores = {key: scoring.result(key, items, clusters).score() for key in self.task.metrics}
        controls = {
            kind: float(np.mean([self._value(*pair) for pair in zip(wrong[kind], draws, strict=True)]))
            for kind, draws in controlled.items()
        }
        value = scores[headline]["value"]
        return {
            "scores": scores,
            "controls": controls,
            "selectivity": {kind: value - control for kind, control in controls.items()},
            "after": [self._value(later, self.golds) for later in answers[1:]],
            "options": [dict(one) for one in options],
        }

    def _value(self, answers: Sequence[Any], golds: Sequence[Mapping[str, Any]]) -> float:
        return float(self.task.scoring.statistic(self.task.metrics[0], self._items(answers, golds)).value())

    def _controls(self) -> dict[str, list[list[Any]]]:
        """Return kind → the golds of each of its draws, for the kinds that the items have types of."""
        pool = sorted(set(np.concatenate([fold.train for fold in self.folds]).tolist()))
        controlled = {}
        for kind in self.controls:
            draws = [control_golds(kind, self.entries, self.golds, pool, draw) for draw in range(self.draws)]
            if all(draw is not None for draw in draws):
                controlled[kind] = [draw for draw in draws if draw is not None]
        return controlled

    def _options(self, train: np.ndarray, fold: Fold) -> dict[str, Options]:
        """Return slot → options of its logistic regressions, chosen within the rows that the probe is fitted on."""
        groups = groups_of([self.entries[row] for row in fold.train], self.task.cluster or "speaker")
        chosen: dict[str, Options] = {}
        for slot in self.task.template.slots:
            shape = slot.how.shape(slot.space)
            truths = self._truths(slot, self.golds, fold.train)
            if shape == "label":
                chosen[slot.name] = best_options(train, truths, self.task.metrics[0], _TRIED, groups, skip_rare=True)
            elif shape in ("set", "scores"):
                chosen[slot.name] = self._options_of_set(slot, truths, train, groups)
        return chosen

    def _options_of_set(
        self, slot: Slot, truths: Sequence[Any], train: np.ndarray, groups: Sequence[str] | None
    ) -> Options:
        """Return those that suit the commonest name of a set that not every item has; each name has few of its own.

        Weights are balanced: what suits a common name without them would leave the rare ones out.
        """
        counts = {name: sum(name in truth for truth in truths) for name in slot.space.names}
        usable = {name: count for name, count in counts.items() if 0 < count < len(truths)}
        if not usable:
            return USUAL
        commonest = max(usable, key=lambda name: min(usable[name], len(truths) - usable[name]))
        holds = ["yes" if commonest in truth else "no" for truth in truths]
        balanced = [options for options in _TRIED if options["class_weight"]]
        return best_options(train, holds, "macro_f1", balanced, groups, skip_rare=True)

    def _answers(
        self,
        train: np.ndarray,
        golds: Sequence[Mapping[str, Any]],
        fold: Fold,
        inputs: np.ndarray,
        options: Mapping[str, Options],
    ) -> list[dict[str, Any]]:
        """Return slot → predicted gold answer, of each row of ``inputs``."""
        columns = {}
        for slot in self.task.template.slots:
            truths = self._truths(slot, golds, fold.train)
            columns[slot.name] = predicted(slot, truths, train, inputs, options.get(slot.name, USUAL), _PENALTIES)
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _truths(self, slot: Slot, golds: Sequence[Mapping[str, Any]], rows: np.ndarray) -> list[Any]:
        return [slot.how.truth(golds[row][slot.name], slot.space) for row in rows]

    def _items(self, answers: Sequence[Any], golds: Sequence[Mapping[str, Any]]) -> list[Item]:
        """Return what metrics take: predictions are worded and read, as an LLM's replies are."""
        template, readings = self.task.template, dict[str, Any]()
        items = []
        for row, values in zip(self.held, answers, strict=True):
            gold = golds[row] if len(template.slots) > 1 else next(iter(golds[row].values()))
            reply = template.worded(values)
            if reply not in readings:
                readings[reply] = reading_of(template, reply, gold)[0]
            items.append(Item(gold, readings[reply], facts_of(self.entries[row])))
        return items

    def _clusters(self) -> list[str] | None:
        return groups_of([self.entries[row] for row in self.held], self.task.cluster)


class Scaler:
    """Standardises by mean and standard deviation of the rows that a probe is fitted on."""

    def __init__(self, train: np.ndarray) -> None:
        self._mean, spread = train.mean(axis=0), train.std(axis=0)
        self._spread = np.where(spread > 0, spread, 1.0)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = (rows - self._mean) / self._spread
        return scaled


def _later(states: np.ndarray, fold: Fold) -> np.ndarray:
    """Return what is scored of a later token, scaled as it is there: every position has a mean of its own."""
    return Scaler(states[fold.train])(states[fold.held])


def one_fold(train: int, test: int) -> list[Fold]:
    """Return the fold of the corpus's own splits: ``train`` rows, then ``test`` rows."""
    return [Fold(np.arange(train), np.arange(train, train + test))]


def speaker_folds(task: Probed, entries: Sequence[Entry], count: int) -> list[Fold]:
    """Return folds of which no two share a speaker, each with its share of every label as far as speakers allow.

    Raises:
        AffectError: when speakers are not known, or fewer than folds.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    unknown = sum(not entry.document["speaker"] for entry in entries)
    if unknown:
        message = f"{task.name}: the speaker of {unknown:,} of {len(entries):,} items is not known"
        raise AffectError(message, do="leave out --folds: the corpus's own splits are used")
    speakers = [str(entry.document["speaker"]) for entry in entries]
    if (known := len(set(speakers))) < count:
        raise AffectError(f"{task.name} has {known} speakers, too few for {count} folds", do=f"--folds {known}")
    rows = np.arange(len(entries))
    if len(task.template.slots) == 1 and task.template.slots[0].how.classes:
        labels = [str(entry.document["gold"]) for entry in entries]
        parts = StratifiedGroupKFold(count, shuffle=True, random_state=0).split(rows, labels, speakers)
    else:
        parts = GroupKFold(count).split(rows, groups=speakers)
    return [Fold(train, held) for train, held in parts if len(held)]

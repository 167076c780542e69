"""Input that every metric of a form takes, made anew for any seed: for the contracts that all metrics keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from affectllm.metrics import Metric

LABELS = ("anger", "fear", "joy", "sadness")
SIZE = 24


@dataclass(frozen=True)
class Example:
    """Gold values, perfect answers, random answers, and what the metric needs besides."""

    gold: list[Any] | None
    perfect: list[Any] | None
    answers: list[Any] | None
    options: Mapping[str, Any]


def _labels(random: np.random.Generator) -> list[str]:
    # Every label occurs, so that no class of the space is empty by chance.
    return [*LABELS, *(str(label) for label in random.choice(LABELS, SIZE - len(LABELS)))]


def _sets(random: np.random.Generator) -> list[list[str]]:
    extra = random.random((SIZE, len(LABELS))) < 0.3
    return [
        [label for number, label in enumerate(LABELS) if extra[row, number] or number == row % len(LABELS)]
        for row in range(SIZE)
    ]


def _numbers(random: np.random.Generator) -> list[float]:
    return [float(number) for number in random.uniform(-1, 1, SIZE)]


def _weights(random: np.random.Generator) -> list[dict[str, float]]:
    return [{name: float(w) for name, w in zip(LABELS, row, strict=True)} for row in random.dirichlet([1] * 4, SIZE)]


def _texts(random: np.random.Generator) -> list[str]:
    words = ("i", "am", "so", "sorry", "to", "hear", "that", "how", "did", "it", "go")
    return [" ".join(random.choice(words, int(random.integers(4, 9)))) for _ in range(SIZE)]


def _pairs(random: np.random.Generator) -> list[list[tuple[int, str, int, str]]]:
    words = (text for text in _texts(random))
    return [[(int(random.integers(1, 4)), label, 1, next(words))] for label in _labels(random)]


def _same(side: Callable[[np.random.Generator], list[Any]]) -> Callable[[np.random.Generator], tuple[Any, Any, Any]]:
    def make(random: np.random.Generator) -> tuple[Any, Any, Any]:
        gold = side(random)
        return gold, gold, side(random)

    return make


def _sure(label: str) -> dict[str, float]:
    return {name: float(name == label) for name in LABELS}


def _probability(random: np.random.Generator) -> tuple[Any, Any, Any]:
    gold = _labels(random)
    return gold, [_sure(label) for label in gold], _weights(random)


def _scores(random: np.random.Generator) -> tuple[Any, Any, Any]:
    gold = [labels[:3] for labels in _sets(random)]  # never every label
    return gold, [{name: float(name in labels) for name in LABELS} for labels in gold], _weights(random)


def _ranked(random: np.random.Generator) -> tuple[Any, Any, Any]:
    gold = _labels(random)
    perfect = [[label, *(other for other in LABELS if other != label)] for label in gold]
    return gold, perfect, [[str(label) for label in random.permutation(LABELS)] for _ in gold]


def _ratings(random: np.random.Generator) -> tuple[Any, Any, Any]:
    units = [{f"r{n}": label for n, label in enumerate(random.choice(LABELS, 3))} for _ in range(SIZE)]
    return units, None, None


def _sequences(random: np.random.Generator) -> tuple[Any, Any, Any]:
    same = [[label] * 4 for label in _labels(random)]
    return None, same, [[str(label) for label in random.choice(LABELS, 4)] for _ in range(SIZE)]


FORMS: dict[str, Callable[[np.random.Generator], tuple[Any, Any, Any]]] = {
    "label": _same(_labels),
    "set": _same(_sets),
    "number": _same(_numbers),
    "vector": _same(_weights),
    "distribution": _same(_weights),
    "text": _same(_texts),
    "span": _same(_texts),
    "pairs": _same(_pairs),
    "probability": _probability,
    "scores": _scores,
    "ranked": _ranked,
    "ratings": _ratings,
    "sequence": _sequences,
}


def _of(*values: Any) -> Callable[[np.random.Generator], list[Any]]:
    """Values of a metric's own, each of which occurs."""

    def side(random: np.random.Generator) -> list[Any]:
        return [*values, *(values[i] for i in random.integers(0, len(values), SIZE - len(values)))]

    return side


OWN: dict[str, Callable[[np.random.Generator], tuple[Any, Any, Any]]] = {
    "quadratic_kappa": _same(_of(0.0, 1.0, 2.0, 3.0)),
    "writer_reader_gap": _same(_of(0.0, 1.0)),
    "reccon_entailment": _same(_of("0", "1")),
    "statement_judgement": _same(_of("correct", "incorrect")),
    "preference_two_class": _same(_of("a1", "a2")),
    "preference_three_class": _same(_of("a1", "a2", "same")),
}
"""Metrics that take only some values of their form."""


def example(metric: Metric, options: Mapping[str, Any], seed: int) -> Example:
    """Input of a metric and the options that it needs."""
    make = OWN.get(metric.name) or FORMS[metric.form.name]
    gold, perfect, answers = make(np.random.default_rng(seed))
    ordered = {"labels": LABELS} if metric.name == "earth_mover" else {}
    return Example(gold, perfect, answers, {**options, **ordered})


def needs_more(metric: Metric) -> bool:
    """Whether it needs a judge, a model, an order of labels or certain answers, which have tests of their own."""
    own = ("earth_mover", "meteor", "preference_rate")
    return bool({"judge", "model", "classifier"} & set(metric.options)) or metric.name in own

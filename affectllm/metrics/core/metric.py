"""The ``Metric`` class and its decorator: one function defines how a value follows from the items.

The function gets checked lists and returns ``Sums`` or ``Rows``; everything that all metrics share is done here: checks
of the input, the policy for unreadable answers, the interval, the controls.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Literal

from affectllm.errors import Malformed, NotFound
from affectllm.metrics.core import bootstrap
from affectllm.metrics.core.check import check_bootstrap
from affectllm.metrics.core.controls import control_answers
from affectllm.metrics.core.policy import applied
from affectllm.metrics.core.result import Result
from affectllm.metrics.core.statistic import Resampling, Rows, Statistic, Sums
from affectllm.metrics.core.value_forms import FORMS, checked, missing

__all__ = ["METRICS", "Metric", "Rows", "Sums", "find_metric", "metric"]

METRICS: dict[str, Metric] = {}
"""Every metric by name; filled as the families are imported."""


def find_metric(name: str) -> Metric:
    """Return the metric called ``name``.

    Raises:
        NotFound: when there is none; names the nearest.
    """
    if name in METRICS:
        return METRICS[name]
    near = difflib.get_close_matches(name, METRICS, n=3)
    hint = f"did you mean {', '.join(near)}? See" if near else "see"
    raise NotFound(f"there is no metric called {name!r}", do=f"{hint} `affectllm ls metrics`")


_CAPITALS = {
    **{word: word.upper() for word in ("uar", "f1", "ccc", "mae", "mse", "rmse", "mcc", "roc", "auc", "pr", "vad")},
    **{word: word.upper() for word in ("ece", "nll", "aurc", "bleu", "mos", "js", "kl", "rmsd", "cmu", "eq", "ov")},
    **{word: word.upper() for word in ("mer", "mer2023", "mer2024", "mer2025", "ea", "eu", "bert")},
    **{
        "r2": "R²",
        "emobench": "EmoBench",
        "reccon": "RECCON",
        "sims": "CH-SIMS",
        "sevlm": "SEVLM",
        "unibench": "UniBench",
    },
}


def title_of(name: str) -> str:
    """Format a name as a title: ``macro_f1`` as Macro F1."""
    words = [_CAPITALS.get(word, word) for word in name.split("_")]
    first = words[0]
    return " ".join([first if first in _CAPITALS.values() else first.capitalize(), *words[1:]])


class Metric:
    """A named metric; calling it gives a ``Result``. See ``metric`` for the arguments."""

    def __init__(self, function: Callable[..., Statistic], name: str, form: str, **properties: Any) -> None:
        self.function, self.name, self.form = function, name, FORMS[form]
        self.range: tuple[float, float] = properties["range"]
        self.source: str = properties["source"]
        self.compat: Mapping[str, str] = properties["compat"]
        self.better: str = properties["better"]
        self.title: str = properties["title"] or title_of(name)
        self.hub: str | None = properties["hub"]
        self.takes: str = properties["takes"]
        self.columns: tuple[str, ...] = properties["columns"]
        self.sets: str | None = properties["sets"]
        self.also: tuple[str, ...] = properties["also"]
        self.controls_as: tuple[str, Callable[[Any], Any]] | None = properties["controls_as"]
        self.gold_is_number: bool = (
            form == "number" if properties["gold_is_number"] is None else properties["gold_is_number"]
        )
        keywords = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
        self.options = {p.name: p.default for p in keywords if p.name not in self.columns}
        self.needs = tuple(p.name for p in keywords if p.default is p.empty)
        functools.update_wrapper(self, function)

    def __repr__(self) -> str:
        return f"<metric {self.name}>"

    @property
    def definition(self) -> str:
        """The definition in one sentence: the first line of the function's docstring."""
        return (self.__doc__ or "").strip().partition("\n")[0]

    def __call__(
        self,
        gold: Sequence[Any] | None = None,
        predicted: Sequence[Any] | None = None,
        *,
        clusters: Sequence[Hashable] | None = None,
        invalid: str = "wrong",
        controls: bool = True,
        resamples: int = bootstrap.RESAMPLES,
        seed: int = bootstrap.SEED,
        **options: Any,
    ) -> Result:
        """Compute the metric with its interval, controls and coverage.

        Args:
            gold: the right answers, one an item; left out by metrics that take answers only.
            predicted: the given answers, None where one could not be read.
            clusters: who spoke, or in which dialogue, per item; None resamples single items.
            invalid: what becomes of unreadable answers: ``wrong``, ``drop`` or ``default:ANSWER``.
            controls: whether to compute the controls too.
            resamples, seed: of the bootstrap.
            options: the metric's own, ``compat`` among them.

        Raises:
            Malformed: when the input is not what the metric takes, or the value is undefined; the message says why.
            NotFound: when an option or a compat mode is unknown.
        """
        check_bootstrap(resamples, seed)
        if other := self._for_sets(gold):
            arguments: dict[str, Any] = {"invalid": invalid, "controls": controls, "resamples": resamples, "seed": seed}
            return other(gold, predicted, clusters=clusters, **arguments, **options)
        truth, answers = self._checked(gold, predicted)
        size = len(truth) or len(answers)
        rows, answers = self._policy(truth, answers, invalid, options)
        truth, answers, options, clusters = self._keep(rows, size, truth, answers, options, clusters)
        statistic = self._statistic(truth, answers, options)
        value = self._defined(statistic.value())
        interval = statistic.interval(clusters, value, Resampling(self.range, resamples, seed))
        settings = {
            **{"compat": options.get("compat"), "invalid": invalid, **_described(options, self.columns)},
            "clusters": len(set(clusters)) if clusters is not None else len(rows),
            "interval": interval.method,
            "resamples": resamples,
            "confidence": bootstrap.CONFIDENCE,
            "seed": seed,
        }
        return Result(
            metric=self.name,
            value=value,
            low=interval.low,
            high=interval.high,
            n=len(rows) if statistic.n is None else statistic.n,
            unreadable=self._unreadable(predicted, size),
            per_class=statistic.per_class() if statistic.per_class else {},
            controls=self._controls(truth, options, seed) if controls and self.takes == "pair" else {},
            coverage=dict(statistic.coverage),
            settings=settings,
            details=dict(statistic.details),
        )

    def statistic(self, gold: Sequence[Any] | None = None, predicted: Any = None, **options: Any) -> Statistic:
        """Return the raw ``Sums`` or ``Rows``, unreadable answers scored as wrong; ``compare`` and tests use it."""
        if other := self._for_sets(gold):
            return other.statistic(gold, predicted, **options)
        truth, answers = self._checked(gold, predicted)
        return self._statistic(truth, self._policy(truth, answers, "wrong", options)[1], options)

    def _for_sets(self, gold: Sequence[Any] | None) -> Metric | None:
        collections = (list, tuple, set, frozenset)
        if self.sets and gold is not None and len(gold) and isinstance(gold[0], collections):
            return METRICS[self.sets]
        return None

    def _checked(self, gold: Sequence[Any] | None, predicted: Any) -> tuple[list[Any], list[Any]]:
        required = {"gold": self.takes != "predicted", "predicted": self.takes != "gold"}
        sides = {"gold": gold, "predicted": predicted}
        for side in ("gold", "predicted"):
            if required[side] and sides[side] is None:
                raise Malformed(f"{self.name} needs {side} values", do=f"give {side}=…")
        truth, answers = checked(self.form, *(sides[side] if required[side] else None for side in sides))
        if self.takes == "pair" and len(truth) != len(answers):
            raise Malformed(f"{len(truth)} gold values but {len(answers)} answers", do="give one answer for each item")
        if not truth and not answers:
            raise Malformed("there is nothing to score", do="give at least one item")
        return truth, answers

    def _policy(self, truth: list[Any], answers: list[Any], invalid: str, options: Mapping[str, Any]) -> Any:
        if self.takes != "pair":
            return range(len(truth) or len(answers)), answers
        return applied(invalid, self.form, truth, answers, options)

    def _keep(
        self,
        rows: Sequence[int],
        size: int,
        truth: list[Any],
        answers: list[Any],
        options: dict[str, Any],
        clusters: Any,
    ) -> tuple[list[Any], list[Any], dict[str, Any], list[Hashable] | None]:
        """Select the kept positions of everything that has one value per item."""
        lists = {name: options[name] for name in self.columns if options.get(name) is not None}
        for name, values in {**lists, "clusters": clusters}.items():
            if values is not None and len(values) != size:
                raise Malformed(f"{len(values)} {name} for {size} items", do=f"give one of {name} for each item")
        if len(rows) == size:
            whole = {name: list(values) for name, values in lists.items()}
            return truth, answers, {**options, **whole}, None if clusters is None else list(clusters)
        selected = {name: [values[row] for row in rows] for name, values in lists.items()}
        truth, answers = ([side[row] for row in rows] if side else [] for side in (truth, answers))
        return truth, answers, {**options, **selected}, None if clusters is None else [clusters[row] for row in rows]

    def _statistic(self, truth: list[Any], answers: list[Any], options: Mapping[str, Any]) -> Statistic:
        accepted = {*self.options, *self.columns}
        compat = options.get("compat")
        if compat is not None and compat not in self.compat:
            has = ", ".join(self.compat) or "none"
            raise NotFound(f"{self.name} has no compat mode {compat!r}", do=f"it has: {has}")
        passed = {name: value for name, value in options.items() if name in accepted}
        strange = sorted(set(options) - accepted - {"compat", "labels", "bounds"})
        if strange:
            raise NotFound(f"{self.name} takes no option {strange[0]!r}", do=f"it takes {', '.join(sorted(accepted))}")
        sides = {"pair": (truth, answers), "gold": (truth,), "predicted": (answers,)}[self.takes]
        statistic = self.function(*sides, **passed)
        if isinstance(statistic, Rows):
            statistic.size = len(truth) or len(answers)
        return statistic

    def _defined(self, value: float) -> float:
        if not math.isfinite(value):
            raise Malformed(f"{self.name} is undefined on these answers", do="see its edge cases: affectllm show")
        return value

    def _unreadable(self, predicted: Sequence[Any] | None, size: int) -> float:
        if predicted is None or self.takes == "gold":
            return 0.0
        _, answers = checked(self.form, None, predicted)
        return sum(missing(answer) for answer in answers if self.form.name == "raw" or answer != "") / size

    def _controls(self, truth: list[Any], options: Mapping[str, Any], seed: int) -> dict[str, float | None]:
        scores: dict[str, float | None] = {}
        form, read = self.controls_as or (self.form.name, lambda value: value)
        labels = options.get("labels") or ()
        for name, answers in control_answers(form, [read(value) for value in truth], labels, seed).items():
            try:
                _, filled = self._policy(truth, answers, "wrong", options)
                scores[name] = self._defined(self._statistic(truth, filled, options).value())
            except Malformed:
                scores[name] = None  # undefined on these answers, as documented in Result.controls
        return scores


def _described(options: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """Convert options to settings: plain values unchanged, objects by their ``settings`` or the name of their type."""
    settings: dict[str, Any] = {}
    for name, value in options.items():
        if name == "compat" or value is None:
            continue
        if name in columns:
            settings[name] = True
        elif isinstance(value, (str, int, float, bool)):
            settings[name] = value
        elif isinstance(value, (list, tuple)):
            settings[name] = list(value)
        else:
            settings[name] = getattr(value, "settings", None) or type(value).__name__
    return settings


def metric(
    name: str,
    *,
    form: str,
    range: tuple[float, float],  # the word of the field, as in the generated table
    source: str,
    compat: Mapping[str, str] | None = None,
    title: str | None = None,
    hub: str | None = None,
    better: Literal["higher", "lower", "none"] = "higher",
    takes: Literal["pair", "gold", "predicted"] = "pair",
    columns: Sequence[str] = (),
    sets: str | None = None,
    also: Sequence[str] = (),
    controls_as: tuple[str, Callable[[Any], Any]] | None = None,
    gold_is_number: bool | None = None,
) -> Callable[[Callable[..., Statistic]], Metric]:
    """Return a decorator that makes a metric of a function and registers it.

    Args:
        name: how it is called everywhere: library, command line, ``evaluate``, lm-eval tasks.
        form: of gold values and answers, see ``forms.FORMS``.
        range: smallest and largest possible value.
        source: paper or published evaluator that defines it.
        compat: published evaluator → what it does otherwise, in one line.
        title: how reports call it; from the name where it says the same.
        hub: the metric of the Hub's model cards that it is a kind of.
        better: which direction is better.
        takes: whether it compares answers with gold values, or looks at one side only.
        columns: keyword arguments with one value an item.
        sets: the metric that takes over when gold values are collections.
        also: further forms whose values a metric of raw values takes as they are.
        controls_as: for raw gold values, the form in which controls answer, and how a gold value is read as that form.
        gold_is_number: whether gold values are numbers, such as a valence; by default those of the form ``number`` are.
    """

    def wrap(function: Callable[..., Statistic]) -> Metric:
        properties: dict[str, Any] = {
            "range": range,
            "source": source,
            "compat": dict(compat or {}),
            "better": better,
            "takes": takes,
        }
        properties |= {"title": title, "hub": hub, "also": tuple(also)}
        properties |= {"sets": sets, "controls_as": controls_as, "gold_is_number": gold_is_number}
        instance = Metric(function, name, form, columns=tuple(columns), **properties)
        if name in METRICS and METRICS[name].function.__module__ != function.__module__:
            raise Malformed(f"two metrics are called {name!r}", where=function.__module__, do="rename one")
        METRICS[name] = instance
        return instance

    return wrap

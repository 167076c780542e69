"""The scored parts of a task's answers: each slot in the form of its own metrics, and all slots jointly.

A metric of the only slot goes by its own name (``uar``), one of several slots by both (``emotion.accuracy``), and one
of all of them together by ``joint.accuracy``: its labels are what an item answers to all slots.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from affectllm.evaluate.shared import once_each, shared
from affectllm.instruct.slots import Slot
from affectllm.labels import LabelSpace
from affectllm.labels.form import Form, find_form, same
from affectllm.metrics import Metric

JOINT = "joint"
Pair = tuple[Any, Any]
"""Gold value and reading of an item; of several slots mappings, in which what was unreadable is None."""
# Forms of answers in results files of versions in which only three of them were scored, and the kinds of their spaces.
_EARLIER = {"choice": "category", "set": "set", "reply": "open"}


@dataclass(frozen=True)
class Scored:
    """One scored slot of a task's template.

    Args:
        name: of the slot; empty where it is the only one.
        form: of its answers.
        space: its label space.
        score_labels: the labels that F1 counts; empty for all of the space.
    """

    name: str
    form: str
    space: LabelSpace
    score_labels: tuple[str, ...] = ()

    @property
    def how(self) -> Form:
        """The form, which converts gold values and answers into what metrics take."""
        return find_form(self.form)

    @property
    def shape(self) -> str:
        """The shape of the values that its metrics take."""
        return self.how.shape(self.space)

    def sides(self, pairs: Iterable[Pair]) -> tuple[list[Any], list[Any]]:
        """Convert pairs (gold value, reading) into the gold values and the answers that the metrics take."""
        truth, answer = (_of_space(convert, self.space) for convert in (self.how.truth, self.how.answer))
        golds, answers = [], []
        for gold, reading in pairs:
            golds.append(truth(gold))
            answers.append(None if reading is None else answer(reading))
        return golds, answers

    def options_of(self, metric: Metric) -> dict[str, Any]:
        """Return the options that ``metric`` takes from the label space."""
        if self.shape in ("number", "vector"):
            return {"bounds": self.space.bounds}
        only = {"score_labels": list(self.score_labels)} if self.score_labels and counts_some_labels(metric) else {}
        return {"labels": list(self.space.names), **only} if self.space.names else {}

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types for the results file."""
        space = {key: value for key, value in asdict(self.space).items() if key not in ("aliases", "source")}
        only = {"score_labels": list(self.score_labels)} if self.score_labels else {}
        return {"name": self.name, "form": self.form, "space": space, **only}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Scored:
        """Inverse of ``to_json``."""
        field_names = {field.name for field in fields(LabelSpace)}
        space: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data["space"].items()}
        space = {key: value for key, value in space.items() if key in field_names}
        return cls(data["name"], data["form"], LabelSpace(**space, source=""), tuple(data.get("score_labels", ())))


def _of_space(convert: Callable[[Any, LabelSpace], Any], space: LabelSpace) -> Callable[[Any], Any]:
    return (lambda value: value) if convert is same else once_each(lambda value: convert(value, space))


def counts_some_labels(metric: Metric) -> bool:
    """Return whether the metric can be computed over some of the labels; the others are of all labels."""
    return "score_labels" in metric.options


def scored_slots(slots: Sequence[Slot], score_labels: Sequence[str] = ()) -> tuple[Scored, ...]:
    """Return the scored slots of a template with these slots; ``score_labels`` are of the first."""
    only = [tuple(score_labels), *[()] * (len(slots) - 1)]
    return tuple(
        Scored(slot.name if len(slots) > 1 else "", slot.form, slot.space, labels)
        for slot, labels in zip(slots, only, strict=True)
    )


def of_facts(facts: Mapping[str, Any]) -> tuple[Scored, ...]:
    """Return the scored slots from the facts that a results file holds about its task."""
    if "slots" in facts:
        return tuple(map(Scored.from_json, facts["slots"]))
    space = LabelSpace(facts["space"], _EARLIER[facts["form"]], tuple(facts["labels"]), source="")  # type: ignore[arg-type]
    return (Scored("", facts["form"], space),)


def of_slot(pair: Pair, name: str) -> Pair:
    """Return gold value and reading of one slot; the empty name stands for the only one."""
    gold, reading = pair
    return (gold[name], reading and reading.get(name)) if name else pair


def joint(pair: Pair, slots: Sequence[Scored]) -> Pair:
    """Join an item's answers to all slots into one label; None where any of them is unreadable."""
    sides: list[list[Any]] = [[], []]
    for slot in slots:
        for side, value in zip(sides, slot.how.scored(*of_slot(pair, slot.name), slot.space), strict=True):
            side.append(value)
    gold, answer = sides
    return _label(gold), None if any(value is None for value in answer) else _label(answer)


def _label(values: Any) -> str:
    return str(shared(json.dumps(values, ensure_ascii=False, sort_keys=True)))


def is_judged(slots: Sequence[Scored]) -> bool:
    """Return whether the answer to any slot can be marked right or wrong without a judge or a metric of texts."""
    return any(slot.how.judged for slot in slots)


def agreement(slots: Sequence[Scored], gold: Any, reading: Any) -> float:
    """Return the agreement of an item with gold, 0 to 1: the mean over the slots that can be judged."""
    pairs = [(slot, *of_slot((gold, reading), slot.name)) for slot in slots if slot.how.judged]
    return sum(slot.how.mark(truth, answer, slot.space) for slot, truth, answer in pairs) / len(pairs)

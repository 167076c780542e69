"""The scored parts of a task's answers: each slot in the form of its own metrics, and all slots jointly.

A metric of the only slot goes by its own name (``uar``), one of several slots by both (``emotion.accuracy``), and one
of all of them together by ``joint.accuracy``: its labels are what an item answers to all slots.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from affectllm.errors import NotFound
from affectllm.evaluate.lm_eval_metrics import needs_pairs_only
from affectllm.instruct.slots import Slot
from affectllm.labels import LabelSpace
from affectllm.labels.form import Form, find_form
from affectllm.metrics import METRICS, Metric

JOINT = "joint"
Pair = tuple[Any, Any]
# Forms of answers in results files of versions in which only three of them were scored, and the kinds of their spaces.
_EARLIER = {"choice": "category", "set": "set", "reply": "open"}


@dataclass(frozen=True)
class Scored:
    """One scored slot of a task's template.

    Args:
        name: of the slot; empty where it is the only one.
        form: of its answers.
        space: its label space.
    """

    name: str
    form: str
    space: LabelSpace

    @property
    def how(self) -> Form:
        """The form, which converts gold values and answers into what metrics take."""
        return find_form(self.form)

    @property
    def shape(self) -> str:
        """The shape of the values that its metrics take."""
        return self.how.shape(self.space)

    def pairs(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Convert pairs (gold value, reading) into what the metrics take."""
        return [self.how.scored(gold, reading, self.space) for gold, reading in pairs]

    @property
    def space_options(self) -> dict[str, Any]:
        """The options that metrics take from the label space."""
        if self.shape in ("number", "vector"):
            return {"bounds": self.space.bounds}
        return {"labels": list(self.space.names)} if self.space.names else {}

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types for the results file."""
        space = {key: value for key, value in asdict(self.space).items() if key not in ("aliases", "source")}
        return {"name": self.name, "form": self.form, "space": space}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Scored:
        """Inverse of ``to_json``."""
        field_names = {field.name for field in fields(LabelSpace)}
        space: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data["space"].items()}
        space = {key: value for key, value in space.items() if key in field_names}
        return cls(data["name"], data["form"], LabelSpace(**space, source=""))


def scored_slots(slots: Sequence[Slot]) -> tuple[Scored, ...]:
    """Return the scored slots of a template with these slots."""
    return tuple(Scored(slot.name if len(slots) > 1 else "", slot.form, slot.space) for slot in slots)


def of_facts(facts: Mapping[str, Any]) -> tuple[Scored, ...]:
    """Return the scored slots from the facts that a results file holds about its task."""
    if "slots" in facts:
        return tuple(map(Scored.from_json, facts["slots"]))
    space = LabelSpace(facts["space"], _EARLIER[facts["form"]], tuple(facts["labels"]), source="")  # type: ignore[arg-type]
    return (Scored("", facts["form"], space),)


def metric_of(key: str) -> Metric:
    """Return the metric that a key such as ``uar`` or ``emotion.uar`` names."""
    return METRICS[key.rpartition(".")[2]]


def check_metrics(keys: Sequence[str], slots: Sequence[Scored], where: str) -> None:
    """Check that each metric scores values of the shape that it gets.

    Raises:
        NotFound: with the metrics that do, or the slots that there are.
    """
    shapes = {slot.name: slot.shape for slot in slots}
    if len(slots) > 1:
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


def fits(metric: Metric, shape: str) -> bool:
    """Return whether ``metric`` scores values of ``shape`` from gold values and answers alone."""
    of_shape = metric.form.name == shape or (shape == "set" and metric.sets is not None)
    return of_shape and needs_pairs_only(metric)


def split(key: str, slots: Sequence[Scored], pairs: Sequence[Pair]) -> tuple[list[Any], list[Any], dict[str, Any]]:
    """Return the gold values and answers for the metric of ``key``, and its options from their label space.

    Args:
        pairs: of each item gold value and reading; of several slots mappings, in which what was unreadable is None.
    """
    name = key.rpartition(".")[0]
    if name == JOINT:
        options, values = {}, [_joint(pair, slots) for pair in pairs]
    else:
        slot = next(slot for slot in slots if slot.name == name)
        options, values = slot.space_options, slot.pairs([_of_slot(pair, name) for pair in pairs])
    return [gold for gold, _ in values], [answer for _, answer in values], options


def _of_slot(pair: Pair, name: str) -> Pair:
    gold, reading = pair
    return (gold[name], reading and reading.get(name)) if name else pair


def _joint(pair: Pair, slots: Sequence[Scored]) -> Pair:
    """Join an item's answers to all slots into one label; None where any of them is unreadable."""
    sides: list[list[Any]] = [[], []]
    for slot in slots:
        for side, value in zip(sides, slot.pairs([_of_slot(pair, slot.name)])[0], strict=True):
            side.append(value)
    gold, answer = sides
    return _label(gold), None if any(value is None for value in answer) else _label(answer)


def _label(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True)


def is_judged(slots: Sequence[Scored]) -> bool:
    """Return whether the answer to any slot can be marked right or wrong without a judge or a metric of texts."""
    return any(slot.how.judged for slot in slots)


def agreement(slots: Sequence[Scored], gold: Any, reading: Any) -> float:
    """Return the agreement of an item with gold, 0 to 1: the mean over the slots that can be judged."""
    pairs = [(slot, *_of_slot((gold, reading), slot.name)) for slot in slots if slot.how.judged]
    return sum(slot.how.mark(truth, answer, slot.space) for slot, truth, answer in pairs) / len(pairs)

"""What a head answers: which outputs it has, the targets of a row, and the answer that its outputs stand for.

The answer is in the form's own values, so that it is worded, read and scored as that of a language model is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from affectllm.errors import Malformed
from affectllm.instruct.conversation import Conversation
from affectllm.instruct.slots import Slot
from affectllm.labels import LabelSpace
from affectllm.labels.figures import rounded
from affectllm.labels.form import Refused
from affectllm.labels.language import asking
from affectllm.labels.reading import Unreadable

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

Kind = Literal["classes", "labels", "numbers", "shares", "reward"]
KINDS: tuple[Kind, ...] = get_args(Kind)
THRESHOLD = 0.5
"""Probability from which on a label holds."""
_KIND: Mapping[tuple[str, str], Kind] = {
    ("category", "label"): "classes",
    ("set", "set"): "labels",
    ("set", "scores"): "labels",
    ("dimension", "number"): "numbers",
    ("dimension", "vector"): "numbers",
    ("distribution", "distribution"): "shares",
}
_CAN = "a head answers with a class, labels, numbers or shares"


@dataclass(frozen=True)
class Answers:
    """The outputs of a head.

    Args:
        kind: ``classes`` (one name), ``labels`` (several), ``numbers`` (one a dimension), ``shares`` (of names), or
            ``reward`` (one number for a conversation with its answer).
        names: of the outputs, in their order; empty for a reward.
        form, space, language: how it words an answer by itself; "" and None for a reward.
    """

    kind: Kind
    names: tuple[str, ...] = ()
    form: str = ""
    space: LabelSpace | None = None
    language: str = "en"

    @property
    def outputs(self) -> int:
        """How many numbers the network gives."""
        return max(1, len(self.names))

    @property
    def slot(self) -> Slot:
        """The question that it answers by itself.

        Raises:
            Malformed: when it is a reward.
        """
        if self.space is None:
            raise Malformed(
                "a head of rewards scores answers and gives none", do="choose a head with labels or numbers"
            )
        return Slot("answer", self.form, self.space, "")

    def to_json(self) -> dict[str, Any]:
        """Return JSON types."""
        space = None if self.space is None else asdict(self.space)
        return {"kind": self.kind, "names": list(self.names), "form": self.form, "space": space} | (
            {"language": self.language}
        )

    @classmethod
    def from_json(cls, page: Mapping[str, Any]) -> Answers:
        """Inverse of ``to_json``."""
        space = page["space"] and LabelSpace(**{**page["space"], **_tuples(page["space"])})
        return cls(page["kind"], tuple(page["names"]), page["form"], space or None, page["language"])

    @classmethod
    def to_questions(cls, asked: Sequence[tuple[tuple[Slot, ...], str]]) -> Answers:
        """Return the outputs that answer all of several questions.

        Args:
            asked: slots and language of each. Classes and labels may differ between questions; their names are joined.

        Raises:
            Malformed: when one asks for several answers, or what no head gives, or two ask for unlike answers.
        """
        slots = [_only(slots) for slots, _ in asked]
        kinds = [kind_of(slot) for slot in slots]
        for slot, kind in zip(slots, kinds, strict=True):
            if kind != kinds[0]:
                message = f"{slots[0].space.name} is answered with {kinds[0]} and {slot.space.name} with {kind}"
                raise Malformed(message, do="train a head for each")
        names = tuple(dict.fromkeys(name for slot in slots for name in slot.space.names))
        return cls(kinds[0], names, slots[0].form, slots[0].space, asked[0][1])

    def targets(self, rows: Iterable[Mapping[str, Any]]) -> Tensor:
        """Return what the outputs should be for rows of a conversations file.

        Returns:
            Classes: ``[rows]``, numbers of names. Others: ``[rows, outputs]``, NaN where a row says nothing; labels 0
            or 1, numbers from 0 to 1 within the bounds of their space, shares that sum to 1.
        """
        import torch

        columns = [self.target(slot_of(row), row["value"]) for row in rows]
        return torch.tensor(columns, dtype=torch.long if self.kind == "classes" else torch.float32)

    def target(self, slot: Slot, gold: Any) -> int | list[float]:
        """Return the targets of one gold value in a slot's space: see ``targets``."""
        if self.kind == "classes":
            return self.names.index(gold)
        if self.kind == "labels":
            holds = {name: float(name in gold) for name in slot.space.names}
            return [holds.get(name, float("nan")) for name in self.names]
        given = {name: number for name, number in gold.items() if number is not None}  # Arrow fills in missing names
        if self.kind == "shares":
            return [given.get(name, 0.0) for name in self.names]
        low, high = slot.space.bounds or (0.0, 1.0)
        scaled = {name: (number - low) / (high - low) for name, number in given.items()}
        return [scaled.get(name, float("nan")) for name in self.names]

    def unseen(self, targets: Tensor) -> list[str]:
        """Return the classes and labels that none of the ``targets`` has, or the dimensions without a number."""
        if self.kind == "classes":
            there = {int(one) for one in targets.unique()}
            return [name for number, name in enumerate(self.names) if number not in there]
        has = targets.isfinite() if self.kind == "numbers" else targets > 0  # NaN is above nothing
        return [name for name, seen in zip(self.names, has.any(0).tolist(), strict=True) if not seen]

    def check_answers(self, slots: tuple[Slot, ...], what: str) -> Slot:
        """Return the slot of a question that this head can answer.

        Args:
            what: asks, for the error.

        Raises:
            Malformed: when the question is of another kind, or has names that the head does not know.
        """
        slot = _only(slots)
        if kind_of(slot) != self.kind:
            message = f"{what} asks for {slot.how.description}, and this head gives {self.kind}"
            raise Malformed(message, do="choose a task of its form, or train a head for this one")
        if strange := [name for name in slot.space.names if name not in self.names]:
            raise Malformed(
                f"{what} asks for {', '.join(strange)}, which this head was not trained on",
                do=f"choose a task with labels among {', '.join(self.names)}, or train a head for this one",
            )
        return slot

    def value(self, slot: Slot, outputs: np.ndarray) -> Any:
        """Return the answer to a slot as a JSON value of its form.

        Args:
            outputs: ``[outputs]``, as ``probabilities`` gives them.
        """
        by_name = dict(zip(self.names, map(float, outputs), strict=True))
        own = {name: by_name[name] for name in slot.space.names}
        if self.kind == "classes":
            return max(own, key=lambda name: own[name])
        if self.kind == "labels":
            if slot.how.shape(slot.space) == "scores":
                return {name: rounded(share) for name, share in own.items()}
            return [name for name, share in own.items() if share >= THRESHOLD]
        if self.kind == "shares":
            return slot.how.gold(own, slot.space)
        low, high = slot.space.bounds or (0.0, 1.0)
        numbers = {name: rounded(low + min(max(x, 0.0), 1.0) * (high - low)) for name, x in own.items()}
        # A form of whole numbers takes no others.
        whole = isinstance(slot.how.gold(numbers, slot.space), Refused)
        return {name: float(round(x)) for name, x in numbers.items()} if whole else numbers

    def worded(self, slot: Slot, value: Any, language: str) -> str:
        """Return an answer in words, as the form of the slot writes it."""
        return slot.how.worded(value, slot.space, language, asking(language).nothing)

    def class_named(self, text: str, slot: Slot, language: str) -> str | None:
        """Return the class that a choice in words stands for; None where it is none of the slot's."""
        reading = slot.how.read(text.strip(), slot.space, language)
        return reading if not isinstance(reading, Unreadable) and reading in self.names else None


def probabilities(kind: Kind, logits: Tensor) -> Tensor:
    """Return the outputs of the network as probabilities (classes, labels, shares); numbers are what they are."""
    if kind in ("classes", "shares"):
        return logits.softmax(-1)
    return logits.sigmoid() if kind == "labels" else logits


def kind_of(slot: Slot) -> Kind:
    """Return which kind of head answers a slot.

    Raises:
        Malformed: when none does.
    """
    how, space = slot.how, slot.space
    kind = None if how.free or how.own_space is not None else _KIND.get((space.kind, how.shape(space)))
    if kind is None:
        raise Malformed(f"the form {slot.form} asks for {how.description}, and {_CAN}", do="choose another template")
    return kind


def _only(slots: tuple[Slot, ...]) -> Slot:
    if len(slots) > 1:
        message = f"the template asks for {len(slots)} answers ({', '.join(slot.name for slot in slots)}), and {_CAN}"
        raise Malformed(message, do="choose a template with one answer")
    return slots[0]


def slot_of(row: Mapping[str, Any]) -> Slot:
    """Return the question of a row of a conversations file."""
    return Conversation.from_row({**row, "messages": None}).reader.slots[0]


def _tuples(space: Mapping[str, Any]) -> dict[str, Any]:
    return {"names": tuple(space["names"]), "bounds": space["bounds"] and tuple(space["bounds"])}

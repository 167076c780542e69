"""Slots of a template, bound to label spaces and raters; and a sample with its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from affectllm.corpus import Sample
from affectllm.errors import Malformed
from affectllm.instruct.wording import Speech
from affectllm.labels import LabelSpace
from affectllm.labels.form import Form, Refused, check_fit, find_form
from affectllm.labels.names import named


@dataclass(frozen=True)
class Slot:
    """One answer of a template: its rater, label space and form."""

    name: str
    form: str
    space: LabelSpace
    rater: str

    @property
    def how(self) -> Form:
        """The form that asks, words and reads."""
        return find_form(self.form)

    def gold(self, sample: Sample) -> Any:
        """Return the value of the sample's annotation as JSON, or ``Refused``."""
        annotation = sample.annotation(self.space.name, self.rater)
        if annotation is None:
            return Refused("no_annotation")
        gold = self.how.gold(annotation.value, self.space)
        if self.how.arranged is None or isinstance(gold, Refused):
            return gold
        return self.how.arranged(gold, f"{sample.corpus}/{sample.id}")

    def space_of(self, gold: Any) -> LabelSpace:
        """Return the label space of one item: the slot's, unless the possible answers belong to the item.

        Raises:
            Malformed: when they do and ``gold`` is None.
        """
        if self.how.own_space is None:
            return self.space
        if gold is None:
            message = f"{self.name} is answered by options of the item, and none are given"
            raise Malformed(message, do="read with the gold value beside the text: template.read(text, gold)")
        return self.how.own_space(self.space, gold)


@dataclass(frozen=True)
class Asked:
    """A sample with its answers, as ``Template.prepare`` returns it.

    Args:
        gold: slot → JSON value.
        given: slot or fact → the words that the prompt tells.
    """

    sample: Sample
    gold: Mapping[str, Any]
    given: Mapping[str, str]


def bind_slots(
    name: str, forms: Mapping[str, str], bound: Mapping[str, tuple[LabelSpace, str]], language: str
) -> tuple[Slot, ...]:
    """Bind the slots of a wording, in the wording's order.

    Raises:
        Malformed: when one is unbound, its form does not fit the space, or a name has no word in the language.
    """
    slots = []
    for key, form in forms.items():
        if key not in bound:
            message = f"the template {name} also asks for {key}: a {' or '.join(find_form(form).kinds)} space"
            raise Malformed(message, do=f"bind it: also: {{{key}: {{space: …, rater: …}}}}")
        space, rater = bound[key]
        if why := check_fit(find_form(form), space):
            raise Malformed(f"the template {name} {why}", do=_advice(form, space))
        if space.names:
            named(space.names, language)
        slots.append(Slot(key, form, space, rater))
    return tuple(slots)


def _advice(form: str, space: LabelSpace) -> str:
    if space.kind == "open" and find_form(form).kinds == ("spans",):
        return 'make it a space of the kind spans, with values such as [{"turn": 3, "span": "words"}]'
    return ""


def check_labels_shown(speech: Speech, slots: tuple[Slot, ...]) -> None:
    """Raise ``Malformed`` where a prompt shows the labels of its first slot only and another slot has others."""
    first = slots[0].space
    for slot in slots[1:]:
        is_shown = any(f"{{{slot.name}_labels}}" in question for question in speech.questions)
        other = slot.space.names != first.names or slot.space.bounds != first.bounds
        if first.names and slot.space.names and other and not is_shown:
            message = f"{slot.name} is asked in {slot.space.name}, but the prompt shows {first.name}"
            raise Malformed(message, do="bind both to one space")

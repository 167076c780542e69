"""The slots of a template: what is asked of whom, bound to label spaces; and a sample with its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from affectllm.corpus import Sample
from affectllm.errors import Malformed
from affectllm.instruct.forms import FORMS, ONLY, Form, Refused
from affectllm.labels import LabelSpace
from affectllm.labels.names import named


@dataclass(frozen=True)
class Slot:
    """One answer of a template: whose, in which space, in which form."""

    name: str
    form: str
    space: LabelSpace
    rater: str

    @property
    def how(self) -> Form:
        return FORMS[self.form]

    def gold(self, sample: Sample) -> Any:
        """The value of the sample's annotation as JSON, or ``Refused``."""
        annotation = sample.annotation(self.space.name, self.rater)
        if annotation is None:
            return Refused("no_annotation")
        return self.how.gold(annotation.value, self.space)


@dataclass(frozen=True)
class Asked:
    """A sample with its answers: what ``Template.prepare`` found.

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
    """The slots of a wording with what they are bound to, in the wording's order.

    Raises:
        Malformed: when one is unbound, its form does not fit the space, or a name has no word in the language.
    """
    found = []
    for key, form in forms.items():
        if key not in bound:
            told = f"the template {name} also asks for {key}: a {' or '.join(FORMS[form].kinds)} space"
            raise Malformed(told, do=f"bind it: also: {{{key}: {{space: …, rater: …}}}}")
        space, rater = bound[key]
        _check_fit(name, form, space)
        if space.names:
            named(space.names, language)
        found.append(Slot(key, form, space, rater))
    return tuple(found)


def _check_fit(name: str, form: str, space: LabelSpace) -> None:
    if space.kind not in FORMS[form].kinds:
        raise Malformed(f"the template {name} asks for a {form}, but {space.name} is a {space.kind} space")
    if form in ONLY and not set(space.names) <= ONLY[form]:
        known = ", ".join(sorted(ONLY[form]))
        raise Malformed(f"the template {name} asks for one of {known}, but {space.name} has other names")
    if form == "classes" and space.bounds and any(bound != int(bound) for bound in space.bounds):
        raise Malformed(f"the template {name} asks for classes, but the bounds of {space.name} are no whole numbers")

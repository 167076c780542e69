"""Rejected answers for preference training: the column ``rejected`` of conversations.

A part of a mixture says where they come from:

- ``rejected: other_label``: another answer of the label space in the wording of the template, drawn by a hash of the
  sample's id: another category, labels that do not hold, numbers and shares mirrored, as its form says. Answers in free
  words stay.
- ``rejected: not_preferred``: the corpus holds two answers to every moment, its attributes ``a1`` and ``a2``, and the
  space of the part says which of them its rater prefers (``a1``, ``a2``, ``same``). The template then asks for such an
  answer in free words; a moment with a tie, or with two equal answers, is rejected as ``no_preference``.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any, Literal

from affectllm.corpus import Rejection, Sample
from affectllm.errors import Malformed
from affectllm.instruct.slots import Asked, Slot
from affectllm.instruct.template import Template
from affectllm.instruct.unsafe import refusal
from affectllm.labels import Annotation, LabelSpace

Rejected = Literal["other_label", "not_preferred"]
TWO = ("a1", "a2")
PREFERRED = LabelSpace("preferred_answer", "open", (), source="of two answers to a moment the one that a rater prefers")
_WORSE = "not_preferred"  # attribute of a sample under which the other answer waits


def check_rejected(kind: Rejected, template: Template) -> None:
    """Raise ``Malformed`` where no answer of the template has another in its place."""
    if kind == "other_label" and not any(_has_other(slot) for slot in template.slots):
        message = f"{template.name} asks for free words in {template.space.name}, where no label can be put for another"
        raise Malformed(message, do="rejected: other_label takes a part whose space has labels or numbers")


def _has_other(slot: Slot) -> bool:
    return slot.how.wrong is not None and (slot.space.kind == "dimension" or len(slot.space.names) != 1)


def check_preference(space: LabelSpace) -> None:
    """Raise ``Malformed`` unless ``space`` says which of two answers is better."""
    if space.kind != "category" or not set(TWO) <= set(space.names):
        message = f"rejected: not_preferred takes a space whose labels are a1 and a2, and {space.name} is none"
        raise Malformed(message, do="name a space of preferences, or write rejected: other_label")


def preferred(sample: Sample, space: str, rater: str) -> Sample | Rejection:
    """Return the sample with its better answer as an annotation in ``PREFERRED``; a rejection where it has none."""
    annotation = sample.annotation(space, rater)
    if annotation is None:
        return Rejection(sample.id, "no_annotation", sample.source)
    texts = {name: sample.attributes.get(name, "").strip() for name in TWO}
    if lacking := [name for name, text in texts.items() if not text]:
        return Rejection(sample.id, f"no_{lacking[0]}", sample.source)
    if annotation.value not in TWO or texts["a1"] == texts["a2"]:
        return Rejection(sample.id, "no_preference", sample.source, str(annotation.value))
    better, worse = TWO if annotation.value == "a1" else TWO[::-1]
    if reason := refusal([texts[worse]]):
        return Rejection(sample.id, reason, sample.source, worse)
    return replace(
        sample,
        annotations=(*sample.annotations, Annotation(PREFERRED.name, rater, texts[better])),
        attributes={**sample.attributes, _WORSE: texts[worse]},
    )


def worse_answer(asked: Asked, template: Template, kind: Rejected, draw: float) -> str:
    """Return the rejected answer, as the template words it.

    Args:
        draw: in (0, 1]; decides which one, where there are several.
    """
    first, *_ = template.slots
    if kind == "not_preferred":
        gold = {**asked.gold, first.name: asked.sample.attributes[_WORSE]}
    else:
        gold = {slot.name: _other(slot, asked.gold[slot.name], Random(draw)) for slot in template.slots}
    return template.answer_of(replace(asked, gold=gold))


def _other(slot: Slot, gold: Any, draw: Random) -> Any:
    """Return another answer; the same one where the form has no other."""
    wrong = slot.how.wrong(gold, slot.space, draw) if slot.how.wrong else None
    return gold if wrong is None else wrong

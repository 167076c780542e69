"""Worse answers beside the given ones, for training on preferences: the column ``rejected`` of conversations.

A part of a mixture says where they come from:

- ``rejected: other_label``: another answer of the label space in the wording of the template, drawn by a hash of the
  sample's id: another category, labels that do not hold, numbers and shares mirrored. Answers in free words stay.
- ``rejected: not_preferred``: the corpus holds two answers to every moment, its attributes ``a1`` and ``a2``, and the
  space of the part says which of them its rater prefers (``a1``, ``a2``, ``same``). The template then asks for such an
  answer in free words; a moment with a tie, or with two equal answers, is rejected as ``no_preference``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from affectllm.corpus import Rejection, Sample
from affectllm.errors import Malformed
from affectllm.instruct.slots import Asked
from affectllm.instruct.template import Template
from affectllm.instruct.unsafe import refusal
from affectllm.labels import Annotation, LabelSpace

Rejected = Literal["other_label", "not_preferred"]
TWO = ("a1", "a2")
PREFERRED = LabelSpace("preferred_answer", "open", (), source="of two answers to a moment the one that a rater prefers")
_WORSE = "not_preferred"  # attribute of a sample under which the other answer waits


def check_rejected(kind: Rejected, template: Template) -> None:
    """Raise ``Malformed`` where no answer of the template has another in its place."""
    spaces = [slot.space for slot in template.slots]
    if kind == "other_label" and not any(space.kind == "dimension" or len(space.names) > 1 for space in spaces):
        told = f"{template.name} asks for free words in {spaces[0].name}, where no label can be put for another"
        raise Malformed(told, do="rejected: other_label takes a part whose space has labels or numbers")


def check_preference(space: LabelSpace) -> None:
    """Raise ``Malformed`` unless ``space`` says which of two answers is better."""
    if space.kind != "category" or not set(TWO) <= set(space.names):
        told = f"rejected: not_preferred takes a space whose labels are a1 and a2, and {space.name} is none"
        raise Malformed(told, do="name a space of preferences, or write rejected: other_label")


def preferred(sample: Sample, space: str, rater: str) -> Sample | Rejection:
    """The sample with the better one of its two answers as an annotation in ``PREFERRED``; or why it has none."""
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
    """What is to be rejected, as the template words it.

    Args:
        draw: in (0, 1]; decides which one, where there are several.
    """
    first, *_ = template.slots
    if kind == "not_preferred":
        gold = {**asked.gold, first.name: asked.sample.attributes[_WORSE]}
    else:
        gold = {slot.name: other(asked.gold[slot.name], slot.space, draw) for slot in template.slots}
    return template.answer_of(replace(asked, gold=gold))


def other(gold: Any, space: LabelSpace, draw: float) -> Any:
    """Another gold value of a space, of the same shape; free words, and the only label of a space, are given back."""
    if space.kind == "open" or (space.kind != "dimension" and len(space.names) < 2):
        return gold
    if space.kind == "dimension":
        return _mirrored(gold, space.bounds or (0.0, 0.0), draw)
    if space.kind == "distribution":
        return _dealt(gold, space.names, draw)
    if isinstance(gold, str):
        return _turned([name for name in space.names if name != gold], draw)[0]
    return _set(gold, space, draw)


def _set(gold: Sequence[str], space: LabelSpace, draw: float) -> list[str]:
    """As many labels that do not hold, as far as there are; at least one, and never the same ones."""
    outside = [name for name in space.names if name not in gold]
    chosen = _turned(outside, draw)[: max(1, len(gold))] if outside else _turned(list(gold), draw)[:1]
    return [name for name in space.names if name in chosen]


def _mirrored(gold: Mapping[str, float], bounds: tuple[float, float], draw: float) -> dict[str, float]:
    """Numbers as far from the other end of the scale; one near its middle goes to an end."""
    low, high = bounds
    end = low if draw < 0.5 else high
    turned = {name: round(low + high - number, 3) for name, number in gold.items()}
    return {name: turned[name] if abs(turned[name] - gold[name]) >= (high - low) / 4 else end for name in gold}


def _dealt(gold: Mapping[str, float], names: Sequence[str], draw: float) -> dict[str, float]:
    """The same shares for other labels; where that changes little, the whole for one."""
    shares = [gold.get(name, 0.0) for name in names]
    step = 1 + _place(draw, len(names) - 1)
    dealt = [shares[number - step] for number in range(len(names))]
    if max(abs(new - old) for new, old in zip(dealt, shares, strict=True)) < 0.1:
        return {names[step]: 1.0}
    return {name: share for name, share in zip(names, dealt, strict=True) if share}


def _turned(names: list[str], draw: float) -> list[str]:
    place = _place(draw, len(names))
    return names[place:] + names[:place]


def _place(draw: float, count: int) -> int:
    return min(int(draw * count), count - 1)

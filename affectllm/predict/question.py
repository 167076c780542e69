"""Bind a template to the labels of a user, and ask it about samples in what a model takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from affectllm.corpus import MediaRef, Sample
from affectllm.errors import Malformed
from affectllm.instruct.template import MODALITIES, Template, load_template
from affectllm.instruct.wording import Wording, load_wording
from affectllm.labels import LabelSpace
from affectllm.labels.form import Refused, find_form
from affectllm.labels.space import KINDS, Kind
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL, SPACES, aliases
from affectllm.predict.answering import Takes

DEFAULT_TEMPLATE, EXPLANATION = "emotion_choice", "affect_reasoning"
DEFAULT_SPACE = EKMAN_6_NEUTRAL
_DIMENSIONS, _BOUNDS = ("valence", "arousal"), (-1.0, 1.0)
_NAMED: tuple[Kind, ...] = ("category", "set", "distribution")
_RATER = "nobody"  # there is no annotation that an answer could be compared with


@dataclass(frozen=True)
class Question:
    """A template with the label spaces of its slots, to be bound to the modalities of each sample.

    Args:
        template: name of a wording, or path of its page.
        labels: the answers that may be given; empty for ``DEFAULT_SPACE``, or valence and arousal.
        bounds: the smallest and the largest number, for templates that ask for numbers.
        language: BCP-47 tag of question and answer.
        modalities: the only ones to be shown; empty for all that the model takes.
        paraphrase: which wording of the question is asked.
        system: the system prompt; empty for the template's, or else the family's own.
    """

    template: str = DEFAULT_TEMPLATE
    labels: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    language: str = "en"
    modalities: tuple[str, ...] = ()
    paraphrase: int = 0
    system: str = ""

    def bound(self, modalities: tuple[str, ...]) -> Template:
        """Return the template that shows ``modalities``.

        Raises:
            NotFound: when there is no such wording, or it does not speak the language.
            Malformed: when it cannot be asked of a clip alone, or the labels do not fit it.
        """
        return _bound(self, modalities)

    def explaining(self) -> Question:
        """Return the question that asks for the reasons of an answer."""
        return replace(self, template=EXPLANATION, labels=(), bounds=None, paraphrase=0)

    def check(self) -> None:
        """Raise ``NotFound`` or ``Malformed`` as ``bound``, before a model is loaded."""
        wording = load_wording(self.template)
        template = self.bound(tuple(self.modalities or MODALITIES))
        if not 0 <= self.paraphrase < len(template.questions):
            message = f"{self.template} has {len(template.questions)} wordings in {self.language!r}"
            raise Malformed(message, do=f"choose --paraphrase 0 to {len(template.questions) - 1}")
        if self.bounds and not self.bounds[0] < self.bounds[1]:
            raise Malformed(
                f"--bounds {self.bounds[0]:g} {self.bounds[1]:g} are no range", do="give the lower one first"
            )
        told = [*wording.given, *wording.facts]
        if told or any(slot.how.own_space or slot.how.shown for slot in template.slots):
            what = f"tells {told[0]}" if told else "offers options that belong to each item"
            raise Malformed(f"the template {self.template} {what}, which a clip alone does not have", do=_CHOOSE)

    def ways(self, sample: Sample, takes: Takes) -> list[tuple[str, ...]] | Refused:
        """Return the sets of modalities in which a model may be shown a sample, best first, or why there is none.

        A film whose sound track is missing or silent is shown without sound, and one without pictures is heard.
        """
        present = _present(sample)
        chosen = [m for m in present if m in takes.modalities and m in (self.modalities or MODALITIES)]
        if "video" in chosen and any(ref.modality == "video" and ref.sound for ref in sample.media) and not takes.sound:
            chosen = [m for m in chosen if m != "audio"]
        if not self.modalities and (lost := next((ref for ref in sample.media if not _is_shown(ref, chosen)), None)):
            return Refused(f"model_takes_no_{lost.modality}")
        if not chosen:
            return Refused(f"no_{'_or_'.join(self.modalities) or 'content'}")
        speech = load_wording(self.template).speeches[self.language]
        if lacking := [m for m in speech.needs if m not in chosen]:
            return Refused(f"no_{lacking[0]}")
        halves = [tuple(m for m in chosen if m != left) for left in ("audio", "video")]
        both = {"video", "audio"} <= set(chosen) and not self.modalities
        return [tuple(chosen), *(halves if both else [])]


_CHOOSE = "choose another template, see `affectllm ls templates`; tasks ask this one about a corpus"


def labels_of(text: str) -> tuple[str, ...]:
    """Return the labels of ``A,B,C``, or those of a shared label space that is named.

    Raises:
        Malformed: when there are fewer than two, or one is there twice.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if len(names) == 1 and (space := next((space for space in SPACES if space.name == names[0]), None)):
        return space.names
    if len(names) < 2 or len(set(names)) < len(names):
        shared = ", ".join(space.name for space in SPACES)
        raise Malformed(f"--labels {text!r} are not several labels", do=f"write a,b,c, or one of {shared}")
    return names


def _present(sample: Sample) -> list[str]:
    kinds = {ref.modality for ref in sample.media} | ({"audio"} if any(ref.sound for ref in sample.media) else set())
    return [m for m in MODALITIES if m in kinds or (m == "text" and sample.text)]


def _is_shown(ref: MediaRef, chosen: Sequence[str]) -> bool:
    return ref.modality in chosen or (ref.sound and "audio" in chosen)


@cache
def _bound(question: Question, modalities: tuple[str, ...]) -> Template:
    wording = load_wording(question.template)
    spaces = {slot: _space(wording, slot, question) for slot in (*wording.slots, *wording.given)}
    first, *others = spaces
    return load_template(
        question.template,
        space=spaces[first],
        rater=_RATER,
        modalities=modalities,
        also={slot: (spaces[slot], _RATER) for slot in others},
        language=question.language,
        system=question.system,
    )


def _space(wording: Wording, slot: str, question: Question) -> LabelSpace:
    """Return the label space of a slot: the user's labels in the kind that the slot's form takes."""
    form = find_form({**wording.slots, **wording.given}[slot])
    kind = _kind(form.kinds)
    if kind == "dimension":
        names = question.labels or _DIMENSIONS
        return LabelSpace("labels", kind, names, "the user", aliases(*names), question.bounds or _BOUNDS)
    if kind not in _NAMED:
        return LabelSpace(kind, kind, (), "the user")
    if not question.labels and kind == DEFAULT_SPACE.kind and form.only is None:
        return DEFAULT_SPACE
    names = question.labels or tuple(sorted(form.only or ())) or DEFAULT_SPACE.names
    return LabelSpace("labels", kind, names, "the user", aliases(*names))


def _kind(kinds: Sequence[str]) -> Kind:
    """Return the kind of label space that is made for a form, of those that it takes."""
    return next(kind for kind in (*_NAMED, *KINDS) if kind in kinds)

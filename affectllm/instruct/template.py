"""Templates: a template asks questions and reads the answers to them.

Law, for every template, paraphrase and language: ``read(answer(sample))`` is the sample's own annotation (numbers to
three decimals, distributions in whole percents).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from affectllm.corpus import Sample
from affectllm.errors import Malformed
from affectllm.hints.attach import words_of
from affectllm.instruct.content_parts import clip_parts, missing_modality
from affectllm.instruct.reader import Reader, Reading
from affectllm.instruct.slots import Asked, Slot, bind_slots, check_labels_shown
from affectllm.instruct.turns import lines
from affectllm.instruct.unsafe import refusal
from affectllm.instruct.wording import Speech, Wording, load_wording, template_names
from affectllm.labels import LabelSpace
from affectllm.labels.figures import figure
from affectllm.labels.form import Refused
from affectllm.labels.language import Asking, asking
from affectllm.labels.names import named
from affectllm.labels.reading import Unreadable

__all__ = ["MODALITIES", "Asked", "Slot", "Template", "load_template", "template_names"]

Message = dict[str, Any]
MODALITIES = ("video", "audio", "image", "text")
COMPOSITE = "composite"
_BY_EACH = {"set": "label_scores", "scores": "scores"}
"""Forms of answers that can be given for each name by itself → the form of the scores."""


@dataclass(frozen=True)
class Template:
    """A question about one or several label spaces as raters answered them, and the reader of its answers.

    Args:
        wording: the page.
        slots: what is asked, in order; the first is the template's own question.
        given: annotations that the prompt tells.
        modalities: what the model is given, a subset of ``video``, ``audio``, ``image``, ``text``.
        language: BCP-47 tag of question and answer.
        held_out: whether the held-out paraphrases are asked instead of those for training.
        system_prompt: in place of the page's own; empty for that.
        by_each: whether each name is asked about by itself: see ``by_each_name``.
    """

    wording: Wording
    slots: tuple[Slot, ...]
    given: tuple[Slot, ...]
    modalities: tuple[str, ...]
    language: str = "en"
    held_out: bool = False
    system_prompt: str = ""
    by_each: bool = False

    @property
    def name(self) -> str:
        """File name of the wording in ``prompts/``."""
        return self.wording.name

    @property
    def version(self) -> int:
        """Number that changes whenever wording or reading changes."""
        return self.wording.version

    @property
    def form(self) -> str:
        """Form of the answer, or ``composite`` for several."""
        return self.slots[0].form if len(self.slots) == 1 else COMPOSITE

    @property
    def space(self) -> LabelSpace:
        """The label space asked about; of several, the first."""
        return self.slots[0].space

    @property
    def rater(self) -> str:
        """Whose answer is the gold one; of several, the first."""
        return self.slots[0].rater

    @cached_property
    def questions(self) -> tuple[str, ...]:
        """The paraphrases, with their placeholders."""
        if self.by_each and (each := self._speech.each):
            return each.held_out if self.held_out else each.questions
        return self._speech.held_out if self.held_out else self._speech.questions

    @property
    def needs(self) -> tuple[str, ...]:
        """Modalities that the questions speak of, and without which they make no sense."""
        return self._speech.needs

    @property
    def levels(self) -> tuple[str, ...]:
        """The answers to the questions of each name, from the lowest to the highest; empty where there are none."""
        return self._speech.each.levels if self._speech.each else ()

    def by_each_name(self) -> Template:
        """Return the template that asks of each name by itself, and reads a score for each.

        ``ask`` then gives what stands before the questions, and ``of_each`` gives the questions.

        Raises:
            Malformed: when its page has no such questions, or its answers are neither sets nor numbers.
        """
        if not self.levels:
            do = "give its page questions, held_out and levels under `each:`"
            raise Malformed(f"{self.name} asks nothing of each name in {self.language!r}", do=do)
        if len(self.slots) > 1 or self.form not in _BY_EACH:
            message = f"answers of the form {self.form} are no scores"
            raise Malformed(message, do=f"choose a template of the form {' or '.join(_BY_EACH)}")
        slot = replace(self.slots[0], form=_BY_EACH[self.form])
        return replace(self, slots=(slot,), by_each=True)

    def of_each(self, sample: Sample, paraphrase: int | None = None) -> dict[str, str]:
        """Return name → the question about it, for the names that the sample has values of."""
        asked = self.prepared(sample)
        question = self.questions[self.paraphrase(sample) if paraphrase is None else paraphrase]
        filling, words = self._filling(asked), named(self.space.names, self.language)
        names = list(self.gold_of(asked)) if self.space.kind == "dimension" else list(self.space.names)
        return {name: question.format(**{**filling, "label": words[name]}) for name in names}

    def prepare(self, sample: Sample) -> Asked | Refused:
        """Return the sample's answers, or why it cannot be asked: see ``reject``."""
        gold: dict[str, Any] = {}
        for slot in self._all_slots:
            value = slot.gold(sample)
            if isinstance(value, Refused):
                return value
            if self.wording.numbered and slot.how.last_turn(value) > sample.turns_left_out + len(sample.context) + 1:
                return Refused("turn_not_shown")
            gold[slot.name] = value
        asked = self._shown(sample, gold)
        if isinstance(asked, Refused):
            return asked
        return Refused("unreadable_answer") if self._fragile and not self._reads_back(asked) else asked

    def prepare_unlabelled(self, sample: Sample) -> Asked | Refused:
        """Return a sample whose answer nobody knows, or why it cannot be asked.

        ``no_annotation`` where the prompt itself tells an annotation, ``no_options`` where the possible answers belong
        to the item; the other reasons are those of ``reject`` that do not speak of an answer.
        """
        if self.given:
            return Refused("no_annotation")
        if any(slot.how.own_space or slot.how.shown for slot in self.slots):
            return Refused("no_options")
        return self._shown(sample, dict.fromkeys((slot.name for slot in self.slots), None))

    def _shown(self, sample: Sample, gold: dict[str, Any]) -> Asked | Refused:
        """Return the sample with what the prompt tells of it; ``gold`` loses the annotations that are told."""
        if reason := missing_modality(sample, self.modalities):
            return Refused(reason)
        for fact in self.wording.facts:
            if not sample.attributes.get(fact):
                return Refused(f"no_{fact}")
        given: dict[str, str] = {}
        if self.given or self.wording.facts:
            given = {slot.name: self._worded(slot, gold.pop(slot.name)) for slot in self.given}
            given |= {fact: sample.attributes[fact] for fact in self.wording.facts}
        asked = Asked(sample, gold, given)
        reason = refusal(self._texts(asked))
        return Refused(reason) if reason else asked

    def reject(self, sample: Sample) -> str | None:
        """Return why this sample cannot be asked, or None when it can.

        ``no_annotation``, ``tie``, ``no_label``, ``no_votes``, ``not_ordinal`` (a class that is no whole number),
        ``outside_space`` (a label or a number that the label space does not have),
        ``turn_not_shown`` (a turn after the one that is asked about),
        ``no_<modality>``, ``no_<fact>``, ``control_token``, ``control_character``, ``too_long`` (see ``unsafe``),
        ``unreadable_answer`` (an answer in free words that would not be read back as itself).
        """
        result = self.prepare(sample)
        return result.reason if isinstance(result, Refused) else None

    def ask(self, sample: Sample, paraphrase: int | None = None) -> list[Message]:
        """Return the user's message: media parts first, then one text part (a video must precede its question).

        Raises:
            Malformed: when ``reject(sample)`` is not None.
        """
        return self.message(self.prepared(sample), paraphrase)

    def message(self, asked: Asked, paraphrase: int | None = None) -> list[Message]:
        """Return ``ask`` of a sample that is prepared."""
        number = self.paraphrase(asked.sample) if paraphrase is None else paraphrase
        parts = clip_parts(asked.sample, self.modalities)
        text = self._question(asked, number)
        question = {"role": "user", "content": [*parts, *([{"type": "text", "text": text}] if text else [])]}
        system = self.system_prompt or self._speech.system
        return [*([{"role": "system", "content": [{"type": "text", "text": system}]}] if system else []), question]

    def paraphrase(self, sample: Sample) -> int:
        """Return the paraphrase chosen by a hash of the sample's id, the same on every build."""
        if self.by_each:
            return 0  # scores of items are compared with each other
        key = f"{self.name}/{sample.corpus}/{sample.id}".encode()
        return int.from_bytes(hashlib.blake2b(key, digest_size=4).digest(), "big") % len(self.questions)

    def answer(self, sample: Sample) -> str:
        """Return the text that a perfect model would write.

        Raises:
            Malformed: when ``reject(sample)`` is not None.
        """
        return self.answer_of(self.prepared(sample))

    def answer_of(self, asked: Asked) -> str:
        """Return ``answer`` of a sample that is prepared."""
        return self.worded(asked.gold)

    def worded(self, gold: Mapping[str, Any]) -> str:
        """Return the text that answers the slots as ``gold`` does (slot → JSON value, as the forms give it)."""
        return self._speech.answer.format(**{slot.name: self._worded(slot, gold[slot.name]) for slot in self.slots})

    def gold(self, sample: Sample) -> Any:
        """Return the annotation's value as JSON; of several answers, a mapping slot → value.

        Raises:
            Malformed: when ``reject(sample)`` is not None.
        """
        return self.gold_of(self.prepared(sample))

    def gold_of(self, asked: Asked) -> Any:
        """Return ``gold`` of a sample that is prepared."""
        return next(iter(asked.gold.values())) if len(self.slots) == 1 else dict(asked.gold)

    def read(self, text: str, gold: Any = None) -> Reading:
        """Return the annotation that ``text`` states (for several slots one each, in order), or why it is unreadable.

        Args:
            gold: as ``gold`` gives it; needed only where the answers that may be given belong to the item.
        """
        return self.reader.read(text, gold)

    @cached_property
    def reader(self) -> Reader:
        """The reader of replies to this template."""
        return Reader(self.slots, self._speech.answer, self.language)

    def prepared(self, sample: Sample) -> Asked:
        """Return the sample's answers.

        Raises:
            Malformed: when ``reject(sample)`` is not None.
        """
        result = self.prepare(sample)
        if isinstance(result, Refused):
            message = f"{self.name} cannot ask {sample.id} what {self.rater} said in {self.space.name}: {result.reason}"
            raise Malformed(message, where=sample.source)
        return result

    def _reads_back(self, asked: Asked) -> bool:
        reading = self.read(self.answer_of(asked), self.gold_of(asked))
        if isinstance(reading, Unreadable):
            return False
        several = reading if isinstance(reading, tuple) else (reading,)
        own = [slot.how.gold(answer.value, slot.space) for slot, answer in zip(self.slots, several, strict=True)]
        return own == list(asked.gold.values())

    def _worded(self, slot: Slot, gold: Any) -> str:
        return slot.how.worded(gold, slot.space, self.language, self._spoken.nothing)

    def _texts(self, asked: Asked) -> list[str]:
        """Return the texts that come from the corpus: words, context, facts and free answers."""
        golds = [(slot, asked.gold[slot.name]) for slot in self.slots]
        texts = [text for slot, gold in golds if gold is not None for text in slot.how.texts(gold)]
        texts += asked.given.values()
        if "text" in self.modalities:
            texts.append(asked.sample.text or "")
            texts += [turn.text for turn in asked.sample.context]
        return texts + words_of(asked.sample)

    @cached_property
    def _all_slots(self) -> tuple[Slot, ...]:
        return (*self.slots, *self.given)

    def _question(self, asked: Asked, number: int) -> str:
        blocks = [*self._words(asked.sample)] if "text" in self.modalities else []
        if self._speech.show:
            blocks.append(self._speech.show.format(**asked.given))
        if hints := words_of(asked.sample):
            blocks.append(self._spoken.hints.format(hints="\n".join(f"- {line}" for line in hints)))
        if self.by_each:
            return "\n\n".join(blocks)  # each question comes behind it: see ``of_each``
        fixed = self._fixed
        blocks.append(fixed[number] if fixed else self.questions[number].format(**self._filling(asked)))
        return "\n\n".join(blocks)

    def _words(self, sample: Sample) -> Iterator[str]:
        *before, last = lines(sample, self._spoken.speaker, numbered=self.wording.numbered)
        if before:
            yield self._speech.context.format(turns="\n".join(before))
        # What is only read is framed as the text that the questions speak of.
        frame = self._spoken.text if self.modalities == ("text",) else self._spoken.words
        yield (self._speech.words or frame).format(words=last)

    @cached_property
    def _fixed(self) -> tuple[str, ...] | None:
        """The questions where they are the same for all samples."""
        own = {"dimensions", "options", *(f"{slot.name}_options" for slot in self.slots)}
        varying = {*own, *(slot.name for slot in self.given), *self.wording.facts}
        if any(f"{{{name}}}" in question for question in self.questions for name in varying):
            return None
        return tuple(question.format(**self._filling(None)) for question in self.questions)

    def _filling(self, asked: Asked | None) -> dict[str, str]:
        modality = next(modality for modality in MODALITIES if modality in self.modalities)
        words = named(self.space.names, self.language)
        low, high = self.space.bounds or (0.0, 0.0)
        listed, joined = self._spoken.listed, self._spoken.joined
        filling = {"stimulus": self._spoken.stimulus[modality], "labels": listed(words.values())}
        filling |= {"low": figure(low), "high": figure(high)}
        for slot in self.slots:
            filling[f"{slot.name}_labels"] = listed(named(slot.space.names, self.language).values())
        filling["scale"] = listed(map(str, range(int(low), int(high) + 1))) if self.space.bounds else ""
        # As ``forms`` words it: a number that stands alone has no name.
        filling["shape"] = self._spoken.shape["several" if len(self.space.names) > 1 else "one"]
        if asked is not None:
            filling |= asked.given
            for slot in self.slots:
                if slot.how.shown:
                    own = slot.how.shown(asked.gold[slot.name])
                    filling |= {**{f"{slot.name}_{key}": text for key, text in own.items()}, **own}
            first = asked.gold[self.slots[0].name]
            dimensions = [words[name] for name in first or words] if self.space.kind == "dimension" else []
            filling["dimensions"] = joined(dimensions) if dimensions else ""
        return filling

    @cached_property
    def _speech(self) -> Speech:
        return self.wording.speeches[self.language]

    @cached_property
    def _spoken(self) -> Asking:
        return asking(self.language)

    @cached_property
    def _fragile(self) -> bool:
        # A reply that looks like a transcript would not be read back either.
        return any(slot.how.free for slot in self.slots)


def load_template(
    name: str,
    *,
    space: LabelSpace,
    rater: str,
    modalities: Iterable[str],
    also: Mapping[str, tuple[LabelSpace, str]] | None = None,
    language: str = "en",
    held_out: bool = False,
    system: str = "",
) -> Template:
    """Bind the wording ``name`` to a question.

    Args:
        name: a wording that ships, or the path of a YAML page.
        space, rater: what the wording's first slot asks, and who answered it.
        also: the wording's other slots, asked or given → their space and rater.
        system: the system prompt, in place of the page's own.

    Raises:
        NotFound: when there is no such wording, or it does not speak the language.
        Malformed: when the page is not as it must be, does not fit the kind of a space, a slot is unbound or unknown,
            a name of the space has no word in the language, or a modality is unknown or none is given.
    """
    wording = load_wording(name)
    if language not in wording.speeches:
        raise Malformed(f"{name} does not speak {language!r}", do=f"choose among {', '.join(wording.speeches)}")
    if isinstance(modalities, str):
        raise Malformed(f"modalities are a list, not {modalities!r}", do=f"write [{modalities}]")
    chosen = tuple(modalities)
    if strange := sorted(set(chosen) - set(MODALITIES)):
        raise Malformed(f"unknown modalities {strange}", do=f"choose among {', '.join(MODALITIES)}")
    if not chosen:
        raise Malformed(f"the template {name} is to show nothing", do=f"choose among {', '.join(MODALITIES)}")
    first = next(iter(wording.slots))
    if lacking := [modality for modality in wording.speeches[language].needs if modality not in chosen]:
        message = f"the template {name} speaks of {lacking[0]} in {language!r}, which is not to be shown"
        raise Malformed(message, do=f"show {lacking[0]} too, or choose another template")
    bound = {first: (space, rater), **(also or {})}
    slots = bind_slots(name, wording.slots, bound, language)
    given = bind_slots(name, wording.given, bound, language)
    slot_names = (*wording.slots, *wording.given)
    if strange := sorted(set(bound) - set(slot_names)):
        raise Malformed(f"the template {name} has no slot {strange[0]!r}", do=f"its slots are {', '.join(slot_names)}")
    check_labels_shown(wording.speeches[language], slots)
    ordered = tuple(modality for modality in MODALITIES if modality in chosen)
    return Template(wording, slots, given, ordered, language, held_out, system)

"""Read replies to a template's question: which part of a reply answers which slot, and what it states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from affectllm.instruct.fields import label_then_words, of_fields, of_json
from affectllm.instruct.sentence import is_plain, take_apart
from affectllm.instruct.slots import Slot
from affectllm.labels import Annotation
from affectllm.labels.reading import Unreadable
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.turns import own_turn

Reading = Annotation | tuple[Annotation, ...] | Unreadable


@dataclass(frozen=True)
class Reader:
    """Reads replies to one question.

    Args:
        slots: what was asked, in order.
        sentence: of the answer, with a placeholder for every slot.
        language: BCP-47 tag of the answer.
    """

    slots: tuple[Slot, ...]
    sentence: str
    language: str

    def read(self, text: str, gold: Any = None) -> Reading:
        """Return the annotation that ``text`` states (for several slots one each, in order), or why it is unreadable.

        Args:
            gold: as ``Template.gold`` gives it; needed only where the answers that may be given belong to the item.
        """
        answers = self.read_slots(text, gold).values()
        unread = next((one for one in answers if isinstance(one, Unreadable)), None)
        if unread is not None:
            return Unreadable(unread.reason, text)
        several = tuple(one for one in answers if isinstance(one, Annotation))
        return several[0] if len(self.slots) == 1 else several

    def read_slots(self, text: str, gold: Any = None) -> dict[str, Annotation | Unreadable]:
        """Return slot → what ``text`` answers to it, or why that cannot be read."""
        parts = self._parts(text)
        if isinstance(parts, Unreadable):
            return dict.fromkeys((slot.name for slot in self.slots), parts)
        golds = {self.slots[0].name: gold} if len(self.slots) == 1 else (gold or {})
        return {slot.name: self._read(slot, parts[slot.name], golds.get(slot.name)) for slot in self.slots}

    def _parts(self, text: str) -> Mapping[str, str] | Unreadable:
        own = own_turn(text)
        if isinstance(own, Unreadable):
            return own
        if len(self.slots) == 1:
            return self._part(own)
        part = own if "<answer>" in self.sentence else answer_part(own)
        if isinstance(part, Unreadable):
            return part
        answers = (
            of_json(part, self.slots)
            or take_apart(self.sentence, part, self._free)
            or of_fields(part, self.slots)
            or label_then_words(part, self.slots, self.language)
        )
        return Unreadable("incomplete" if text.strip() else "empty", text) if answers is None else answers

    def _part(self, text: str) -> Mapping[str, str]:
        # Prose around a label is what the readers are for; free words have to be taken out of their sentence.
        (slot,) = self.slots
        apart = slot.how.free and not is_plain(self.sentence)
        return (take_apart(self.sentence, text, self._free) if apart else None) or {slot.name: text}

    def _read(self, slot: Slot, text: str, gold: Any) -> Annotation | Unreadable:
        value = slot.how.read(text, slot.space_of(gold), self.language)
        if isinstance(value, Unreadable):
            return value
        return Annotation(slot.space.name, slot.rater, slot.how.restored(value, gold))

    @cached_property
    def _free(self) -> frozenset[str]:
        return frozenset(slot.name for slot in self.slots if slot.how.free)

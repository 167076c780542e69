"""Conversations: the one data type that training, evaluation and rewards share.

Messages have content parts in the form of Hugging Face chat templates; a media part points at a clip and never holds
it. A conversation knows which template asked it, so that whatever somebody answers is read and scored as it was asked,
also where it comes out of a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.errors import Malformed
from affectllm.instruct.pairs import COMPARISON
from affectllm.instruct.reader import Reader, Reading
from affectllm.instruct.rejected import PREFERRED
from affectllm.instruct.slots import bind_slots
from affectllm.instruct.template import Template
from affectllm.instruct.wording import load_wording
from affectllm.labels import Annotation
from affectllm.labels.form import Refused
from affectllm.labels.reading import Unreadable

Part = Mapping[str, Any]
Message = Mapping[str, Any]
Messages = Sequence[Message]


def parts_of(messages: Iterable[Message]) -> Iterator[Part]:
    """Yield every content part in order; content that is a plain text is one part."""
    for message in messages:
        content = message["content"]
        yield from [{"type": "text", "text": content}] if isinstance(content, str) else content


def media_parts(messages: Iterable[Message]) -> list[Part]:
    """Return the parts that point at clips."""
    return [part for part in parts_of(messages) if part["type"] != "text"]


def text_of(messages: Iterable[Message]) -> str:
    """Return the words of the messages, for models that take a string."""
    return "\n".join(part["text"] for part in parts_of(messages) if part["type"] == "text")


def answered(text: str) -> dict[str, Any]:
    """Return an assistant's message with ``text``."""
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


@dataclass(frozen=True)
class AskedBy:
    """Which template asked, as far as its answers depend on it.

    Args:
        template: name of the wording, or path of its page.
        version: of the wording.
        language: BCP-47 tag.
        slots: slot → (label space, rater, names of a space of dimensions that is narrowed, empty otherwise).
    """

    template: str
    version: int
    language: str
    slots: Mapping[str, tuple[str, str, tuple[str, ...]]]

    @classmethod
    def of(cls, template: Template) -> AskedBy:
        """Return the record of ``template``."""
        narrowed = {slot.name: slot.space.names if slot.space.kind == "dimension" else () for slot in template.slots}
        slots = {slot.name: (slot.space.name, slot.rater, narrowed[slot.name]) for slot in template.slots}
        return cls(template.wording.page, template.version, template.language, slots)

    def to_json(self) -> dict[str, Any]:
        """Return what a file keeps beside the template's name and language."""
        return {"page": self.template, "version": self.version, "slots": {k: list(v) for k, v in self.slots.items()}}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], language: str) -> AskedBy:
        """Inverse of ``to_json``."""
        slots = {slot: (space, rater, tuple(names)) for slot, (space, rater, names) in stored["slots"].items()}
        return cls(stored["page"], stored["version"], language, slots)

    def reader(self, corpus: str) -> Reader:
        """Return the reader of the answers, rebuilt from the page and from the corpus's card.

        Raises:
            Malformed: when the page has another version now, or the corpus no such label space.
        """
        key = tuple((slot, *bound) for slot, bound in self.slots.items())
        return _reader(self.template, self.version, self.language, corpus, key)


@lru_cache(maxsize=256)
def _reader(page: str, version: int, language: str, corpus: str, bound: tuple[tuple[Any, ...], ...]) -> Reader:
    wording = load_wording(page)
    if wording.version != version:
        message = f"{page} was asked in version {version}, and is here in version {wording.version}"
        raise Malformed(message, do="build again, or install the version of affectllm that it was built with")
    if language not in wording.speeches:
        raise Malformed(f"{page} does not speak {language!r}", do=f"choose among {', '.join(wording.speeches)}")
    spaces = {space.name: space for space in (*load_builder(corpus).CARD.spaces, COMPARISON, PREFERRED)}
    slots = {}
    for slot, name, rater, names in bound:
        if name not in spaces:
            raise Malformed(f"{corpus} has no label space {name!r}", do="build again")
        narrowed = spaces[name].focused(names) if names else spaces[name]
        slots[slot] = (narrowed, rater)
    asked = {slot: form for slot, form in wording.slots.items() if slot in slots}
    return Reader(bind_slots(page, asked, slots, language), wording.speeches[language].answer, language)


def _decoded(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its JSON texts decoded, as pyarrow, pandas and polars leave them."""
    decoded = {key: json.loads(row[key]) for key in ("asked_by", "value") if isinstance(row.get(key), str)}
    messages = row.get("messages")
    if messages is not None:
        decoded["messages"] = [json.loads(one) if isinstance(one, str) else one for one in messages]
    return {**row, **decoded}


@dataclass(frozen=True)
class Conversation:
    """A question, its right answer, and the reader for other answers.

    Args:
        id: unique within a corpus and question.
        corpus: name of the corpus, below whose folder the clips lie.
        asked: messages up to the answer.
        answer: the right answer in words; None where nobody knows it.
        gold: the same as a JSON value: see ``Template.gold``.
        rejected: a worse answer in its place, or None.
        by: which template asked; None for a conversation of another source.
        speaker, dialogue: who speaks and in which dialogue, as far as the corpus tells.
    """

    id: str
    corpus: str
    asked: Messages
    answer: str | None = None
    gold: Any = None
    rejected: str | None = None
    by: AskedBy | None = None
    speaker: str | None = None
    dialogue: str | None = None
    _reader: Reader | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, sample: Sample, template: Template, paraphrase: int | None = None) -> Conversation:
        """Return the conversation in which ``template`` asks about a sample.

        Raises:
            Malformed: when ``template.reject(sample)`` is not None.
        """
        asked = template.prepared(sample)
        return cls(
            id=sample.id,
            corpus=sample.corpus,
            asked=template.message(asked, paraphrase),
            answer=template.answer_of(asked),
            gold=template.gold_of(asked),
            by=AskedBy.of(template),
            speaker=sample.speaker,
            dialogue=sample.dialogue,
            _reader=template.reader,
        )

    @classmethod
    def unlabelled(cls, sample: Sample, template: Template, paraphrase: int = 0) -> Conversation | Refused:
        """Return the conversation in which ``template`` asks about a sample whose answer nobody knows, or why not."""
        asked = template.prepare_unlabelled(sample)
        if isinstance(asked, Refused):
            return asked
        messages = template.message(asked, paraphrase)
        return cls(sample.id, sample.corpus, messages, by=AskedBy.of(template), _reader=template.reader)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Conversation:
        """Rebuild a conversation from a row whose last message is the answer; reading needs only its ``value``.

        ``datasets`` gives the JSON of a file as values, other readers of Parquet as text; both are rows.
        """
        row = _decoded(row) if isinstance(row.get("asked_by"), str) else row
        by = row.get("asked_by")
        messages = row.get("messages") or []
        return cls(
            id=row["id"],
            corpus=row.get("corpus", ""),
            asked=messages[:-1],
            answer=text_of(messages[-1:]) if messages else None,
            gold=row.get("value"),
            rejected=row.get("rejected"),
            by=AskedBy.from_json(by, row["language"]) if by else None,
            speaker=row.get("speaker"),
            dialogue=row.get("dialogue"),
        )

    @property
    def text(self) -> str:
        """The words that are asked."""
        return text_of(self.asked)

    @property
    def media(self) -> list[Part]:
        """The parts that point at clips."""
        return media_parts(self.asked)

    def answered(self) -> Messages:
        """Return the messages with the right answer.

        Raises:
            Malformed: when there is none.
        """
        return self._with(self.answer, "answer")

    def answered_worse(self) -> Messages:
        """Return the messages with the rejected answer in place of the right one.

        Raises:
            Malformed: when there is none.
        """
        return self._with(self.rejected, "rejected answer")

    def _with(self, text: str | None, what: str) -> Messages:
        if text is None:
            raise Malformed(f"the conversation {self.id} has no {what}", where=self.corpus)
        return [*self.asked, answered(text)]

    @property
    def reader(self) -> Reader:
        """The reader of answers to it.

        Raises:
            Malformed: when no template is known, or it has changed since.
        """
        if self._reader is not None:
            return self._reader
        if self.by is None:
            message = f"the conversation {self.id} does not say which template asked it"
            raise Malformed(message, where=self.corpus, do="build again: files of earlier versions do not say it")
        return self.by.reader(self.corpus)

    def read(self, reply: str) -> Reading:
        """Read a reply: return what it states, or why it cannot be read."""
        return self.reader.read(reply, self.gold)

    def agreement(self, reply: str) -> float:
        """Return how far a reply agrees with the gold answer, in [0, 1], by its slots' forms; 0 where it is unreadable.

        Raises:
            Malformed: when only free words are asked for, which nothing here can judge.
        """
        judged = [slot for slot in self.reader.slots if slot.how.judged]
        if not judged:
            message = f"the conversation {self.id} asks for free words, which a reward by reading cannot judge"
            raise Malformed(message, where=self.corpus, do="use a metric of texts or a judge")
        answers = self.reader.read_slots(reply, self.gold)
        golds = {self.reader.slots[0].name: self.gold} if len(self.reader.slots) == 1 else self.gold
        marks = [slot.how.mark(golds[slot.name], _value(answers[slot.name]), slot.space) for slot in judged]
        return sum(marks) / len(marks)


def _value(answer: Annotation | Unreadable) -> Any:
    return answer.value if isinstance(answer, Annotation) else None

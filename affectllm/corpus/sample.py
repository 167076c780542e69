"""Sample, media reference, dialogue turn and rejection: what a builder yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from affectllm.labels import Annotation

Modality = Literal["video", "audio", "image"]
TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
# More than the dialogues of the known corpora have; without a bound each turn of a chat of thousands holds them all.
MOST_TURNS = 256
CUT = "turns_left_out"  # attribute of a sample whose context was cut: how many turns came before what is kept


@dataclass(frozen=True, slots=True)
class MediaRef:
    """Where a clip lies; never its pixels or its sound.

    Args:
        path: POSIX path relative to the root of the corpus.
        modality: ``video`` (frames, and the sound track where ``sound`` is true), ``audio`` or ``image``.
        sound: whether the sound track of a video belongs to the sample.
        start: first moment in seconds, from the beginning of the file; None means the beginning.
        end: last moment in seconds; None means the end of the file.
    """

    path: str
    modality: Modality
    sound: bool = False
    start: float | None = None
    end: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the fields that are set, as JSON types."""
        record: dict[str, Any] = {"path": self.path, "modality": self.modality}
        if self.sound:
            record["sound"] = True
        if self.start is not None:
            record["start"] = self.start
        if self.end is not None:
            record["end"] = self.end
        return record


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier utterance of a dialogue."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One item to be understood: an utterance, a post, a clip.

    Args:
        id: unique within the corpus and the same on every machine.
        corpus: name of the corpus.
        split: ``train``, ``validation`` or ``test``: a role, not a place.
        annotations: every answer that the release gives for this moment.
        source: provenance as ``file:line`` or a file name, relative to the root.
        text: the words of the moment (utterance, post, transcript); None where the release has none.
        language: BCP-47 tag of the words or the speech.
        speaker: identifier of the speaker or writer, unique within the corpus; None where unknown.
        dialogue: identifier of the dialogue, unique within the corpus; None outside dialogues.
        context: earlier turns of the dialogue, oldest first. Of more than ``MOST_TURNS`` the last ones are kept, and
            the attribute ``turns_left_out`` says how many came before them.
        media: the clips of this moment; empty where the release has none or a defect forbids their use.
        attributes: other facts of the release as strings (``intensity``, ``statement``, ``defect``, …).
    """

    id: str
    corpus: str
    split: str
    annotations: tuple[Annotation, ...]
    source: str
    text: str | None = None
    language: str | None = None
    speaker: str | None = None
    dialogue: str | None = None
    context: tuple[Turn, ...] = ()
    media: tuple[MediaRef, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (more := len(self.context) - MOST_TURNS) > 0:
            object.__setattr__(self, "attributes", {**self.attributes, CUT: str(self.turns_left_out + more)})
            object.__setattr__(self, "context", self.context[more:])

    @property
    def turns_left_out(self) -> int:
        """Turns of the dialogue that came before ``context``."""
        return int(self.attributes.get(CUT, 0))

    def annotation(self, space: str, rater: str) -> Annotation | None:
        """Return the answer given by ``rater`` in ``space``, or None."""
        for annotation in self.annotations:  # called for every row of a build: a generator would cost twice as much
            if annotation.space == space and annotation.rater == rater:
                return annotation
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the sample as JSON types; the inverse of ``from_json``."""
        return {
            "id": self.id,
            "corpus": self.corpus,
            "split": self.split,
            "text": self.text,
            "language": self.language,
            "speaker": self.speaker,
            "dialogue": self.dialogue,
            "context": [{"speaker": turn.speaker, "text": turn.text} for turn in self.context],
            "media": [ref.to_json() for ref in self.media],
            "annotations": [annotation.to_json() for annotation in self.annotations],
            "attributes": dict(self.attributes),
            "source": self.source,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Sample:
        """Rebuild a sample from ``to_json``."""
        # Called for every row that is asked: lists where a generator would do, and field by field.
        return cls(
            id=record["id"],
            corpus=record["corpus"],
            split=record["split"],
            annotations=tuple([Annotation.from_json(answer) for answer in record["annotations"]]),
            source=record["source"],
            text=record["text"],
            language=record["language"],
            speaker=record["speaker"],
            dialogue=record["dialogue"],
            context=tuple([Turn(turn["speaker"], turn["text"]) for turn in record["context"]]),
            media=tuple([MediaRef(**ref) for ref in record["media"]]),
            attributes=record["attributes"],
        )


@dataclass(frozen=True, slots=True)
class Rejection:
    """Something that is not used, and why: nothing vanishes.

    Args:
        item: what is not used: a sample id, a clip path, or ``file:line`` of a row.
        reason: a short code, the same for all items of its kind: ``media_missing``, ``known_defect``, ``broken_row``,
            ``duplicate_id``, ``unknown_label``, ``bad_encoding``, ``no_annotation``, ``tie``, ``no_media``, …
        where: ``file:line`` (relative to the root) where it stands.
        detail: what exactly was found.
    """

    item: str
    reason: str
    where: str = ""
    detail: str = ""

    def to_json(self) -> dict[str, str]:
        return {"item": self.item, "reason": self.reason, "where": self.where, "detail": self.detail}

"""Build a task's documents from samples through the template: texts and media references, never decoded clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.selection import fact
from affectllm.errors import AffectError
from affectllm.evaluate.on_disk import StoredDocuments, is_on_disk
from affectllm.hints.attach import provenance_of
from affectllm.instruct import Template
from affectllm.instruct.conversation import Conversation
from affectllm.labels.names import named

Document = dict[str, Any]
_LONGEST_FACT = 60  # characters


class Documents(list[Document]):
    """A list of documents with the ``features`` that lm-eval expects of a ``datasets.Dataset``.

    An Arrow table would give every message part the keys of all others, as None.
    """

    @property
    def features(self) -> Mapping[str, None]:
        """The keys of the documents."""
        return dict.fromkeys(self[0]) if self else {}


AnyDocuments = Documents | StoredDocuments


def no_documents() -> AnyDocuments:
    """Return an empty list of documents: in memory, or within ``kept_on_disk`` on disk."""
    return StoredDocuments() if is_on_disk() else Documents()


def documents(
    items: Iterable[Sample | Rejection],
    template: Template,
    wordings: Sequence[int | None] = (None,),
    facts: Sequence[str] = (),
) -> tuple[AnyDocuments, list[Rejection]]:
    """Convert the scored samples into documents; also return everything that is not asked, with its reason.

    Args:
        wordings: paraphrases in which each sample is asked; None stands for the sample's own.
        facts: attributes of the samples that the metrics need; a sample without one of them is rejected.
    """
    asked, rejected = no_documents(), list[Rejection]()
    for item in items:
        if isinstance(item, Rejection):
            rejected.append(item)
        elif (reason := template.reject(item) or lacks(item, facts)) is None:
            for wording in wordings:
                asked.append(document(item, template, wording, facts))
        else:
            rejected.append(Rejection(item.id, reason, item.source, f"not asked by {template.name}"))
    return asked, rejected


def lacks(sample: Sample, facts: Sequence[str]) -> str | None:
    """Return the reason ``no_<attribute>`` where a sample lacks one of ``facts``."""
    return next((f"no_{name}" for name in facts if fact(sample, name) is None), None)


def document(sample: Sample, template: Template, wording: int | None = None, facts: Sequence[str] = ()) -> Document:
    """Make the document of a sample: identity, messages, and the gold answer as text and as JSON value."""
    asked = Conversation.of(sample, template, wording)
    return {
        "id": asked.id,
        "corpus": asked.corpus,
        "speaker": asked.speaker,
        "dialogue": asked.dialogue,
        "messages": asked.asked,
        "answer": asked.answer,
        "gold": asked.gold,
        "choices": _choices(template, asked.gold),
        **({"each": template.of_each(sample, wording)} if template.by_each else {}),
        **({"hints": hints} if (hints := provenance_of(sample)) else {}),
        **({} if wording is None else {"wording": wording}),
        **({"facts": {name: fact(sample, name) for name in facts}} if facts else {}),
        **({"about": known} if (known := about(sample, template)) else {}),
    }


def about(sample: Sample, template: Template) -> dict[str, str]:
    """Return what the corpus knows of a sample, by which a report groups scores: language, length, sex, level, ….

    Long attributes are texts, by which nobody groups; the words of the sample are there where they are not shown.
    """
    spans = [(ref.start or 0.0, ref.end) for ref in sample.media if ref.end is not None]
    known = {name: value for name, value in sample.attributes.items() if value and len(value) <= _LONGEST_FACT}
    return {
        **known,
        **({"language": sample.language} if sample.language else {}),
        **({"characters": str(len(sample.text))} if sample.text else {}),
        **({"seconds": f"{max(end - start for start, end in spans):.2f}"} if spans else {}),
        **({"transcript": sample.text} if sample.text and "text" not in template.modalities else {}),
    }


def _choices(template: Template, gold: Any) -> list[str]:
    """Return the possible answers to the first slot, where they can be listed; the levels where each is asked about."""
    if template.by_each:
        return list(template.levels)
    slot = template.slots[0]
    if slot.how.own_space is None:
        words = named(slot.space.names, template.language).values() if slot.how.choices else slot.space.names
        return list(words)
    first = gold if len(template.slots) == 1 else gold[slot.name]
    return [name.upper() for name in slot.space_of(first).names]


def require_some(asked: AnyDocuments, rejected: list[Rejection], task: str, folder: Path) -> None:
    """Raise ``AffectError`` with the reasons when no sample can be asked."""
    if asked:
        return
    reasons = Counter(rejection.reason for rejection in rejected)
    summary = (
        ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()) or "it has no samples of this split"
    )
    raise AffectError(
        f"no sample in {folder} can be asked: {summary}", where=task, do="check the folder and --modalities"
    )

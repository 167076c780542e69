"""Documents of a task: references and words, built from samples through the template; never a decoded clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import Rejection, Sample
from affectllm.errors import AffectError
from affectllm.instruct import Template

Document = dict[str, Any]


class Documents(list[Document]):
    """A list that says which keys its documents have, as lm-eval asks of a ``datasets.Dataset``.

    An Arrow table would give every message part the keys of all others, as None.
    """

    @property
    def features(self) -> Mapping[str, None]:
        """The keys of the documents."""
        return dict.fromkeys(self[0]) if self else {}


def documents(found: Iterable[Sample | Rejection], template: Template, split: str) -> tuple[Documents, list[Rejection]]:
    """Samples of ``split`` as documents, and everything that is not asked, with its reason."""
    asked, rejected = Documents(), []
    for item in found:
        if isinstance(item, Rejection):
            rejected.append(item)
        elif item.split == split:
            reason = template.reject(item)
            if reason is None:
                asked.append(document(item, template))
            else:
                rejected.append(Rejection(item.id, reason, item.source, f"not asked by {template.name}"))
    return asked, rejected


def document(sample: Sample, template: Template) -> Document:
    """One document: who and where, the messages, and the right answer as text and as JSON value."""
    gold = template.gold(sample)
    return {
        "id": sample.id,
        "corpus": sample.corpus,
        "speaker": sample.speaker,
        "dialogue": sample.dialogue,
        "messages": template.ask(sample),
        "answer": template.answer(sample),
        "gold": gold,
        "choices": _choices(template, gold),
    }


def _choices(template: Template, gold: Any) -> list[str]:
    """The answers that may be given to the first slot, where they can be listed."""
    slot = template.slots[0]
    if slot.how.own_space is None:
        return list(slot.space.names)
    first = gold if len(template.slots) == 1 else gold[slot.name]
    return [name.upper() for name in slot.space_of(first).names]


def words(document: Document) -> str:
    """The text parts of the messages, for models that take a string."""
    return "\n".join(part["text"] for part in _parts(document["messages"]) if part["type"] == "text")


def media_parts(messages: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The parts that point at clips."""
    return [part for part in _parts(messages) if part["type"] != "text"]


def _parts(messages: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for message in messages:
        yield from message["content"]


def require_some(asked: Documents, rejected: list[Rejection], task: str, folder: Path) -> None:
    """Raise ``AffectError`` with the reasons when no sample can be asked."""
    if asked:
        return
    reasons = Counter(rejection.reason for rejection in rejected)
    told = (
        ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()) or "it has no samples of this split"
    )
    raise AffectError(f"no sample in {folder} can be asked: {told}", where=task, do="check the folder and --modalities")

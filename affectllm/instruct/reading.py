"""What templates make of an answer: the readers of ``labels.reading``, with the space and the rater that were asked."""

from __future__ import annotations

from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.reading import Unreadable, read_label, read_labels
from affectllm.labels.reading.text import bare

Reading = Annotation | Unreadable

__all__ = ["Reading", "Unreadable", "read_choice", "read_description", "read_reply", "read_set"]


def read_choice(text: str, space: LabelSpace, rater: str) -> Reading:
    """One name of ``space``."""
    found = read_label(text, space)
    return found if isinstance(found, Unreadable) else Annotation(space.name, rater, found)


def read_set(text: str, space: LabelSpace, rater: str) -> Reading:
    """Every name that the answer states, in the order of the space; ``none`` is the empty set."""
    if not bare(text):
        return Unreadable("empty", text)  # "[]" is no wording that a template asks for
    found = read_labels(text, space)
    return found if isinstance(found, Unreadable) else Annotation(space.name, rater, found)


def read_description(text: str, space: LabelSpace, rater: str) -> Reading:
    """The names that a description mentions; one name in a ``category`` space is that name, several are a tie."""
    reading = read_set(text, space, rater)
    if isinstance(reading, Unreadable) or space.kind != "category":
        return reading
    names = tuple(reading.value)
    if not names:
        return Unreadable("no_label", text)
    return Annotation(space.name, rater, str(names[0])) if len(names) == 1 else reading


def read_reply(text: str, space: LabelSpace, rater: str) -> Reading:
    """The reply itself, without surrounding blanks."""
    return Annotation(space.name, rater, text.strip()) if text.strip() else Unreadable("empty", text)

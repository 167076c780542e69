"""Reading answers: free text back into annotations, deterministically, and never with a fallback label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from affectllm.labels import Annotation, LabelSpace

# "not angry", "isn't really angry", "I don't think it's anger": the word is named in order to deny it. "Not angry but
# sad" denies the first word only, and "no doubt" denies nothing.
_NEGATION = re.compile(
    r"(?:\b(?:not|no|never|without|neither|nor|hardly)|n['’]t)(?:\s+(?!(?:but|doubt|question)\b)[\w'’]+){0,3}\s*$",
    re.IGNORECASE,
)
_TAG = re.compile(r"<answer>(.*?)</answer>", re.IGNORECASE | re.DOTALL)
_EDGES = " \t\r\n.,;:!?\"'`*()[]“”‘’"
NONE_WORDS = frozenset({"none", "no emotion", "none of them", "none of these"})


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An answer that could not be read: a value, not a zero.

    Args:
        reason: ``empty``, ``no_label``, ``ambiguous`` or ``media_error:<reason>``.
        text: the answer as it came.
    """

    reason: str
    text: str


Reading = Annotation | Unreadable


def read_choice(text: str, space: LabelSpace, rater: str) -> Reading:
    """One name of ``space``: the whole answer, else the only name that it mentions and does not deny."""
    answer = _inside_tag(text)
    if not answer.strip(_EDGES):
        return Unreadable("empty", text)
    if name := space.resolve(answer.strip(_EDGES)):
        return Annotation(space.name, rater, name)
    found = _mentioned(answer, space)
    if len(found) == 1:
        return Annotation(space.name, rater, found[0])
    return Unreadable("ambiguous" if found else "no_label", text)


def read_set(text: str, space: LabelSpace, rater: str) -> Reading:
    """Every name that the answer mentions and does not deny, in the order of the space; ``none`` is the empty set."""
    answer = _inside_tag(text)
    if not answer.strip(_EDGES):
        return Unreadable("empty", text)
    if answer.strip(_EDGES).lower() in NONE_WORDS:
        return Annotation(space.name, rater, ())
    found = _mentioned(answer, space)
    return Annotation(space.name, rater, tuple(found)) if found else Unreadable("no_label", text)


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


def _inside_tag(text: str) -> str:
    match = _TAG.search(text)
    return match.group(1) if match else text


def _mentioned(text: str, space: LabelSpace) -> list[str]:
    found = set(_mentions(text, space))
    return [name for name in space.names if name in found]


def _mentions(text: str, space: LabelSpace) -> Iterator[str]:
    for match in _pattern(space).finditer(text):
        if not _NEGATION.search(text[: match.start()]):
            name = space.resolve(match.group())
            if name is not None:
                yield name


_patterns: dict[tuple[str, ...], re.Pattern[str]] = {}


def _pattern(space: LabelSpace) -> re.Pattern[str]:
    words = (*space.names, *space.aliases)
    if words not in _patterns:
        # Longest first, so that "not sad at all" style compounds and "very happy" do not stop at a shorter name.
        ordered = sorted(words, key=len, reverse=True)
        _patterns[words] = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, ordered))})(?!\w)", re.IGNORECASE)
    return _patterns[words]

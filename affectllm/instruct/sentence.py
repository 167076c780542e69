"""Parse answer sentences: one or several answers between fixed words."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

_AROUND = " \t\r\n*,;，；、。."
_TAG = re.compile(r"</?\w+>")


@lru_cache(maxsize=256)
def _pieces(sentence: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((literal, name) for literal, name, _, _ in string.Formatter().parse(sentence))


@lru_cache(maxsize=256)
def _fixed(literal: str) -> re.Pattern[str]:
    """Return a pattern of the fixed words in any case, blanks and colons; searching takes time linear in the text."""
    words = re.findall(r"</?\w+>|\w+|[^\w\s,;，；]", literal)
    pattern = r"[\s*]{0,4}".join("[:：]" if word in ":：" else re.escape(word) for word in words)
    edge = r"\b" if literal.strip()[:1].isalnum() else ""
    end = r"\b" if literal.strip()[-1:].isalnum() else ""
    return re.compile(edge + pattern + end, re.IGNORECASE)


def take_apart(sentence: str, text: str, free: Collection[str] = ()) -> Mapping[str, str] | None:
    """Return answer name → its part of ``text``, or None where the fixed words are not there in their order.

    Args:
        free: answers in free words, which may hold the fixed words after them: these are looked for from the end.
    """
    pieces = [(literal.strip(), name) for literal, name in _pieces(sentence)]
    names = [name for _, name in pieces if name is not None]
    first, *between = [literal for literal, name in pieces if name is not None]
    last = pieces[-1][0] if pieces[-1][1] is None else ""
    start, end = _opening(first, text), _closing(last, text)
    if start is None or end is None:
        return None
    splits = _splits(between, [name in free for name in names], text, start, end)
    if splits is None:
        return None
    begins, ends = [start, *(after for _, after in splits)], [*(before for before, _ in splits), end]
    parts = {name: text[b:e].strip(" \t\r\n*") for name, b, e in zip(names, begins, ends, strict=True)}
    parts |= {name: part.rstrip(_AROUND) for name, part in parts.items() if name not in free}
    return parts if all(parts.values()) else None


def _opening(literal: str, text: str) -> int | None:
    match = _fixed(literal).search(text) if literal else None
    if match:
        return match.end()
    # A chat template may have put the opening tag into the prompt.
    return 0 if not literal or _TAG.fullmatch(literal) else None


def _closing(literal: str, text: str) -> int | None:
    matches = list(_fixed(literal).finditer(text)) if literal else []
    if matches:
        return matches[-1].start()
    return len(text) if not literal or _TAG.fullmatch(literal) else None


def _splits(
    literals: Sequence[str], after_free: Sequence[bool], text: str, start: int, end: int
) -> list[tuple[int, int]] | None:
    """Return the spans of the fixed words between the answers: the first match, but the last one after free words."""
    places = [[(m.start(), m.end()) for m in _fixed(literal).finditer(text, start, end)] for literal in literals]
    from_end = next((number for number in range(len(literals)) if after_free[number]), len(literals))
    spans: list[tuple[int, int]] = []
    for choices in places[:from_end]:
        chosen = next((place for place in choices if place[0] >= start), None)
        if chosen is None:
            return None
        spans.append(chosen)
        start = chosen[1]
    tail: list[tuple[int, int]] = []
    for choices in reversed(places[from_end:]):
        chosen = next((place for place in reversed(choices) if start <= place[0] and place[1] <= end), None)
        if chosen is None:
            return None
        tail.append(chosen)
        end = chosen[0]
    return [*spans, *reversed(tail)]


def is_plain(sentence: str) -> bool:
    """Whether the sentence is one answer and nothing else around it."""
    return len(_pieces(sentence)) == 1 and not _pieces(sentence)[0][0]

"""Read a span of text: quoted, named in a field, or a passage of its source."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from affectllm.labels.reading.spoken import compiled, pattern, words
from affectllm.labels.reading.structure import after_answer, answer_keys, json_value
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import EDGES, LETTER, as_text, bare
from affectllm.labels.reading.unreadable import Unreadable

_QUOTED = re.compile(r'"([^"\n]+)"|“([^”\n]+)”|「([^」\n]+)」|『([^』\n]+)』|«([^»\n]+)»')
_DENIED = compiled(lambda: pattern("quote_denied"), re.IGNORECASE)
_FRAGMENT = 3  # characters
_LETTERS = re.compile(rf"{LETTER}{LETTER}")  # two letters of one word


def read_span(text: Any, source: str | None = None) -> str | Unreadable:
    """Return the span that an answer gives; ``""`` when it says that there is none (``none``, ``impossible``, 没有).

    In this order: the last ``<answer>``; a JSON field (null is none); what follows ``Answer:``; the whole answer where
    it stands in ``source``; the only quotation (in ``source``, where one is given). Without a source and without
    quotation marks, the whole answer is the span. With a source, the span is spelt as there.
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    value = json_value(part, answer_keys("span"))
    if value in (None, [], ""):
        return ""
    answer = value if isinstance(value, str) else (after_answer(part) or part)
    if bare(answer) in words("no_span"):
        return ""
    if not bare(answer):
        return Unreadable("empty", raw)
    quoted = list(dict.fromkeys(next(filter(None, groups)).strip() for groups in _QUOTED.findall(answer)))
    if source is None:
        return _only(quoted, raw) if quoted else answer.strip()
    if (whole := _spelt(answer, source)) is not None:
        return whole
    if quoted and _DENIED().search(answer):
        return Unreadable("ambiguous", raw)
    inside = list(dict.fromkeys(span for quote in quoted if (span := _spelt(quote, source)) is not None))
    return _only(inside, raw) if inside else Unreadable("not_in_source", raw)


def _only(spans: list[str], raw: str) -> str | Unreadable:
    return spans[0] if len(spans) == 1 else Unreadable("ambiguous", raw)


def _spelt(span: str, source: str) -> str | None:
    """Return the passage of ``source`` that equals ``span`` but for case, blanks and the punctuation around it."""
    words = [(match.start(), match.group()) for match in re.finditer(r"\S+", source)]
    flat = " ".join(word for _, word in words)
    begins = list(accumulate((len(word) + 1 for _, word in words), initial=0))

    def place(position: int) -> int:
        number = bisect_right(begins, position) - 1
        return words[number][0] + position - begins[number]

    for candidate in (span, span.strip(EDGES), span.strip(EDGES + "-•")):
        joined = " ".join(candidate.split())
        for start in _find(flat, joined) if joined else ():
            # A letter or two within a word ("a") are no passage of it, though a span may begin within a word.
            if len(joined) > _FRAGMENT or _on_edges(flat, start, start + len(joined)):
                return source[place(start) : place(start + len(joined) - 1) + 1]
    return None


def _on_edges(text: str, start: int, end: int) -> bool:
    inside = _LETTERS.match(text, start - 1) if start else None
    return not inside and not _LETTERS.match(text, end - 1)


def _find(text: str, passage: str) -> Iterator[int]:
    """Yield the indices of ``passage``; case is ignored unless lowering it changes a length (İ)."""
    low, small = text.lower(), passage.lower()
    if len(low) != len(text) or len(small) != len(passage):
        low, small = text, passage
    start = low.find(small)
    while start >= 0:
        yield start
        start = low.find(small, start + 1)

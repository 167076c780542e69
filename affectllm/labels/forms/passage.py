"""One passage that is quoted from a text, or the word for none where there is nothing to quote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from affectllm.labels.form import Form, shape_of
from affectllm.labels.pictures import Rates, share
from affectllm.labels.reading.nothing import says_nothing
from affectllm.labels.reading.spoken import words
from affectllm.labels.reading.structure import ABSENT, after_answer, answer_keys, json_value, texts_of
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import bare
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.space import LabelSpace

_QUOTES = (
    ('"', '"'),
    ("“", "”"),
    ("„", "“"),
    ("»", "«"),
    ("«", "»"),
    ("「", "」"),
    ("『", "』"),
    ("《", "》"),
    ("‘", "’"),
    ("‚", "‘"),
    ("'", "'"),
    ("`", "`"),
    ("**", "**"),
)
_EMPTY = {first + last for first, last in _QUOTES}
_FENCED = re.compile(r"```[a-z]{0,9}[ \t]*\n(.*?)\n?```", re.DOTALL)
_APOSTROPHE = re.compile(r"(?<=\w)['’‘](?=\w)")
_DECODER = json.JSONDecoder()


def _worded(gold: str, space: LabelSpace, language: str, nothing: str) -> str:
    return gold or nothing


def _read(text: str, space: LabelSpace, language: str) -> Any:
    part = answer_part(text)
    if isinstance(part, Unreadable):
        return part
    answer = (after_answer(part) or part).strip()
    fenced = _FENCED.fullmatch(part.strip())
    answer = fenced[1].strip() if fenced else answer
    if not answer:
        return Unreadable("empty", text)
    if _is_json(answer):
        value = json_value(answer, answer_keys("span"))
        texts = [] if value == "" or answer == "[]" else None if value is ABSENT else texts_of(value)
        if texts is None or len(texts) > 1:
            return Unreadable("ambiguous", text)
        answer = texts[0].strip() if texts else ""
    return "" if not answer or answer in _EMPTY or _denies(answer) else _unquoted(answer)


def _is_json(answer: str) -> bool:
    """Whether the whole answer is a JSON object or list; brackets within a passage are its own."""
    if answer[0] not in "{[":
        return False
    try:
        return _DECODER.raw_decode(answer)[1] == len(answer)
    except (ValueError, RecursionError):
        return False


def _denies(answer: str) -> bool:
    """Whether the whole answer says that there is no passage; a single word such as ``no`` may be one itself."""
    return says_nothing(answer) or bool({" ", "/"} & {*bare(answer)} and bare(answer) in words("no_span"))


def _unquoted(answer: str) -> str:
    """Return an answer without the quotation marks around it, and without a stop behind them."""
    for first, last in _QUOTES:
        quoted = answer[:-1] if answer[-1:] in (".", "。") and answer[:-1].endswith(last) else answer
        inner = quoted[len(first) : -len(last)]
        own = _APOSTROPHE.sub("", inner)
        marked = len(quoted) > len(first + last) and quoted.startswith(first) and quoted.endswith(last)
        if marked and inner.strip() and first not in own and last not in own:
            return inner.strip()
    return answer


def _pictured(golds: Sequence[Any], readings: Sequence[Any], space: LabelSpace) -> Iterator[Rates]:
    """Yield how often something is quoted, and to the letter, where there is a passage and where there is none."""
    rows = []
    for name, wanted in (("a passage", True), ("none", False)):
        own = [(gold, one) for gold, one in zip(golds, readings, strict=True) if bool(gold) is wanted]
        right = sum(gold == one for gold, one in own)
        kind = sum(one is not None and bool(one) is wanted for _, one in own)
        rows.append((name, len(own), (share(kind, len(own)), share(right, len(own)))))
    yield Rates("Answers that quote, where there is a passage", ("as it should", "to the letter"), tuple(rows))


FORM = Form(
    description="a quoted passage, or none",
    kinds=("open",),
    gold=lambda value, space: value.strip(),
    worded=_worded,
    read=_read,
    shape=shape_of("span"),
    tokens=128,
    texts=lambda gold: [gold],
    free=True,
    pictures=_pictured,
)

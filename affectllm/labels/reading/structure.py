"""Structure that models write answers in: JSON, fenced or not, lists in brackets, bullets or commas, ``Answer: …``."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

from affectllm.labels.language import languages
from affectllm.labels.reading.alternatives import alternatives
from affectllm.labels.reading.spoken import any_word, compiled, words
from affectllm.labels.reading.text import EDGES, bare

_TRIES, _LITERAL, _FIELDS, _LIST = 64, 4_000, 16, 64
_BLANK = re.compile(r"[ \t*\n]+")
_OPENING = re.compile(r"[{\[]")
_DECODER = json.JSONDecoder()
_ANSWER = compiled(lambda: rf"{any_word('answer')}\s{{0,3}}(?:{any_word('is')})?\s{{0,3}}[:：]", re.IGNORECASE)
_FIELD = compiled(
    lambda: r"(?:^[\s\-*#>•\d.)]{0,12}|(?<=[.!?;|)\"'”’]\s))" + rf"(?:{any_word('heading')})[\s*]{{0,3}}[:：]",
    re.IGNORECASE | re.M,
)
_BULLET = re.compile(r"^\s{0,12}(?:[-*•·]|\d{1,3}[.)、])\s{0,4}(?=\S)")
_BRACKETS = re.compile(r"[\[【]([^\[\]【】]*)[\]】]")
_COMMAS = compiled(lambda: rf"[,，、;；/|\n]|\s(?:{alternatives(listing(True))})\s|{alternatives(listing(False))}")


@cache
def answer_keys(kind: str) -> tuple[str, ...]:
    """The fields that hold an answer, the likeliest first: those of ``label``, ``number``, …, then those of any."""
    return (*words(f"field_{kind}"), *words("field_answer"))


def listing(blanks: bool) -> list[str]:
    """What parts the items of a list, in languages with blanks between words or in the others."""
    return [word for one in languages().values() if one.blanks == blanks for word in one.listed("listing")]


class Absent:
    """There is no JSON in the text; None is a JSON value."""


ABSENT = Absent()


def json_value(text: str, keys: Sequence[str]) -> Any:
    """The answer in the last JSON object or list of the text; ``ABSENT`` if there is none.

    An object holds it in the first of ``keys`` that it has, or in its only field that gives no reasons; a list is an
    answer itself.
    """
    found: Any = ABSENT
    for value in _documents(text):
        field = _field(value, keys)
        found = found if field is ABSENT else field
    return found


def json_objects(text: str) -> list[dict[str, Any]]:
    """Every JSON object of the text."""
    return [value for value in _documents(text) if isinstance(value, dict)]


def _documents(text: str) -> Iterator[Any]:
    start = 0
    for _ in range(_TRIES):
        opening = _OPENING.search(text, start)
        if opening is None:
            return
        try:
            value, start = _DECODER.raw_decode(text, opening.start())
            yield value
        except (ValueError, RecursionError):
            closing = text.find("}" if opening.group() == "{" else "]", opening.start())
            value = _literal(text[opening.start() : closing + 1]) if closing > 0 else ABSENT
            start = opening.end() if value is ABSENT else closing + 1
            if value is not ABSENT:
                yield value


def _literal(text: str) -> Any:
    """Python's own notation, which models write when they mean JSON: ``{'emotion': 'sad'}``."""
    if len(text) > _LITERAL:
        return ABSENT
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return ABSENT
    return value if isinstance(value, (dict, list)) else ABSENT


def _field(value: Any, keys: Sequence[str]) -> Any:
    if isinstance(value, list):
        return value or ABSENT  # within prose, an empty pair of brackets says nothing
    fields = {bare(str(key)): item for key, item in value.items()}
    known = next((key for key in keys if key in fields), None)
    others = [key for key in fields if key not in words("field_reason")]
    if known is None and fields and not others:
        return ""  # reasons without an answer
    if known is None and len(others) != 1:
        return ABSENT
    found = fields[others[0] if known is None else known]
    return _field(found, keys) if isinstance(found, dict) else found


def texts_of(value: Any) -> list[str] | None:
    """A JSON value as the texts that it holds; None where it holds anything else."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    # [{"emotion": "joy"}, {"emotion": "anger"}]; further fields may say that it is not the case
    items = [
        _field(item, answer_keys("label")) if isinstance(item, dict) and len(item) == 1 else item for item in items
    ]
    return items if all(isinstance(item, str) for item in items) else None


def after_answer(text: str) -> str | None:
    """The line after the last ``Answer:`` of the text; all lines of a list that begins there."""
    end = None
    for match in _ANSWER().finditer(text):
        end = match.end()
    return None if end is None else _block(text, end)


def after_fields(text: str) -> list[str]:
    """What follows ``Emotion:``, ``Label:`` and the like at the beginning of lines; nothing where there are many."""
    found = [_block(text, match.end()) for match in islice(_FIELD().finditer(text), _FIELDS + 1)]
    return found if len(found) <= _FIELDS else []


def _block(text: str, start: int) -> str:
    """The line that begins at ``start`` or below it, and the lines with bullets that go on with it."""
    begin = _BLANK.match(text, start)
    first = begin.end() if begin else start
    end = _end_of_line(text, first)
    for _ in range(_LIST):
        following = _end_of_line(text, end + 1)
        if end >= len(text) or not _BULLET.match(text[end + 1 : following]):
            break
        end = following
    return text[first:end]


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return end if end >= 0 else len(text)


def cut_off(text: str) -> bool:
    """Whether a list or object that the text ends with is not closed, so that more of it was to come."""
    start = max(text.rfind("["), text.rfind("【"))
    if start < 0 or "]" in text[start:] or "】" in text[start:]:
        return False
    return '"' in text[start:] or not bare(text[:start])


def bracketed(text: str) -> list[str] | None:
    """The items of the last list in square brackets."""
    found = _BRACKETS.findall(text)
    return items(found[-1]) if found else None


def bulleted(text: str) -> list[str] | None:
    """The items of a list with one bullet or number a line; None with fewer than two of them."""
    lines = [line for line in text.splitlines() if line.strip()]
    marked = [_BULLET.sub("", line) for line in lines if _BULLET.match(line)]
    return [bare(line) for line in marked] if len(marked) > 1 and len(marked) >= len(lines) - 1 else None


def items(text: str) -> list[str]:
    """Items between commas, line ends, ``and`` and ``和``, without blank ones."""
    found = (bare(_BULLET.sub("", item)) for item in _COMMAS().split(text.strip(EDGES)))
    return [item for item in found if item]

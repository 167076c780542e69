"""Parse the structure of answers: JSON, fenced or not, lists in brackets, with bullets or commas, ``Answer: …``."""

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
from affectllm.labels.reading.spoken import any_word, compiled, pattern, words
from affectllm.labels.reading.text import EDGES, bare

_TRIES, _LITERAL, _FIELDS, _LIST = 64, 4_000, 16, 64
_BLANK = re.compile(r"[ \t*\n]+")
_OPENING = re.compile(r"[{\[]")
_DECODER = json.JSONDecoder()
_STRAIGHT = str.maketrans("“”„‟＂：，", '""""":,')  # JSON as a word processor, or a Chinese keyboard, writes it
_ANSWER = compiled(lambda: rf"{any_word('answer')}\s{{0,3}}(?:{any_word('is')})?\s{{0,3}}[:：]", re.IGNORECASE)
_FIELD = compiled(
    lambda: r"(?:^[\s\-*#>•\d.)]{0,12}|(?<=[.!?;|)\"'”’]\s))" + rf"(?:{any_word('heading')})[\s*]{{0,3}}[:：]",
    re.IGNORECASE | re.M,
)
_BULLET = re.compile(r"^\s{0,12}(?:[-*•·]|\d{1,3}[.)、])\s{0,4}(?=\S)")
_BRACKETS = re.compile(r"[\[【]([^\[\]【】]*)[\]】]")
_COMMAS = compiled(lambda: rf"[,，、;；/|\n]|\s(?:{alternatives(listing(True))})\s|{alternatives(listing(False))}")


# "joy\nCorrection: sadness": what comes after such words is what holds, so that no line before them is the answer.
_CORRECTS = compiled(lambda: rf"(?:^|[\n.!?…;。！？；—]\s*){pattern('corrects')}(?!\w)", re.IGNORECASE)


def end_of_last_correction(text: str) -> int:
    """Return where the last words that take back what was said end; 0 without any."""
    return max((match.end() for match in _CORRECTS().finditer(text)), default=0)


@cache
def answer_keys(kind: str) -> tuple[str, ...]:
    """Return the JSON fields that hold an answer, the likeliest first: those of ``kind``, then those of any answer."""
    return (*words(f"field_{kind}"), *words("field_answer"))


def listing(blanks: bool) -> list[str]:
    """Return the separators of list items, in languages with blanks between words or in the others."""
    return [word for one in languages().values() if one.blanks == blanks for word in one.listed("listing")]


class Absent:
    """The type of ``ABSENT``: there is no JSON in the text (None is a JSON value)."""


ABSENT = Absent()


def json_value(text: str, keys: Sequence[str]) -> Any:
    """Return the answer in the last JSON object or list of the text; ``ABSENT`` if there is none.

    An object holds it in the first of ``keys`` that it has, or in its only field that gives no reasons; a list is an
    answer itself.
    """
    answer: Any = ABSENT
    for value in _documents(text):
        field = _field(value, keys)
        answer = answer if field is ABSENT else field
    return answer


def json_objects(text: str) -> list[dict[str, Any]]:
    """Return every JSON object of the text."""
    return [value for value in _documents(text) if isinstance(value, dict)]


def differing_lists(text: str, kind: type) -> bool:
    """Whether JSON lists of such items stand side by side and say different things, so that none of them is the answer.

    What follows the last ``Answer:``, or the last correction, stands alone; empty lists and the order of items do not
    count.
    """
    part = after_answer(text) or text[end_of_last_correction(text) :]
    lists = [one for one in _documents(part) if isinstance(one, list) and one and all(isinstance(x, kind) for x in one)]
    return len({tuple(sorted({json.dumps(item, sort_keys=True, default=str) for item in one})) for one in lists}) > 1


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
            part = text[opening.start() : closing + 1]  # nothing where it is not closed, since that place is -1
            value = _literal(part)
            value = _literal(part.translate(_STRAIGHT)) if value is ABSENT else value
            start = opening.end() if value is ABSENT else closing
            if value is not ABSENT:
                yield value


def _literal(text: str) -> Any:
    """Parse a Python literal, which models write when they mean JSON: ``{'emotion': 'sad'}``."""
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
    answer_key = next((key for key in keys if key in fields), None)
    others = [key for key in fields if key not in words("field_reason")]
    if answer_key is None and fields and not others:
        return ""  # reasons without an answer
    if answer_key is None and len(others) != 1:
        return ABSENT
    content = fields[others[0] if answer_key is None else answer_key]
    return _field(content, keys) if isinstance(content, dict) else content


def texts_of(value: Any) -> list[str] | None:
    """Return the texts that a JSON value holds; None where it holds anything else."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    # [{"emotion": "joy"}, {"emotion": "anger"}]; further fields may say that it is not the case
    items = [
        _field(item, answer_keys("label")) if isinstance(item, dict) and len(item) == 1 else item for item in items
    ]
    return items if all(isinstance(item, str) for item in items) else None


def after_answer(text: str) -> str | None:
    """Return the line after the last ``Answer:`` of the text, or all lines of a list that begins there."""
    end = None
    for match in _ANSWER().finditer(text):
        end = match.end()
    return None if end is None else _block(text, end)


def after_fields(text: str) -> list[str]:
    """Return what follows ``Emotion:``, ``Label:`` and the like at line starts; nothing where there are many."""
    blocks = [_block(text, match.end()) for match in islice(_FIELD().finditer(text), _FIELDS + 1)]
    return blocks if len(blocks) <= _FIELDS else []


def _block(text: str, start: int) -> str:
    """Return the line that begins at ``start`` or below it, with the bulleted lines that follow."""
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
    """Whether the text ends within an unclosed list, so that more of it was to come."""
    start = max(text.rfind("["), text.rfind("【"))
    if start < 0 or "]" in text[start:] or "】" in text[start:]:
        return False
    return '"' in text[start:] or not bare(text[:start])


def bracketed(text: str) -> list[str] | None:
    """Return the items of the last list in square brackets; None without one."""
    lists = _BRACKETS.findall(text)
    return items(lists[-1]) if lists else None


def bulleted(text: str) -> list[str] | None:
    """Return the items of a list with one bullet or number a line; None with fewer than two of them."""
    lines = [line for line in text.splitlines() if line.strip()]
    marked = [_BULLET.sub("", line) for line in lines if _BULLET.match(line)]
    return [bare(line) for line in marked] if len(marked) > 1 and len(marked) >= len(lines) - 1 else None


def items(text: str) -> list[str]:
    """Split text into items at commas, line ends, ``and`` and ``和``; blank items are left out."""
    parts = (bare(_BULLET.sub("", item)) for item in _COMMAS().split(text.strip(EDGES)))
    return [item for item in parts if item]

"""Read one number, or a number for each of several names."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from affectllm.labels.language import languages
from affectllm.labels.reading.alternatives import alternatives
from affectllm.labels.reading.spoken import any_word, compiled, pattern, simplified, traditional, words
from affectllm.labels.reading.structure import ABSENT, after_answer, answer_keys, json_objects, json_value
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import EDGE, as_text, bare, normalised
from affectllm.labels.reading.unreadable import Unreadable

_DIGIT = re.compile(r"\d")
_LONGEST = 40  # characters of a number that anybody means
_READ = 100_000  # characters of an answer that are searched for numbers
_NUMBER = re.compile(
    rf"(?<!{EDGE})(?<!\.)[-+−]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d{{1,4}})?(?!{EDGE})(?!\.\d)\s?%?", re.IGNORECASE
)
# "on a scale of 0-10", "from 1 to 10", "7/10", "7 out of 10", "满分10分": the ends of a scale are no answer.
_END = r"[-−+]?[\d.]{1,9}(?:\s?\([^()\n]{1,40}\))?"  # "1 (very low)"
_SCALE = compiled(lambda: pattern("scale", end=_END))
_STATED = compiled(
    lambda: rf"(?:{any_word('score')})[^\w.+−-]{{0,4}}(?:(?:=|{any_word('score_is')})[^\w.+−-]{{0,3}})?(?=[-+−.\d])"
)
_UNIT = compiled(lambda: rf"(?<=\d)(?:{alternatives(word for word in words('points') if not word.isascii())})")
_DASHES = "‐‑‒–—−﹣－"
_SIGN = compiled(lambda: rf"(?<![\w.])[{_DASHES}](?=[\d.])|{pattern('minus')}(?=[\d.])")
_COMMA = re.compile(r"(?<=\d)(?:,(?=\d{1,2}(?!\d))|٫(?=\d))")  # a decimal comma has no blank after it
_BOUNDS = re.compile(rf"[(\[]\s?[-+]?[\d.]{{1,9}}\s?(?:to|[-~{_DASHES}])\s?[-+]?[\d.]{{1,9}}\s?[)\]]")
_SHARE_OF = compiled(lambda: rf"\d\s?(?:/|{any_word('out_of')})\s?([\d.]{{1,9}})")
_DENIED = compiled(lambda: pattern("number_denied"))
# A bound or a sum is no number that is stated: "more than 7", "≥7", "7 ± 1", "4+4".
_BOUND = compiled(
    lambda: rf"[<>≤≥±]\s?=?\s?[-+]?\.?\d|\+/-\s?\.?\d|\d\s?(?:±|\+/-)|\d\+(?!\s?\d)|\d\s?[+*×]\s?\d|{pattern('bound')}"
)
# Where a scale goes below zero: "- 0.5" and "0.5-" may be a bullet or a sign.
_LOOSE_SIGN = re.compile(r"(?:^|\w)\s{0,3}[-−]\s{1,3}\.?\d|\d[-−]\s{0,3}(?=$|[,.;)\n])")
_NEGATIVE, _OTHER_SIDE = compiled(lambda: pattern("below_zero")), compiled(lambda: pattern("not_below_zero"))
# Numbers that count something else than was asked for: "clip 3", "3 people", "at 4 seconds", "90% sure".
_COUNTS = compiled(
    lambda: (
        rf"(?<!\w){pattern('counted')}\s#?[\d.]{{1,9}}%?"
        rf"|(?<![\w.])[\d.]{{1,9}}%?(?:\s|-)(?!{pattern('counts_nothing')}(?!\w))[a-z]{{2,}}"
    )
)
_STRUCTURED = re.compile(r"\s{0,9}(?:```(?:json)?\s{0,9})?[\[{]")
_MARKS = re.compile("[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209f\u2150-\u218b\u2460-\u249b]")  # "8²" is not 82
_RANGE = compiled(
    lambda: rf"\s?(?:(?:{any_word('range')})\s|[-~{_DASHES}]\s?|/\s?|±\s?|\+/-\s?|\+)[\d.]|\s?=|\s?\+(?!\s?\d)"
)
_WHOLE = compiled(lambda: rf"\s?(?:/|{any_word('out_of')}|{any_word('of')})\s?(\d{{1,6}}(?:\.\d{{1,3}})?)")


@cache
def _numerals() -> Mapping[str, float]:
    """Map the words for the numbers from 0 to 10 to the numbers."""
    lists = (enumerate(language.listed("numerals")) for language in languages().values())
    return {word: float(number) for pairs in lists for number, spelt in pairs for word in spelt.split("/")}


@cache
def _points() -> re.Pattern[str]:
    """Return the pattern of units at the end of an answer, such as points."""
    return re.compile(rf"\s?(?:{any_word('points')})$")


def read_number(text: Any, low: float, high: float) -> float | Unreadable:
    """Return the number between ``low`` and ``high`` that an answer states.

    In this order: the last ``<answer>``; a JSON field; the whole answer; what follows ``Answer:`` or ``score``; the
    only number of the text, apart from those that name the scale (``7/10``, ``from 0 to 10``). A percentage is a share
    where the range lies within [-1, 1]. Nothing is clipped: a number beyond the range is ``out_of_range``.
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    if not bare(part):
        return Unreadable("empty", raw)
    share = low >= -1 and high <= 1
    value = json_value(part, answer_keys("number"))
    # A list within prose names the scale: "range [-1, 1]; score 0.3".
    items = value if isinstance(value, list) and _STRUCTURED.match(part) else [value]
    answer = simplified(value if isinstance(value, str) else part)
    if all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in items):
        stated = [_float(item) for item in items]
    else:
        stated = _stated(_plain(answer), share)
        if stated and _unsettled(_plain(answer), stated[0], low):
            return Unreadable("ambiguous", raw)
    if not stated:
        return Unreadable("no_number", raw)
    if len(set(stated)) > 1 or _of_another_scale(part, high):
        return Unreadable("ambiguous", raw)
    return stated[0] if low <= stated[0] <= high else Unreadable("out_of_range", raw)


def _plain(text: str) -> str:
    """Normalise signs and decimal commas; remove the bounds of a scale and numbers that are denied."""
    plain = _COMMA.sub(".", _SIGN().sub("-", _BOUNDS.sub(" ", normalised(_MARKS.sub("x", text[:_READ])))))
    plain = _UNIT().sub("", plain)
    return _DENIED().sub(" ", plain) if _DIGIT.search(plain) else plain


def _unsettled(text: str, number: float, low: float) -> bool:
    """Whether a number is only a bound or a term of a sum, or the words contradict its sign."""
    rest = _SCALE().sub(" ", text)
    if _BOUND().search(rest):
        return True
    if low >= 0 or not number:
        return False
    against = number > 0 and _NEGATIVE().search(text) is not None and _OTHER_SIDE().search(text) is None
    return against or _LOOSE_SIGN.search(rest) is not None


def _of_another_scale(text: str, high: float) -> bool:
    """Whether a number is said to be a share of something else than the highest number: ``4/10`` on a scale to 5."""
    ends = [end.rstrip(".") for end in _SHARE_OF().findall(normalised(text[:_READ]))]
    return any(float(end) != high for end in ends if end and end.count(".") < 2)


def _stated(text: str, share: bool) -> list[float]:
    if (word := _points().sub("", bare(text))) in _numerals():
        return [_numerals()[word]]
    scores = [text[match.end() :][:_LONGEST] for match in _STATED().finditer(text)]
    for parts in ([after_answer(text) or ""], scores):
        if first := [match.group() for match in map(_NUMBER.search, parts) if match]:
            return [_value(number, share) for number in first]
    rest = _COUNTS().sub(" ", _SCALE().sub(" ", text)) if _DIGIT.search(text) else ""
    return [_value(match.group(), share) for match in _NUMBER.finditer(rest)]


def _value(text: str, share: bool) -> float:
    number = float(text.rstrip("% ").replace("−", "-"))
    return number / 100 if share and text.endswith("%") else number


def read_numbers(
    text: Any, names: Sequence[str], low: float, high: float, *, every: bool = True
) -> dict[str, float] | Unreadable:
    """Return a number for each of ``names``: from a JSON object, a JSON list in their order, or ``name: number`` pairs.

    All are needed (``incomplete`` otherwise) unless ``every`` is false, each within the range; a name with two
    different numbers is ambiguous. A percentage is a share as for ``read_number``.
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    if not bare(part):
        return Unreadable("empty", raw)
    keys = {form: name for name in names for form in (traditional(bare(name)), bare(name))}
    share = low >= -1 and high <= 1
    candidates = _of_objects(part, keys, share) or _of_list(part, names, share)
    candidates = candidates or _of_pairs(_plain(part), keys, high, share)
    if not candidates:
        return Unreadable("no_number", raw)
    if any(len(values) > 1 for values in candidates.values()):
        return Unreadable("ambiguous", raw)
    if every and set(candidates) != set(names):
        return Unreadable("incomplete", raw)
    read = {name: candidates[name].pop() for name in names if name in candidates}
    inside = all(low <= number <= high and math.isfinite(number) for number in read.values())
    return read if inside else Unreadable("out_of_range", raw)


Candidates = dict[str, set[float]]


def _of_objects(text: str, keys: dict[str, str], share: bool) -> Candidates:
    candidates: Candidates = {}
    for value in json_objects(text):
        for key, number in value.items():
            if bare(str(key)) in keys and (read := _number_of(number, share)) is not None:
                candidates.setdefault(keys[bare(str(key))], set()).add(read)
    return candidates


def _number_of(value: Any, share: bool) -> float | None:
    if isinstance(value, str) and (match := _NUMBER.fullmatch(value.strip())):
        return _value(match.group(), share)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return read if is_number and math.isfinite(read := _float(value)) else None


def _float(value: float) -> float:
    """Convert a number of JSON; a model that goes on and on writes whole numbers that no float is as large as."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _of_list(text: str, names: Sequence[str], share: bool) -> Candidates:
    value = json_value(text, answer_keys("number"))
    if value is ABSENT or not isinstance(value, list) or len(value) != len(names):
        return {}
    read = [_number_of(item, share) for item in value]
    return {name: {number} for name, number in zip(names, read, strict=True) if number is not None}


def _of_pairs(text: str, keys: dict[str, str], high: float, share: bool) -> Candidates:
    ordered = sorted(keys, key=len, reverse=True)
    names = "|".join(re.escape(key).replace(r"\ ", r"\s{1,3}") for key in ordered)
    pair = re.compile(
        rf"(?<!\w)({names})[^\w.+−<>≤≥±-]{{0,4}}(?:(?:=|{any_word('is')}|-(?=\s))\s{{0,3}})?({_NUMBER.pattern})",
        re.IGNORECASE,
    )
    turned = re.compile(rf"({_NUMBER.pattern})\s?:?\s?(?:(?:{any_word('of')})\s)?({names})(?!\w)", re.IGNORECASE)
    candidates: Candidates = {}
    # "60% anger, 40% joy": the number comes first where the text begins with one.
    numeric = any(key[:1].isdigit() for key in keys)
    first = not numeric and re.match(r"[\s\-*•]{0,9}[-+]?[\d.]", text) is not None
    for match in (turned if first else pair).finditer(text):
        number, name = match.groups() if first else match.groups()[::-1]
        values = candidates.setdefault(keys[bare(name)], set())
        values.add(_value(number, share))
        if not first and _goes_on(text, match, high):
            values.add(math.nan)  # "3-4" is no number: two values are ambiguous
    return candidates


def _goes_on(text: str, number: re.Match[str], high: float) -> bool:
    """Whether what follows a number makes another of it: ``3-4``, ``3 or 4``, ``3%``, ``3/5`` on a scale to 9."""
    whole = _WHOLE().match(text, number.end())
    if whole and whole.group(1).rstrip("."):
        return float(whole.group(1).rstrip(".")) != high
    if number.group().endswith("%") and high not in (1, 100, math.inf):
        return True
    return _RANGE().match(text, number.end()) is not None

"""The forms of gold values and answers, with a check for each.

An answer that could not be read is None. NaN, a missing value of a table and a blank string count as None too, and so
does a number that is not finite; a gold value must be there and be sound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from affectllm.errors import Malformed

PAIR = ("turn", "emotion", "cause", "span")
"""The fields of a pair: the turn that feels the emotion, and the turn and the words that caused it."""
Check = Callable[[Any], Any]


@dataclass(frozen=True)
class Form:
    """A form of values with its checks; each check returns the value as metrics see it.

    Args:
        name: its name, as in ``affectllm ls metrics``.
        gold, predicted: raise ValueError, TypeError or AttributeError when a value is not of this form.
        description: what a value looks like, for error messages and the documentation.
    """

    name: str
    gold: Check
    predicted: Check
    description: str


class BadValue(Malformed):
    """A gold value or an answer that is not of a metric's form.

    Attributes:
        gold: whether it is a gold value.
        row: its place among them, counted from 0.
    """

    gold, row = False, 0


def missing(value: Any) -> bool:
    """Whether a value stands for no answer: None, NaN, a table's missing value or a blank string."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    return isinstance(value, float) and math.isnan(value)


def checked(form: Form, gold: Sequence[Any] | None, predicted: Sequence[Any] | None) -> tuple[list[Any], list[Any]]:
    """Check gold values and answers and return them as metrics of ``form`` see them; an absent side is an empty list.

    Raises:
        BadValue: when a value is not of this form; names its position.
    """
    sides = (() if side is None else side for side in (gold, predicted))  # arrays have no truth value
    truth = [_one(form.gold, value, form, "gold value", row) for row, value in enumerate(next(sides))]
    answers = [_answer(form, value, row) for row, value in enumerate(next(sides))]
    return truth, answers


def _answer(form: Form, value: Any, row: int) -> Any:
    # A span may be empty on purpose: it says that there is none. A raw value is the metric's own business.
    if form.name != "raw" and (missing(value) if form.name != "span" else missing(value) and value != ""):
        return None
    return _one(form.predicted, value, form, "answer", row)


def _one(check: Check, value: Any, form: Form, what: str, row: int) -> Any:
    try:
        return check(value)
    except (ValueError, TypeError, AttributeError) as error:
        quoted = repr(value) if len(repr(value)) < 80 else repr(value)[:77] + "…"
        message = f"{what} {row + 1} is {quoted}, not {form.description}"
        # The other two come from Python itself, which speaks of its own types.
        do = str(error) if isinstance(error, ValueError) else ""
        wrong = BadValue(message, do=do or "correct it, or choose a metric of another form")
        wrong.gold, wrong.row = what == "gold value", row
        raise wrong from error


def _label(value: Any) -> str:
    if missing(value) or isinstance(value, (Mapping, set, frozenset, list, tuple)):
        raise ValueError("a single label is needed; several labels per item have metrics of their own")
    return str(value).strip()


def _labels(value: Any) -> frozenset[str]:
    return _set_of(tuple(_several(value)))


@lru_cache(maxsize=4_096)
def _set_of(labels: tuple[str, ...]) -> frozenset[str]:
    """Return the set of labels; many items have the same one, and each copy would take 200 bytes."""
    return frozenset(labels)


def _labels_or_weights(value: Any) -> frozenset[str] | dict[str, float]:
    """Check a set of labels, or a weight per label for metrics with a threshold."""
    return _vector(value) if isinstance(value, Mapping) else _labels(value)


def _ranked(value: Any) -> tuple[str, ...]:
    return tuple(_several(value))


def _several(value: Any) -> list[str]:
    if isinstance(value, (str, Mapping)):
        raise ValueError("a list of labels is needed, such as ['joy', 'surprise']")
    return [_label(item) for item in value]


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError("a number is needed")
    number = _float(value)
    if not math.isfinite(number):
        raise ValueError("a finite number is needed")
    return number


def _finite_or_none(value: Any) -> float | None:
    number = _float(value)
    return number if math.isfinite(number) else None


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits, of JSON
        return math.inf


def _vector(value: Any) -> dict[str, float]:
    if _is_vector(value):
        return value  # type: ignore[no-any-return]  # a copy of each would take 200 bytes
    return {str(name): _number(number) for name, number in value.items()}


def _is_vector(value: Any) -> bool:
    return type(value) is dict and all(
        type(name) is str and type(number) is float and math.isfinite(number) for name, number in value.items()
    )


def _vector_or_none(value: Any) -> dict[str, float] | None:
    if _is_vector(value):
        return value  # type: ignore[no-any-return]
    numbers = {str(name): _finite_or_none(number) for name, number in value.items()}
    return (
        None if None in numbers.values() else {name: number for name, number in numbers.items() if number is not None}
    )


def _distribution(value: Any) -> dict[str, float]:
    weights = _vector(value)
    total = sum(weights.values())
    if min(weights.values(), default=0) < 0 or total <= 0:
        raise ValueError("weights are at least 0, and one is more")
    return {name: weight / total for name, weight in weights.items()}


def _probabilities(value: Any) -> dict[str, float] | None:
    weights = _vector_or_none(value)
    if weights and (min(weights.values()) < 0 or sum(weights.values()) > 1 + 1e-6):
        raise ValueError("probabilities are at least 0 and sum to at most 1")
    return weights


def _references(value: Any) -> tuple[str, ...]:
    texts = (value,) if isinstance(value, str) else tuple(value)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError("a text, or a list of texts, is needed")
    return texts


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is needed")
    return value


def _span(value: Any) -> str:
    return "" if missing(value) else _text(value).strip()


def _pairs(value: Any) -> frozenset[tuple[int, str, int, str]]:
    if isinstance(value, (str, Mapping)):
        raise ValueError("a list of pairs is needed")
    return frozenset(_pair(item) for item in value)


def _pair(item: Any) -> tuple[int, str, int, str]:
    """Check one pair, a mapping or its four values in order."""
    named = isinstance(item, Mapping)
    turn, emotion, cause, *span = (item.get(key) or "" for key in PAIR) if named else item
    return int(turn), _label(emotion), int(cause), str(span[0]) if span else ""


def _ratings(value: Any) -> dict[str, Any]:
    if isinstance(value, (list, tuple)):  # then each rater is known by the position
        value = {str(rater): rating for rater, rating in enumerate(value, start=1)}
    return {str(rater): rating for rater, rating in value.items() if not missing(rating)}


def _sequence(value: Any) -> list[Any]:
    if isinstance(value, (str, Mapping)):
        raise ValueError("a list is needed")
    return list(value)


def _same(value: Any) -> Any:
    return value


FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form("label", _label, _label, "one label"),
        Form("set", _labels, _labels, "a set of labels"),
        Form("ranked", _label, _ranked, "labels in order, the best first"),
        Form("scores", _labels_or_weights, _vector_or_none, "a score per label"),
        Form("probability", _label, _probabilities, "a probability per label"),
        Form("number", _number, _finite_or_none, "a number"),
        Form("vector", _vector, _vector_or_none, "a number per name"),
        Form("distribution", _distribution, _distribution, "a weight per label"),
        Form("text", _references, _text, "a text"),
        Form("span", _span, _span, "a span of text; empty says that there is none"),
        Form("pairs", _pairs, _pairs, "pairs of a turn with its emotion and the turn that caused it"),
        Form("ratings", _ratings, _same, "a rating per rater"),
        Form("sequence", _sequence, _sequence, "a list"),
        Form("raw", _same, _same, "what the metric's own page says"),
    )
}

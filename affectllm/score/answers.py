"""Read free-text answers of a table before they are scored: strictly, or as a published evaluator does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from affectllm.errors import Malformed, NotFound
from affectllm.labels import reading
from affectllm.metrics.core.value_forms import missing

STRICT = "strict"


def read_answers(
    reader: str, form: str, answers: Sequence[Any], gold: Sequence[Any], labels: Sequence[str], bounds: Any = None
) -> tuple[list[Any], dict[str, float]]:
    """Return the value of each answer, None where it could not be read, and how many could not, by reason.

    Args:
        reader: ``strict``, or the name of a system in ``labels.reading.COMPAT``.
        form: the metric's form, which decides what is read.
        answers: texts, None where there is none.
        gold: gold values; some published readers use them.
        labels: the label space; where it is empty, the labels in ``gold``.
        bounds: smallest and largest number, for numbers.

    Raises:
        NotFound: when there is no such reader.
        Malformed: when ``form`` is not read from texts, or numbers have no bounds.
    """
    names = list(labels) or sorted({label for label in gold if isinstance(label, str)})
    if reader != STRICT:
        return [_published(reader)(_text(a), names, g) for a, g in zip(answers, gold, strict=True)], {}
    read = _strict(form, names, bounds)
    readings = [read(_text(answer)) for answer in answers]
    reasons = Counter(one.reason for one in readings if isinstance(one, reading.Unreadable))
    values = [None if isinstance(one, reading.Unreadable) else one for one in readings]
    return values, {f"unreadable_{reason}": count for reason, count in reasons.most_common()}


def _text(answer: Any) -> str:
    return "" if missing(answer) else str(answer)


def _published(name: str) -> Callable[..., Any]:
    if name not in reading.COMPAT:
        raise NotFound(f"there is no reader called {name!r}", do=f"choose of {STRICT}, {', '.join(reading.COMPAT)}")
    return reading.COMPAT[name]


def _strict(form: str, labels: Sequence[str], bounds: Any) -> Callable[[str], Any]:
    space = reading.space_of(labels) if labels else None
    readers: Mapping[str, Callable[[str], Any]] = {
        "span": reading.read_span,
        "raw": reading.read_open_labels,
        **({"label": lambda text: reading.read_label(text, space)} if space else {}),
        **({"set": lambda text: reading.read_labels(text, space)} if space else {"set": reading.read_open_labels}),
        **({"number": lambda text: reading.read_number(text, *bounds)} if bounds else {}),
    }
    if form in readers:
        return readers[form]
    lacking = {"label": "pass --labels A,B,C", "number": "pass --option 'bounds=[0, 1]'"}
    do = lacking.get(form, "leave out --read: answers of this form are given as values")
    raise Malformed(f"a {form} cannot be read from text this way", do=do)

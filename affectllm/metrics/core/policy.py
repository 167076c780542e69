"""Policies for answers that could not be read: wrong, dropped, or replaced by a default.

``wrong`` (the default) scores it as a wrong answer: for labels, sets and texts the metric itself knows no answer; a
number becomes the end of its range that is farthest from the gold value, a distribution puts all its weight on the
label that gold thinks least likely. ``drop`` leaves the item out, so abstaining costs nothing and the share of
unreadable answers must be read with the value. ``default:ANSWER`` puts one answer in its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from affectllm.errors import Malformed
from affectllm.metrics.core.value_forms import Form, checked, missing

Bounds = tuple[float, float]


def applied(
    policy: str, form: Form, gold: list[Any], predicted: list[Any], options: Mapping[str, Any]
) -> tuple[Sequence[int], list[Any]]:
    """Return the positions of the items that are kept, and the answers at all positions.

    Args:
        policy: ``wrong``, ``drop`` or ``default:ANSWER``.
        options: of the metric; ``compat``, ``bounds`` of numbers and ``labels`` of distributions matter here.

    Raises:
        Malformed: when the policy is unknown or clashes with ``compat``, or when nothing is left.
    """
    compat = options.get("compat")
    if compat is not None:
        if policy != "wrong":
            raise Malformed(f"compat {compat!r} has a policy of its own", do="leave out one of invalid and compat")
        return range(len(predicted)), predicted
    if policy == "drop":
        rows = [row for row, answer in enumerate(predicted) if not _unread(form, answer)]
        if not rows:
            raise Malformed("no answer could be read, so nothing is left to score", do="choose invalid='wrong'")
        return rows, predicted
    return range(len(predicted)), _filled(policy, form, gold, predicted, options)


def _filled(policy: str, form: Form, gold: list[Any], predicted: list[Any], options: Mapping[str, Any]) -> list[Any]:
    if policy.startswith("default:"):
        filler = checked(form, None, [_parsed(form, policy.removeprefix("default:"))])[1][0]
        return [filler if _unread(form, answer) else answer for answer in predicted]
    if policy != "wrong":
        raise Malformed(f"there is no policy {policy!r}", do="choose of wrong, drop, default:ANSWER")
    if form.name not in _WORST or None not in predicted:
        return predicted
    worst = _WORST[form.name]
    limits = _names(gold, options) if form.name == "distribution" else options.get("bounds") or _range(gold)
    return [worst(truth, limits) if answer is None else answer for truth, answer in zip(gold, predicted, strict=True)]


def _unread(form: Form, answer: Any) -> bool:
    return missing(answer) if form.name == "raw" else answer is None


def _parsed(form: Form, text: str) -> Any:
    return text if form.name in ("label", "text", "span", "number", "raw") else json.loads(text)


def _range(gold: Sequence[Any]) -> Bounds:
    numbers = [number for value in gold for number in (value.values() if isinstance(value, dict) else [value])]
    return min(numbers), max(numbers)


def _far_number(truth: float, limits: Bounds) -> float:
    return max(limits, key=lambda end: abs(end - truth))


def _far_vector(truth: dict[str, float], limits: Bounds) -> dict[str, float]:
    return {name: _far_number(number, limits) for name, number in truth.items()}


def _names(gold: Sequence[Any], options: Mapping[str, Any]) -> list[str]:
    """Return every label that an answer may name; a gold distribution leaves out those that nobody chose."""
    return sorted(options.get("labels") or {name for truth in gold for name in truth})


def _unlikely(truth: dict[str, float], names: list[str]) -> dict[str, float]:
    least = min(names, key=lambda name: truth.get(name, 0.0))
    return {name: float(name == least) for name in names}


_WORST: dict[str, Callable[[Any, Any], Any]] = {
    "number": _far_number,
    "vector": _far_vector,
    "distribution": _unlikely,
}

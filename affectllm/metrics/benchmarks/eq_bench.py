"""EQ-Bench: how strongly each of four emotions is felt at the end of a dialogue."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import mean_of_items
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.core.structured_text import structured
from affectllm.metrics.core.value_forms import missing

EMOTIONS, SCALE = 4, 10.0
ADJUST = 0.7477  # set by the authors so that random answers score 0
MIN_PARSED = 0.8333  # the run is void below
_NUMBER = r"[\s\"'*]*[:：=][\s\"'*]*(-?\d+(?:[.,]\d+)?)"
_LINE = re.compile(r"^[ \t]*([^\s:{][^:\n{]*):[ \t]*(\d+(?:\.\d+)?)[ \t]*$", re.MULTILINE)
_COLON_NUMBER = re.compile(r":\s+(\d+)")
_LOWEST = {2: 10 * (10 - ADJUST * EMOTIONS * SCALE), 1: 10 * (10 - 2 * SCALE)}

Vector = dict[str, float]


@metric(
    "eq_bench",
    form="raw",
    also=("text",),
    range=(_LOWEST[2], 100.0),
    source="Paech, EQ-Bench, 2023; EQ-bench/EQ-Bench, lib/scoring.py; lm-evaluation-harness, tasks/eq_bench/utils.py",
    compat={
        "eq_bench": "items that cannot be parsed are left out, and the run is void where more than a sixth are; of "
        "text, every 'word: digits' counts, so decimals are cut off",
        "lm_eval": "read in the same way, but items that cannot be parsed score 0",
    },
)
def eq_bench(gold: list[Any], predicted: list[Any], *, version: int = 2, compat: str | None = None) -> Sums:
    """Mean score of four emotion intensities from 0 to 10, on a scale where random answers have 0 and perfect ones 100.

    Formula: version 2 ``10 · (10 − 0.7477 · Σ_4 s(|d|))``, d = answer − reference, s(0) = 0,
    s(d ≤ 5) = 6.5 / (1 + e^(−1.2 (d − 4))), s(d > 5) = d; version 1 ``10 · (10 − Σ_4 |d|)`` after the answer was scaled
    to sum 10. Gold is a number per emotion, lines ``emotion: number``, or the published record (emotion1,
    emotion1_score, …); the answer is a number per emotion or the text itself. An item may score below 0, down to
    −199.08 (version 1: −100).
    Edge cases: an answer that lacks one of the four emotions, names others, or leaves the scale scores 0 and lowers
    ``parsed``; so does one whose numbers sum to 0 in version 1. Of text the last number beside each name counts.
    There are no controls, since 0 is what random answers score.
    """
    import numpy as np

    if version not in _LOWEST:
        raise Malformed(f"there is no version {version!r} of EQ-Bench", do="choose 2 or 1")
    references = [_reference(value, row) for row, value in enumerate(gold, start=1)]
    read = _published_answer if compat else _answer
    answers = [read(answer, truth) for answer, truth in zip(predicted, references, strict=True)]
    scores = [_score(truth, answer, version) for truth, answer in zip(references, answers, strict=True)]
    parsed = np.array([score is not None for score in scores])
    if compat == "eq_bench" and parsed.mean() < MIN_PARSED:
        message = f"{parsed.sum()} of {len(parsed)} answers can be parsed, less than 83.33 %, so the run is void"
        raise Malformed(message, do="generate again as the published runner does, or leave out compat")
    values = np.array([0.0 if score is None else score for score in scores])
    mean = float(values[parsed].mean()) if parsed.any() else 0.0
    return mean_of_items(
        values,
        parsed if compat == "eq_bench" else None,
        coverage={"parsed": float(parsed.mean()), "n_parsed": float(parsed.sum())},
        details={"mean_of_parsed": mean},
    )


def _score(truth: Vector, answer: Vector | None, version: int) -> float | None:
    if answer is None:
        return None
    if version == 2:
        return 10 * (10 - ADJUST * sum(_scaled(abs(answer[name] - truth[name])) for name in truth))
    total = sum(answer.values())
    if total <= 0:
        return None
    return 10 * (10 - sum(abs(answer[name] / total * SCALE - truth[name]) for name in truth))


def _scaled(difference: float) -> float:
    if difference == 0 or difference > 5:
        return difference
    return 6.5 / (1 + math.exp(-1.2 * (difference - 4)))


def _reference(value: Any, row: int) -> Vector:
    try:
        lines = dict(_LINE.findall(value)) if isinstance(value, str) else {}
        numbers = {str(name): float(score) for name, score in (lines or _named(structured(value))).items()}
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        numbers = {}
    if len(numbers) != EMOTIONS or not all(0 <= number <= SCALE for number in numbers.values()):
        message = f"gold value {row} is {value!r:.80}, not four emotions from 0 to 10"
        raise Malformed(message, do="give a number per emotion, or the published record")
    return numbers


def _named(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if "emotion1" not in value:
        return value
    return {value[f"emotion{number}"]: value[f"emotion{number}_score"] for number in range(1, EMOTIONS + 1)}


def _published_answer(answer: Any, truth: Vector) -> Vector | None:
    """Read the numbers per emotion as both published evaluators do, whatever their size."""
    if isinstance(answer, str):
        answer = published_pairs(answer)
    return _finite(answer) if isinstance(answer, Mapping) and set(answer) == set(truth) else None


def published_pairs(text: str) -> dict[str, str]:
    """Return ``dict(re.findall(r"(\\w+):\\s+(\\d+)", text))`` without its quadratic time on long words."""
    pairs: dict[str, str] = {}
    done = 0
    for match in _COLON_NUMBER.finditer(text):
        start = match.start()
        while start > done and (text[start - 1].isalnum() or text[start - 1] == "_"):
            start -= 1
        if start < match.start():
            pairs[text[start : match.start()]] = match.group(1)
            done = match.end()
    return pairs


def _answer(answer: Any, truth: Vector) -> Vector | None:
    if missing(answer):
        return None
    scores = _in_text(answer, truth) if isinstance(answer, str) else _finite(_lower(answer))
    if scores is None or set(scores) != set(_lower(truth)) or not all(0 <= score <= SCALE for score in scores.values()):
        return None
    return {name: scores[name.lower()] for name in truth}


def _in_text(text: str, names: Iterable[str]) -> Vector:
    """Return the last number beside each of the names that has one."""
    scores: Vector = {}
    for name in names:
        for number in re.findall(rf"(?<!\w){re.escape(name)}{_NUMBER}", text, re.IGNORECASE)[-1:]:
            scores[name.lower()] = float(number.replace(",", "."))
    return scores


def _lower(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, Mapping):
        raise Malformed(f"the answer {answer!r:.80} is no number per emotion", do="give a mapping, or the text")
    return {str(name).strip().lower(): number for name, number in answer.items()}


def _finite(answer: Mapping[str, Any]) -> Vector | None:
    try:
        numbers = {str(name): float(number) for name, number in answer.items()}
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers if all(map(math.isfinite, numbers.values())) else None

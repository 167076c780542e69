"""Metrics of whether a text about a picture expresses the emotion that people feel in front of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import mean_of_items
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.core.structured_text import structured
from affectllm.metrics.core.value_forms import missing

FLOOR = 1e-12  # of a probability, so that an emotion that is ruled out costs much but not everything
BECAUSE = "because"


@metric(
    "emotional_alignment",
    form="raw",
    range=(0.0, 1.0),
    source="Achlioptas et al., ArtEmis, CVPR 2021; optas/artemis, artemis/evaluation/emotion_alignment.py",
    controls_as=("label", lambda value: dominant(_weights(value, 0)) or "none"),
)
def emotional_alignment(gold: list[Any], predicted: list[Any]) -> Sums:
    """Share of texts that a classifier gives the emotion that dominates people's answers.

    Formula: ``1/n Σ_i [ŷ_i = argmax_e c_ie]`` over items with a dominant emotion: at least half of the answers, and
    more than any other. Gold is a weight per emotion or the list of answers, the answer an emotion or a probability per
    emotion; of the latter ``details.cross_entropy`` is the mean of ``−Σ_e q_ie ln p_ie`` over all items, p at least
    1e-12.
    Edge cases: an item without a dominant emotion is left out (``without_dominant``); an unreadable answer is wrong.
    """
    import numpy as np

    weights = [_weights(value, row) for row, value in enumerate(gold, start=1)]
    best = [dominant(item) for item in weights]
    if not any(best):
        raise Malformed("no item has a dominant emotion", do="give people's answers, several for each item")
    answers = [_answer(answer) for answer in predicted]
    right = np.array([_label(answer) == emotion for answer, emotion in zip(answers, best, strict=True)], float)
    entropies = [_cross_entropy(q, p) for q, p in zip(weights, answers, strict=True) if isinstance(p, dict)]
    counted = np.array([emotion is not None for emotion in best])
    return mean_of_items(
        right,
        counted,
        coverage={"without_dominant": float((~counted).sum()), "with_probabilities": float(len(entropies))},
        details={"cross_entropy": float(np.mean(entropies))} if entropies else {},
    )


def dominant(weights: Mapping[str, float]) -> str | None:
    """Return the emotion with at least half of the weight and more than any other; None where there is none."""
    ordered = sorted(weights.values(), reverse=True)
    if not ordered or ordered[0] < sum(ordered) / 2 or ordered[0] in ordered[1:2]:
        return None
    return max(weights, key=lambda emotion: weights[emotion])


def _weights(value: Any, row: int) -> dict[str, float]:
    """Map emotions to weights, from a weight per emotion or from a list of answers."""
    weights = _numbers(value) if isinstance(value := structured(value), Mapping) else _tally(value)
    if not weights or not sum(weights.values()) > 0:
        message = f"gold value {row} is {value!r:.80}, no answers of people"
        raise Malformed(message, do="give a weight per emotion, or a list of emotions")
    return weights


def _tally(value: Any) -> dict[str, float]:
    return {str(emotion): float(n) for emotion, n in Counter(value).items()} if isinstance(value, (list, tuple)) else {}


def _numbers(value: Mapping[Any, Any]) -> dict[str, float]:
    """Convert the values of a mapping to numbers; empty where one is no number, not finite or below 0."""
    try:
        numbers = {str(name): float(number) for name, number in value.items()}
    except (TypeError, ValueError, OverflowError):
        return {}
    return numbers if all(0 <= number < math.inf for number in numbers.values()) else {}


def _answer(answer: Any) -> str | dict[str, float] | None:
    answer = None if missing(answer) else structured(answer)
    return (
        _numbers(answer) or None if isinstance(answer, Mapping) else answer if answer is None else str(answer).strip()
    )


def _label(answer: str | dict[str, float] | None) -> str | None:
    return max(sorted(answer), key=answer.__getitem__) if isinstance(answer, dict) else answer


def _cross_entropy(weights: Mapping[str, float], probabilities: Mapping[str, float]) -> float:
    total = sum(weights.values())
    logs = {emotion: math.log(max(probabilities.get(emotion, 0.0), FLOOR)) for emotion in weights}
    return -sum(weight / total * logs[emotion] for emotion, weight in weights.items())


@metric(
    "sevlm_emotion_accuracy",
    form="raw",
    range=(0.0, 1.0),
    source="BetterZH/SEVLM-code, artEmisX_train.py, get_scores",
    compat={
        "sevlm": "the text before 'because', or all of it, must be the emotion to the letter; an emotion dominates "
        "with more than half of the answers"
    },
    controls_as=("label", lambda value: _emotion(value, 0, None) or "none"),
)
def sevlm_emotion_accuracy(gold: list[Any], predicted: list[Any], *, compat: str | None = None) -> Sums:
    """Share of texts "EMOTION because REASON" that name the emotion which most people felt.

    Formula: ``1/n Σ_i [text before "because" = e_i]`` over items with one most frequent emotion e_i. Gold is that
    emotion, a weight per emotion, or the list of people's answers.
    Edge cases: case and blanks do not matter; a text without the word "because" is wrong; an item whose gold is a tie
    or empty is left out (``without_dominant``).
    """
    import numpy as np

    emotions = [_emotion(value, row, compat) for row, value in enumerate(gold, start=1)]
    if not any(emotions):
        raise Malformed("no item has one most frequent emotion", do="check the column of the gold values")
    named = [_named(answer, compat) for answer in predicted]
    right = [
        emotion is not None and name == (emotion if compat else _plain(emotion))
        for name, emotion in zip(named, emotions, strict=True)
    ]
    counted = np.array([emotion is not None for emotion in emotions])
    without = sum(not (isinstance(answer, str) and BECAUSE in answer.lower()) for answer in predicted) / len(predicted)
    coverage = {"without_dominant": float((~counted).sum()), "without_because": without}
    return mean_of_items(np.array(right, float), counted, coverage=coverage)


def _emotion(value: Any, row: int, compat: str | None) -> str | None:
    if missing(value):
        return None
    if isinstance(value := structured(value), str):
        return value
    weights = _weights(value, row)
    most = max(weights.values())
    if compat:
        return next(name for name in weights if weights[name] == most) if most > sum(weights.values()) / 2 else None
    return None if Counter(weights.values())[most] > 1 else max(weights, key=lambda name: weights[name])


def _named(answer: Any, compat: str | None) -> str | None:
    if not isinstance(answer, str):
        return None
    if compat:
        return answer.split(BECAUSE)[0].strip()
    before, because, _ = _plain(answer).partition(BECAUSE)
    return before.strip() if because else None


def _plain(text: str) -> str:
    return " ".join(text.lower().split())

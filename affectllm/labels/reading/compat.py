"""Readers that reproduce published evaluators with their faults, by name of the system; strict scores use none.

A reader takes the text, the labels and, where the evaluator uses it, the gold label.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

CompatReader = Callable[..., Any]
COMPAT: dict[str, CompatReader] = {}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_INTEGER = re.compile(r"[-+]?\d+")
_ANSWER = re.compile(r"<answer>(.*?)</answer>")
_FENCED = re.compile(r"```json\s*([\s\S]*?)```")


def _reader(name: str) -> Callable[[CompatReader], CompatReader]:
    def wrap(function: CompatReader) -> CompatReader:
        COMPAT[name] = function
        return function

    return wrap


@_reader("emotion_llama")
def emotion_llama(text: str, labels: Sequence[str], gold: str | None = None) -> str:
    """Return the last word between blanks; ``neutral`` when that is no label (Emotion-LLaMA, eval_emotion.py).

    Why it is wrong (D8): ``I feel sad.`` ends in ``sad.`` and an empty answer in nothing, so both are scored as
    neutral, and unreadable answers are right wherever the gold label is neutral.
    """
    word = text.split(" ")[-1]
    return word if word in labels else "neutral"


@_reader("emotion_qwen_dfew")
def emotion_qwen_dfew(text: str, labels: Sequence[str], gold: str | None = None) -> str:
    """Return the gold label when it occurs anywhere in the answer, else ``none`` (Emotion-Qwen, DFEW benchmark).

    Why it is wrong (D9): it looks for the right answer only, so an answer that names every label is always right, and
    ``unhappy`` is ``happy``.
    """
    return gold if gold is not None and gold.lower() in text.lower() else "none"


@_reader("emotion_qwen_mer2024")
def emotion_qwen_mer2024(text: str, labels: Sequence[str], gold: str | None = None) -> str:
    """Return the alphabetically last label in the answer, else the last of all (Emotion-Qwen, MER2024 benchmark).

    Why it is wrong (D10): the maximum over pairs (occurs, label) sorts by the name of the label, and without any label
    its answer is the last one of the alphabet, ``worried`` there.
    """
    return max((label.lower() in text.lower(), label) for label in labels)[1].lower()


@_reader("r1_omni")
def r1_omni(text: str, labels: Sequence[str], gold: str | None = None) -> str:
    """Return the answer unchanged but for blanks at its beginning (R1-Omni and HumanOmni, eval_mafw_dfew.py).

    Why it is wrong (D11): ``Happy``, ``happy.`` and ``<answer>happy</answer>`` are other answers than ``happy``, so
    faults of format are counted as faults of emotion.
    """
    return text.lstrip()


@_reader("r1_omni_reward")
def r1_omni_reward(text: str, labels: Sequence[str], gold: str | None = None) -> str:
    """Return the content of the first ``<answer>``, else the whole completion, stripped (R1-Omni, grpo.py).

    Why it is wrong (D11): the comparison that follows minds the case, and an answer with a line break in its tags is
    not found.
    """
    match = _ANSWER.search(text)
    return (match.group(1) if match else text).strip()


@_reader("mmaffben_ei_reg")
def mmaffben_ei_reg(text: str, labels: Sequence[str] = (), gold: str | None = None) -> float:
    """The first number that begins with ``0.``, else the first number clipped to [0, 1], else 0.5 (MMAFFBen, tools.py).

    Why it is wrong (D13): an answer without a number gets the middle of the scale, and 7 becomes 1.
    """
    if match := re.search(r"\b0\.[0-9]+\b", text):
        return float(match.group())
    return _clipped(_NUMBER, text, 0.0, 1.0, 0.5)


@_reader("mmaffben_ei_oc")
def mmaffben_ei_oc(text: str, labels: Sequence[str] = (), gold: str | None = None) -> float:
    """The first integer clipped to 0…3, else 0 (MMAFFBen, tools.py); D13 as above."""
    return _clipped(_INTEGER, text, 0.0, 3.0, 0.0)


@_reader("mmaffben_v_oc")
def mmaffben_v_oc(text: str, labels: Sequence[str] = (), gold: str | None = None) -> float:
    """The first integer within -3…3, else 0 (MMAFFBen, tools.py); D13 as above."""
    inside = (int(digits) for digits in _INTEGER.findall(text) if len(digits) < 3)
    return float(next((number for number in inside if -3 <= number <= 3), 0))


@_reader("mmaffben_v_reg")
def mmaffben_v_reg(text: str, labels: Sequence[str] = (), gold: str | None = None) -> float:
    """The first number clipped to [-1, 1], else 0 (MMAFFBen, tools.py); D13 as above."""
    return _clipped(_NUMBER, text, -1.0, 1.0, 0.0)


def _clipped(pattern: re.Pattern[str], text: str, low: float, high: float, missing: float) -> float:
    match = pattern.search(text)
    return min(max(float(match.group()), low), high) if match else missing


@_reader("mmaffben_e_c")
def mmaffben_e_c(text: Any, labels: Sequence[str], gold: str | None = None) -> tuple[str, ...]:
    """The words that are labels, else numbers as positions in ``labels`` (MMAFFBen, parse_labels_Ec and its siblings).

    Why it is wrong (D13): ``and``, ``or`` and ``with`` become commas inside words as well, and a comma that is not
    followed by a blank joins two labels to one word, so ``joy,anger`` names none; an answer without labels is the
    empty set, as if the model had said so.
    """
    if not isinstance(text, str):
        return ()
    cut = text.lower()
    for word in ("and", "or", "with"):
        cut = cut.replace(word, ",")
    words = {word.strip(",.") for word in re.sub(r"[^\w\s,]", "", cut).split()}
    if not words & set(labels):
        words = {labels[int(number)] for number in re.findall(r"\b(\d{1,4})\b", cut) if int(number) < len(labels)}
    return tuple(label for label in labels if label in words)


@_reader("mmaffben_sentiment")
def mmaffben_sentiment(text: Any, labels: Sequence[str] = (), gold: str | None = None) -> str:
    """``-1``/negative, then ``0``/neutral, then ``1``/positive, the first that occurs anywhere, else ``9`` (MMAFFBen).

    Why it is wrong (D13): ``not negative`` is negative and ``10`` is neutral.
    """
    lowered = text.lower() if isinstance(text, str) else ""
    for number, name in (("-1", "negative"), ("0", "neutral"), ("1", "positive")):
        if number in lowered or name in lowered:
            return name
    return "9"


@_reader("emobench")
def emobench(text: Any, labels: Sequence[str] = (), gold: str | None = None) -> str:
    """The field ``answer`` of a JSON answer as it came, ``""`` when there is none (EmoBench, src/model.py).

    Why it is wrong (D18): ``a``, ``A)`` and ``(A)`` are other answers than ``A``, and JSON behind a sentence is none.
    """
    return str(_emobench_json(text).get("answer", ""))


@_reader("emobench_eu")
def emobench_eu(text: Any, labels: Sequence[str] = (), gold: str | None = None) -> tuple[str, str]:
    """The fields ``answer_q1`` and ``answer_q2`` (emotion and cause) as ``emobench`` reads ``answer``; D18 as above."""
    fields = _emobench_json(text)
    return str(fields.get("answer_q1", "")), str(fields.get("answer_q2", ""))


def _emobench_json(text: Any) -> dict[str, Any]:
    reply = text if isinstance(text, str) else ""
    fenced = _FENCED.search(reply) if "```json" in reply else None
    try:
        value = json.loads(fenced.group(1) if fenced else reply)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


@_reader("emobench_m")
def emobench_m(text: Any, labels: Sequence[str], gold: str | None = None) -> str | None:
    """The answer in lower case when it is a label; None, and the item is left out, when not (EmoBench-M).

    Why it is wrong (D14): only answers that are labels are scored, so a model that answers the easy items only is
    better than one that tries them all.
    """
    answer = text.strip().lower() if isinstance(text, str) else ""
    return answer if answer in labels else None


@_reader("sevlm")
def sevlm(text: str, labels: Sequence[str] = (), gold: str | None = None) -> str:
    """Return the text before the first ``because``, stripped (SEVLM, artEmisX_train.py).

    Why it is wrong: the comparison that follows minds case and punctuation, and an answer in other words than
    ``<emotion> because …`` is always wrong.
    """
    return text.split("because")[0].strip()


@_reader("emoprefer")
def emoprefer(text: str, labels: Sequence[str] = ("a1", "a2", "same"), gold: str | None = None) -> str:
    """The name that the answer begins with, else the one that occurs first, else ``same`` (EmoPrefer, utils/common.py).

    Why it is wrong: ``a2 is better than a1`` and ``not a1`` are decided by the order of the words, and an answer that
    prefers nothing readable counts as one that finds both the same.
    """
    lowered = text.lower()
    occurrences = [
        (lowered.find(name), order, name) for order, name in enumerate(("a1", "a2", "same")) if name in lowered
    ]
    return min(occurrences)[2] if occurrences else "same"


_STATED = (r"['\"]emotion['\"]:\s*['\"](\w+)['\"]", r"emotion['\"]?\s*:\s*['\"]?(\w+)['\"]?")


@_reader("hitemotion")
def hitemotion(text: str, labels: Sequence[str], gold: str | None = None) -> str | None:
    """Return the word after ``emotion:`` if it is a label, else the first label word (HitEmotion, evaluation_code).

    Why it is wrong: ``not happy but sad`` is happy, and None, where no label occurs, is left out of the score.
    """
    anywhere = rf"\b({'|'.join(map(re.escape, labels))})\b"
    words = (match[1] for pattern in (*_STATED, anywhere) if (match := re.search(pattern, text.lower())))
    return next((word for word in words if word in labels), None)

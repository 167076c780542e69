"""Metrics of causes of emotions in dialogue: spans as in extractive question answering, and entailment."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import blocks, class_rows, coded, f1, mean_over, tally
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.texts.tokens import apart

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

NO_ANSWER = "Impossible \u2260\u00e6\u2260\u00e6\u2260 answer"
"""What the corpus gives as the answer to a question without one; the published evaluator compares answers with it."""

_VERDICTS = {"0": "0", "1": "1", "0.0": "0", "1.0": "1", "incorrect": "0", "correct": "1"}
_COLUMNS = ("positive", "exact", "f_pos", "lcs", "negative", "right_negative", "missed_positive")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def squad_items(records: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return (id, answer) of each question of a SQuAD-2 shaped file; the empty answer says that there is none.

    Raises:
        Malformed: when a record is not of this shape.
    """
    items = []
    for number, record in enumerate(records, start=1):
        try:
            for question in record["qas"]:
                answers = [] if question["is_impossible"] else question["answers"]
                items.append((str(question["id"]), str(answers[0]["text"]) if answers else ""))
        except (KeyError, TypeError, IndexError) as error:
            message = f"record {number} is no SQuAD record: {error!r}"
            raise Malformed(message, do="give {context, qas: [{id, is_impossible, answers: [{text}]}]}") from error
    return items


@metric(
    "reccon_span",
    form="span",
    range=(0.0, 1.0),
    source="Poria et al., RECCON, 2021; declare-lab/RECCON, eval_qa.py; Rajpurkar et al., SQuAD 2.0, ACL 2018",
    compat={
        "reccon": "an answer counts only where one string holds the other, and the empty one lies in every string; no "
        "answers to questions that have one are counted by what the last similar answer was"
    },
)
def reccon_span(gold: list[str], predicted: list[str | None], *, compat: str | None = None) -> Sums:
    """Mean token F1 of the answered cause spans, 1 for saying rightly that there is none.

    Formula: ``1/N Σ_i f_i``, f_i the SQuAD token F1 (lower case, without articles and punctuation) where gold is a
    span, and ``[answer is empty]`` where gold is empty or the corpus's own words for "impossible". Details: ``em_pos``
    (share of spans answered to the letter), ``f1_pos`` (mean f_i over spans), ``lcs_f1`` (the same with the longest
    common run of words), ``f1_neg`` (F1 of "there is none"), ``f1`` (the value).
    Edge cases: an unreadable answer is wrong, unlike an empty one, which says that there is none; an empty answer to a
    question with a span scores 0; without questions of one kind its details are 0.
    """
    import numpy as np

    gold = ["" if truth == NO_ANSWER else truth for truth in gold]
    rows = _published_rows(gold, predicted) if compat else [_row(*pair) for pair in zip(gold, predicted, strict=True)]
    table = np.array(rows, float)
    sums = dict(zip(_COLUMNS, table.sum(0).tolist(), strict=True))
    details = _details(sums)
    return Sums(
        table,
        lambda totals: np.asarray((totals[..., 2] + totals[..., 5]) / (totals[..., 0] + totals[..., 4])),
        per_class=lambda: {
            "pos": {"em": details["em_pos"], "f1": details["f1_pos"], "support": sums["positive"]},
            "neg": {"f1": details["f1_neg"], "support": sums["negative"]},
        },
        coverage={"without_answer": sums["negative"] / len(gold)},
        details={**details, "f1": (sums["f_pos"] + sums["right_negative"]) / len(gold)},
    )


def _details(sums: Mapping[str, float]) -> dict[str, float]:
    """Return the published values; a ratio is 0 where there is nothing to divide by."""
    positive, negative, right = sums["positive"], sums["negative"], sums["right_negative"]
    precision = right / max(right + sums["missed_positive"], 1)
    recall = right / max(negative, 1)
    return {
        "em_pos": sums["exact"] / max(positive, 1),
        "f1_pos": sums["f_pos"] / max(positive, 1),
        "lcs_f1": sums["lcs"] / max(positive, 1),
        "f1_neg": 2 * precision * recall / (precision + recall) if right else 0.0,
    }


def _row(truth: str, answer: str | None) -> list[float]:
    if not truth:
        return [0, 0, 0, 0, 1, answer == "", 0]
    if not answer:
        return [1, 0, 0, 0, 0, 0, answer == ""]
    return [1, answer.strip() == truth.strip(), token_f1(truth, answer), _run_f1(truth, answer), 0, 0, 0]


def _published_rows(gold: Sequence[str], predicted: Sequence[str | None]) -> list[list[float]]:
    """Count as the published script does: answers are equal, similar (one holds the other) or incorrect.

    The script asks whether an incorrect answer is empty, but looks at the variable that still holds the last similar
    one; so it counts all of them as empty, or none.
    """
    truths = [truth or NO_ANSWER for truth in gold]
    kinds = [_kind(truth, answer) for truth, answer in zip(truths, predicted, strict=True)]
    similar = [
        answer for truth, answer, kind in zip(gold, predicted, kinds, strict=True) if truth and kind == "similar"
    ]
    stale = bool(similar) and not (similar[-1] or "").strip()
    rows: list[list[float]] = []
    for truth, answer, kind in zip(gold, predicted, kinds, strict=True):
        if not truth:
            rows.append([0, 0, 0, 0, 1, kind == "similar", 0])
        elif kind == "equal":
            rows.append([1, 1, 1, 1, 0, 0, 0])
        elif kind == "incorrect":
            rows.append([1, 0, 0, 0, 0, 0, stale])
        elif (answer or "").strip():
            rows.append([1, 0, token_f1(truth, answer or ""), _contained_f1(truth, answer or ""), 0, 0, 0])
        else:
            rows.append([1, 0, 0, 0, 0, 0, 1])
    return rows


def _kind(truth: str, answer: str | None) -> str:
    if answer is None:
        return "incorrect"
    short, long = sorted((truth.strip(), answer.strip()), key=len)
    if short == long:
        return "equal"
    return "similar" if short in long else "incorrect"


def _contained_f1(truth: str, answer: str) -> float:
    """Return F1 by the words of the longest common string, which is the shorter one where it lies in the other."""
    common = len(min(truth.strip(), answer.strip(), key=len).split())
    precision, recall = common / len(answer.split()), common / len(truth.split())
    return 2 * precision * recall / (precision + recall)


def _run_f1(truth: str, answer: str) -> float:
    """Return F1 by the longest run of words that both have."""
    words, answer_words = _words(truth), _words(answer)
    matcher = SequenceMatcher(None, answer_words, words, autojunk=False)
    common = matcher.find_longest_match().size
    return 2 * common / (len(words) + len(answer_words))


def token_f1(truth: str, answer: str) -> float:
    """Return SQuAD's token F1: lower-cased, no punctuation or articles, 1 if neither has a token."""
    words, answer_tokens = _tokens(truth), _tokens(answer)
    if not words or not answer_tokens:
        return float(words == answer_tokens)
    common = sum((Counter(words) & Counter(answer_tokens)).values())
    return 2 * common / (len(words) + len(answer_tokens))


def _tokens(text: str) -> list[str]:
    return _words(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)))


def _words(text: str) -> list[str]:
    """Split text at blanks; scripts without blanks character by character, as in CMRC 2018."""
    return apart(text).split()


@metric(
    "reccon_entailment",
    form="label",
    range=(0.0, 1.0),
    source="Poria et al., RECCON, 2021; declare-lab/RECCON, eval_classification.py",
)
def reccon_entailment(gold: list[str], predicted: list[str | None]) -> Sums:
    """Mean of the F1 of "is a cause" (1) and of "is none" (0).

    Formula: ``½ (F1_1 + F1_0)``; the two are ``details.pos_f1`` and ``details.neg_f1``.
    Edge cases: an unreadable answer is wrong; a class that neither side names is left out of the mean.
    """
    truth = [_binary(label, f"gold value {row}") for row, label in enumerate(gold, start=1)]
    answers = [None if label is None else _binary(label, f"answer {row}") for row, label in enumerate(predicted, 1)]
    codes = coded(truth, answers, ("0", "1"))
    table = tally(codes)
    sums = table.sum(0, dtype=float)
    negative, positive = f1(*blocks(sums)).tolist()
    return Sums(
        table,
        _macro,
        per_class=lambda: class_rows(codes.labels, sums),
        details={"pos_f1": positive, "neg_f1": negative},
    )


def _macro(totals: Array) -> Array:
    hits, support, claimed = blocks(totals)
    return mean_over(f1(hits, support, claimed), support + claimed > 0)


def _binary(label: str, where: str) -> str:
    if label in _VERDICTS:
        return _VERDICTS[label]
    do = "1, or correct, says that the utterance is a cause, 0, or incorrect, that it is none"
    raise Malformed(f"{where} is {label!r}, not 0 or 1", do=do)

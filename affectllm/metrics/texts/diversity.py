"""Metrics of the lexical diversity of replies.

Intervals leave groups of clusters out instead of resampling: a reply that is drawn twice brings no new word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.metric import Rows, metric
from affectllm.metrics.texts.tokens import AUTO, choose, has_punkt, runs

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Answers = list[str | None]
_PAPER = "Li et al., A Diversity-Promoting Objective Function for Neural Conversation Models, NAACL 2016"
_ESCONV = {"esconv": "the last run of every reply is left out, words are nltk's (thu-coai, myMetrics.py)"}


@metric(
    "distinct_1", title="Distinct-1", form="text", range=(0.0, 1.0), source=_PAPER, compat=_ESCONV, takes="predicted"
)
def distinct_1(
    predicted: Answers, *, tokenize: str = AUTO, language: str | None = None, compat: str | None = None
) -> Rows:
    """Different words of all replies over all their words, in lower case.

    Formula: ``|{words}| / Σ words``.
    Edge cases: unreadable replies have no words; no word at all is 0. The value falls with the number of replies, so
    only systems that replied to the same items can be compared. Words are chosen by ``language``, or by the letters of
    the replies, see ``metrics.tokens``.
    """
    return _distinct(predicted, 1, tokenize, language, compat)


@metric(
    "distinct_2", title="Distinct-2", form="text", range=(0.0, 1.0), source=_PAPER, compat=_ESCONV, takes="predicted"
)
def distinct_2(
    predicted: Answers, *, tokenize: str = AUTO, language: str | None = None, compat: str | None = None
) -> Rows:
    """Different pairs of neighbouring words of all replies over all their pairs, in lower case.

    Formula: as ``distinct_1`` over runs of two words; none crosses from one reply to the next. Edge cases: as there.
    """
    return _distinct(predicted, 2, tokenize, language, compat)


@metric("distinct_n", form="text", range=(0.0, 1.0), source=_PAPER, compat=_ESCONV, takes="predicted")
def distinct_n(
    predicted: Answers, *, n: int = 3, tokenize: str = AUTO, language: str | None = None, compat: str | None = None
) -> Rows:
    """Different runs of ``n`` words of all replies over all their runs, in lower case.

    Formula: as ``distinct_1`` over runs of n words. Edge cases: as there.
    """
    if n < 1:
        raise Malformed(f"n is {n}", do="give at least 1")
    return _distinct(predicted, n, tokenize, language, compat)


def _distinct(predicted: Answers, order: int, tokenize: str, language: str | None, compat: str | None) -> Rows:
    import numpy as np

    tokens = choose("nltk" if compat == "esconv" else tokenize, language, predicted)
    cut = tokens.cut
    grams = [runs(cut((reply or "").lower()), order) for reply in predicted]
    if compat == "esconv":
        grams = [item[:-1] for item in grams]
    numbers = {gram: number for number, gram in enumerate(dict.fromkeys(gram for item in grams for gram in item))}
    codes = np.array([numbers[gram] for item in grams for gram in item], np.int64)
    owners = np.repeat(np.arange(len(grams)), [len(item) for item in grams])

    def compute(rows: Array) -> float:
        times = np.bincount(rows, minlength=len(grams))[owners]
        total = times.sum()
        return float((np.bincount(codes, weights=times) > 0).sum() / total) if total else 0.0

    details = {"punkt": float(has_punkt())} if compat == "esconv" else tokens.details
    return Rows(compute, jackknife=True, details=details)

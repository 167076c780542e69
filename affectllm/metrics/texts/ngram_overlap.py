"""BLEU and chrF: n-grams of words or characters that a reply shares with its references.

Both are of the corpus: counts are added over all replies before anything is divided, so a value is no mean of values
of replies. An unreadable reply is scored as an empty one.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import mean_of_items, ratio
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.texts.tokens import AUTO, SACREBLEU, choose, has_punkt, runs

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Golds = list[tuple[str, ...]]
Answers = list[str | None]
_PAPER = "Papineni et al., BLEU, ACL 2002; Post, A Call for Clarity in Reporting BLEU Scores, WMT 2018 (sacrebleu)"
_EMOBENCH_M = {
    "emobench_m": "mean of nltk's sentence BLEU on tokens between blanks, not smoothed; empty replies are left out"
}


@metric("bleu", hub="bleu", form="text", range=(0.0, 1.0), source=_PAPER, compat=_EMOBENCH_M)
def bleu(
    gold: Golds, predicted: Answers, *, tokenize: str = AUTO, language: str | None = None, compat: str | None = None
) -> Sums:
    """Corpus BLEU-4 of sacrebleu, divided by 100: tokens with case (13a for English), exponential smoothing.

    Formula: ``BP · exp(1/4 Σ_k log p_k)``, p_k the clipped precision of runs of k tokens over the corpus, BP the
    penalty ``exp(1 - r/c)`` where the replies (c tokens) are shorter than the closest references (r tokens).
    Edge cases: an order without a match counts as ``1/(2^j·total)``, j its number among such orders; no match at all is
    0. ``tokenize``: 13a, zh, char, intl, ja-mecab, ko-mecab; by default chosen by ``language``, or by the letters of
    the references, see ``metrics.tokens``; ``details`` tells which.
    """
    if compat == "emobench_m":
        return _sentence_bleu(gold, predicted)
    return _corpus(gold, predicted, 4, tokenize, language)


@metric("bleu_1", title="BLEU-1", form="text", range=(0.0, 1.0), source=_PAPER)
def bleu_1(gold: Golds, predicted: Answers, *, tokenize: str = AUTO, language: str | None = None) -> Sums:
    """Corpus BLEU with single tokens only, of sacrebleu.

    Formula: as ``bleu`` with ``1/1 Σ_{k≤1}``. Edge cases: as ``bleu``.
    """
    return _corpus(gold, predicted, 1, tokenize, language)


@metric("bleu_2", title="BLEU-2", form="text", range=(0.0, 1.0), source=_PAPER)
def bleu_2(gold: Golds, predicted: Answers, *, tokenize: str = AUTO, language: str | None = None) -> Sums:
    """Corpus BLEU with runs of one and two tokens, of sacrebleu.

    Formula: as ``bleu`` with ``1/2 Σ_{k≤2}``. Edge cases: as ``bleu``.
    """
    return _corpus(gold, predicted, 2, tokenize, language)


@metric("bleu_3", title="BLEU-3", form="text", range=(0.0, 1.0), source=_PAPER)
def bleu_3(gold: Golds, predicted: Answers, *, tokenize: str = AUTO, language: str | None = None) -> Sums:
    """Corpus BLEU with runs of one to three tokens, of sacrebleu.

    Formula: as ``bleu`` with ``1/3 Σ_{k≤3}``. Edge cases: as ``bleu``.
    """
    return _corpus(gold, predicted, 3, tokenize, language)


@metric("bleu_4", title="BLEU-4", form="text", range=(0.0, 1.0), source=_PAPER)
def bleu_4(gold: Golds, predicted: Answers, *, tokenize: str = AUTO, language: str | None = None) -> Sums:
    """Corpus BLEU with runs of one to four tokens, of sacrebleu: ``bleu`` under the name that papers use.

    Formula: as ``bleu``. Edge cases: as ``bleu``.
    """
    return _corpus(gold, predicted, 4, tokenize, language)


def _corpus(gold: Golds, predicted: Answers, order: int, tokenize: str, language: str | None) -> Sums:
    import numpy as np
    from sacrebleu.metrics import BLEU

    tokens = choose(tokenize, language, (text for texts in gold for text in texts), known=SACREBLEU)
    tokens.cut("")  # a package that is missing is told before anything is counted
    counter = BLEU(force=True, max_ngram_order=order, tokenize=tokens.name)
    rows = []
    for references, reply in zip(gold, predicted, strict=True):
        statistics = counter.corpus_score([reply or ""], [[reference] for reference in references])
        rows.append([statistics.sys_len, statistics.ref_len, *statistics.counts, *statistics.totals])

    def reduce(sums: Array) -> Array:
        values = []
        for row in np.atleast_2d(sums).round().astype(int).tolist():
            counts, totals = row[2 : 2 + order], row[2 + order :]
            score = BLEU.compute_bleu(counts, totals, row[0], row[1], smooth_method="exp", max_ngram_order=order)
            values.append(min(1.0, score.score / 100))
        return np.array(values).reshape(sums.shape[:-1])

    return Sums(np.array(rows, float), reduce, details=tokens.details)


def _sentence_bleu(gold: Golds, predicted: Answers) -> Sums:
    import numpy as np
    from nltk.translate.bleu_score import sentence_bleu

    values = np.zeros(len(gold))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that an order has no match is the point of not smoothing
        for row, (references, reply) in enumerate(zip(gold, predicted, strict=True)):
            if _scored(references, reply):
                values[row] = sentence_bleu([reference.split() for reference in references], (reply or "").split())
    return scored_mean(gold, predicted, values)


def _scored(references: Sequence[str], reply: str | None) -> bool:
    return bool((reply or "").strip()) and any(reference.strip() for reference in references)


def scored_mean(gold: Golds, predicted: Answers, values: Array) -> Sums:
    """Build EmoBench-M's mean: empty replies and references are left out, and the mean of no item is 0."""
    import numpy as np

    counted = np.array([_scored(*pair) for pair in zip(gold, predicted, strict=True)])
    if not counted.any():
        return Sums(np.zeros((len(values), 1)), lambda sums: sums[..., 0], coverage={"scored": 0.0}, n=0)
    return mean_of_items(values, counted, coverage={"scored": float(counted.mean())})


@metric(
    "bleu_smoothed",
    form="text",
    range=(0.0, 1.0),
    source="Chen and Cherry, A Systematic Comparison of Smoothing Techniques, WMT 2014, method 3 (nltk); Liu et al., "
    "ESConv, ACL 2021, codes_zcj/metric/myMetrics.py",
    compat={"esconv": "nltk's word_tokenize instead of 13a tokens; both in lower case"},
)
def bleu_smoothed(
    gold: Golds,
    predicted: Answers,
    *,
    order: int = 4,
    tokenize: str = AUTO,
    language: str | None = None,
    compat: str | None = None,
) -> Sums:
    """Corpus BLEU-k with nltk's third smoothing on tokens in lower case: the BLEU-k of emotional support dialogue.

    Formula: as ``bleu`` with ``1/k Σ_{j≤k}``; the j-th order without a match has precision ``1/(2^j·total)``.
    Edge cases: a total counts at least 1 a reply; no matching token at all is 0. Compat without nltk's ``punkt_tab``
    among the user's data ends sentences at every full stop; ``details`` tells by ``punkt``.
    """
    import numpy as np

    if not 1 <= order <= 4:
        raise Malformed(f"order is {order}", do="choose 1, 2, 3 or 4")
    tokens = choose("nltk" if compat == "esconv" else tokenize, language, (text for texts in gold for text in texts))
    cut = tokens.cut
    table = np.array([_matches(g, p, order, cut) for g, p in zip(gold, predicted, strict=True)], float)
    details = {"punkt": float(has_punkt())} if compat == "esconv" else tokens.details
    return Sums(table, lambda sums: _smoothed(sums, order), details=details)


def _matches(references: Sequence[str], reply: str | None, order: int, cut: Any) -> list[int]:
    """Return length, length of the closest reference, matches and totals per order."""
    from nltk.translate.bleu_score import closest_ref_length, modified_precision

    truths, tokens = [cut(reference.lower()) for reference in references], cut((reply or "").lower())
    precisions = [modified_precision(truths, tokens, size) for size in range(1, order + 1)]
    lengths = [len(tokens), closest_ref_length(truths, len(tokens))]
    return [*lengths, *(p.numerator for p in precisions), *(p.denominator for p in precisions)]


def _smoothed(sums: Array, order: int) -> Array:
    import numpy as np

    reply_length, reference_length, matches, totals = (
        sums[..., 0],
        sums[..., 1],
        sums[..., 2 : 2 + order],
        sums[..., 2 + order :],
    )
    none = matches == 0
    halved = 0.5 ** np.cumsum(none, axis=-1)
    precision = ratio(np.where(none, halved, matches), totals, 1.0)
    brevity = np.exp(np.minimum(0.0, 1 - ratio(reference_length, reply_length, np.inf)))
    return np.where(matches[..., 0] > 0, brevity * np.exp(np.log(precision).mean(-1)), 0.0)


@metric("chrf", title="chrF", form="text", range=(0.0, 1.0), source="Popović, chrF, WMT 2015 (sacrebleu: chrF2)")
def chrf(gold: Golds, predicted: Answers, *, order: int = 6, beta: float = 2.0) -> Sums:
    """Corpus chrF2 of sacrebleu, divided by 100: F of runs of one to six characters, blanks left out, recall twice.

    Formula: ``(1 + β²)·P·R / (β²·P + R)``, P and R the means over the orders that occur on both sides; of several
    references each reply takes the one that scores best.
    Edge cases: no shared run is 0. It needs no tokens and so suits any language.
    """
    import numpy as np

    rows = [_best(references, reply or "", order, beta) for references, reply in zip(gold, predicted, strict=True)]
    return Sums(np.array(rows, float), lambda sums: _chrf(sums, order, beta))


def _best(references: Sequence[str], reply: str, order: int, beta: float) -> list[int]:
    import numpy as np

    reply_runs = _characters(reply, order)
    rows = [_shared(reply_runs, _characters(reference, order)) for reference in references]
    values = _chrf(np.array(rows, float), order, beta)
    return rows[int(values.argmax())]


def _characters(text: str, order: int) -> list[Counter[Any]]:
    letters = "".join(text.split())
    return [Counter(runs(letters, size)) for size in range(1, order + 1)]


def _shared(reply: Sequence[Counter[Any]], reference: Sequence[Counter[Any]]) -> list[int]:
    """Count runs of the reply (0 where the reference has none), of the reference, and of both, order by order."""
    pairs = list(zip(reply, reference, strict=True))
    return [n for p, g in pairs for n in (p.total() if g else 0, g.total(), (p & g).total())]


def _chrf(sums: Array, order: int, beta: float) -> Array:
    reply, reference, both = (sums[..., part : 3 * order : 3] for part in range(3))
    there = (reply > 0) & (reference > 0)
    precision = ratio((ratio(both, reply) * there).sum(-1), there.sum(-1))
    recall = ratio((ratio(both, reference) * there).sum(-1), there.sum(-1))
    return ratio((1 + beta**2) * precision * recall, beta**2 * precision + recall)

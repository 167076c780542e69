"""Metrics of single replies against references: longest common subsequence, METEOR, words in common.

An unreadable reply is scored as an empty one. BLEU and chrF are in ``ngram_overlap``, variety in ``diversity``,
metrics that need a model in ``reply_models``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed, NotFound
from affectllm.metrics.core.counts import mean_of_items
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.texts.ngram_overlap import scored_mean
from affectllm.metrics.texts.tokens import AUTO, Tokenize, Tokens, choose, has_punkt, ngrams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

__all__ = ["meteor", "ngrams", "rouge_l", "unigram_f1"]

Golds = list[tuple[str, ...]]
Answers = list[str | None]
_ESCONV = "Liu et al., ESConv, ACL 2021, codes_zcj/metric/myMetrics.py"


@metric(
    "rouge_l",
    title="ROUGE-L",
    hub="rouge",
    form="text",
    range=(0.0, 1.0),
    source="Lin, ROUGE, ACL workshop 2004 (rouge-score)",
    compat={
        "esconv": "beta 1.2; precision and recall each the best over the references; nltk's word_tokenize",
        "emobench_m": "words longer than three letters are stemmed; empty replies are left out",
    },
)
def rouge_l(
    gold: Golds,
    predicted: Answers,
    *,
    beta: float = 1.0,
    tokenize: str = AUTO,
    language: str | None = None,
    compat: str | None = None,
) -> Sums:
    """Mean F of the longest common subsequence of words of a reply and its best reference.

    Formula: ``(1 + β²)·P·R / (R + β²·P)``, P and R the length of the subsequence over that of reply and reference.
    Edge cases: an empty side scores 0. ``tokenize``: by default rouge-score's own for English, which knows ASCII
    letters and digits only, and for other languages those of ``metrics.tokens``; ``details`` tells which.
    """
    import numpy as np

    if beta <= 0:
        raise Malformed(f"beta is {beta}", do="give a positive number")
    tokens = _chosen(gold, tokenize, language, compat, "rouge")
    cut = _stemmed() if compat == "emobench_m" else tokens.cut
    weight = 1.2 if compat == "esconv" else beta
    replies = [cut((reply or "").lower()) for reply in predicted]
    truths = [[cut(reference.lower()) for reference in references] for references in gold]
    score = _best_of_each if compat == "esconv" else _best_reference
    values = np.array([score(g, p, weight) for g, p in zip(truths, replies, strict=True)])
    if compat == "emobench_m":
        return scored_mean(gold, predicted, values)
    return mean_of_items(values, details=_details(tokens, compat))


def _chosen(gold: Golds, tokenize: str, language: str | None, compat: str | None, default: str = "13a") -> Tokens:
    asked = "nltk" if compat == "esconv" else tokenize
    return choose(asked, language, (text for texts in gold for text in texts), default)


def _stemmed() -> Tokenize:
    from nltk.stem.porter import PorterStemmer
    from rouge_score.tokenize import tokenize as stemmed

    stemmer = PorterStemmer()
    return lambda text: list(stemmed(text, stemmer))


def _details(tokens: Tokens, compat: str | None) -> Mapping[str, float | str]:
    return {"punkt": float(has_punkt())} if compat == "esconv" else tokens.details


def _best_reference(gold: Sequence[Sequence[str]], reply: Sequence[str], beta: float) -> float:
    return max(_f(*_shares(reference, reply), beta) for reference in gold)


def _best_of_each(gold: Sequence[Sequence[str]], reply: Sequence[str], beta: float) -> float:
    precisions, recalls = zip(*(_shares(reference, reply) for reference in gold), strict=True)
    return _f(max(precisions), max(recalls), beta)


def _shares(reference: Sequence[str], reply: Sequence[str]) -> tuple[float, float]:
    common = common_subsequence(reference, reply)
    return common / max(1, len(reply)), common / max(1, len(reference))


def _f(precision: float, recall: float, beta: float) -> float:
    return (1 + beta**2) * precision * recall / (recall + beta**2 * precision) if precision and recall else 0.0


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, computed with one bit per word of ``first``.

    Source: Hyyrö, Bit-parallel LCS-length computation revisited, 2004.
    """
    places: dict[str, int] = {}
    for place, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << place
    whole = (1 << len(first)) - 1
    row = whole
    for word in second:
        if met := row & places.get(word, 0):
            row = ((row + met) | (row - met)) & whole
    return len(first) - row.bit_count()


@metric(
    "meteor",
    title="METEOR",
    form="text",
    range=(0.0, 1.0),
    source="Banerjee and Lavie, METEOR, ACL workshop 2005 (nltk)",
)
def meteor(
    gold: Golds,
    predicted: Answers,
    *,
    wordnet: bool = False,
    alpha: float = 0.9,
    beta: float = 3.0,
    gamma: float = 0.5,
    tokenize: str = AUTO,
    language: str | None = None,
) -> Sums:
    """Mean METEOR of nltk: words matched exactly, by stem and, with ``wordnet``, by synonym, less a penalty for order.

    Formula: ``P·R / (α·P + (1-α)·R) · (1 - γ·(chunks/matches)^β)``, the best over the references.
    Edge cases: an empty reply scores 0; even the reference itself stays below 1, by ``γ/words^β``. ``wordnet=True``
    needs nltk's WordNet among the user's data (NLTK_DATA) and is what papers report; ``details`` tells which it was.
    """
    import numpy as np
    from nltk.translate.meteor_score import meteor_score

    tokens, synonyms = _chosen(gold, tokenize, language, None), _wordnet() if wordnet else _NoSynonyms()
    cut = tokens.cut
    truths = [[cut(reference) for reference in references] for references in gold]
    replies = [cut(reply or "") for reply in predicted]
    weights = {"alpha": alpha, "beta": beta, "gamma": gamma, "wordnet": synonyms}
    values = [meteor_score(g, p, **weights) if p else 0.0 for g, p in zip(truths, replies, strict=True)]
    return mean_of_items(np.array(values, float), details={"wordnet": float(wordnet), **tokens.details})


class _NoSynonyms:
    """A WordNet without synonyms."""

    def synsets(self, word: str) -> list[Any]:
        """Return no synonyms."""
        return []


def _wordnet() -> Any:
    from nltk.corpus import wordnet

    try:
        wordnet.ensure_loaded()
    except LookupError as error:
        do = "put nltk's wordnet into a folder and set NLTK_DATA to it, or leave out wordnet=True"
        raise NotFound("nltk does not find WordNet", do=do) from error
    return wordnet


@metric(
    "unigram_f1",
    form="text",
    range=(0.0, 1.0),
    source=f"SQuAD's token F1 without its normalization, as in {_ESCONV}",
    compat={"esconv": "nltk's word_tokenize instead of 13a tokens"},
)
def unigram_f1(
    gold: Golds, predicted: Answers, *, tokenize: str = AUTO, language: str | None = None, compat: str | None = None
) -> Sums:
    """Mean F1 of the words that a reply shares with its best reference, in lower case and with repetitions.

    Formula: ``1/N Σ_i max_r 2·|g_ir ∩ p_i| / (|g_ir| + |p_i|)`` over multisets of tokens.
    Edge cases: an empty reply or reference scores 0.
    """
    import numpy as np

    tokens = _chosen(gold, tokenize, language, compat)
    cut = tokens.cut
    replies = [Counter(cut((reply or "").lower())) for reply in predicted]
    truths = [[Counter(cut(reference.lower())) for reference in references] for references in gold]
    values = [max(_shared(reference, p) for reference in g) for g, p in zip(truths, replies, strict=True)]
    return mean_of_items(np.array(values, float), details=_details(tokens, compat))


def _shared(gold: Counter[str], predicted: Counter[str]) -> float:
    return 2 * (gold & predicted).total() / max(1, gold.total() + predicted.total())

"""Metrics of free text against one reference each. An unreadable reply is None and is scored as an empty one.

Every function returns a number in [0, 1].

Raises (all functions): ``Malformed`` when there is nothing to score or the lengths differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from affectllm.metrics.check import check_lengths

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Texts = Sequence[str]
Answers = Sequence[str | None]


def bleu(gold: Texts, predicted: Answers) -> float:
    """Corpus BLEU-4 of sacrebleu / 100: 13a tokens, exponential smoothing (Post, 2018; Papineni et al., 2002)."""
    from sacrebleu.metrics import BLEU

    check_lengths(gold, predicted)
    return float(BLEU(force=True).corpus_score([reply or "" for reply in predicted], [list(gold)]).score) / 100


def rouge_l(gold: Texts, predicted: Answers) -> float:
    """Mean F-measure of the longest common subsequence, by rouge-score without stemming (Lin, 2004).

    rouge-score knows ASCII letters and digits only, so the value means nothing for other scripts.
    """
    check_lengths(gold, predicted)
    return float(_rouge(gold, predicted).mean())


def distinct_1(predicted: Answers) -> float:
    """Different words / all words of the replies (Li et al., 2016), lower case, 13a tokens; 0 where there is none."""
    return _distinct(predicted, 1)


def distinct_2(predicted: Answers) -> float:
    """Different word pairs / all word pairs within the replies (Li et al., 2016); 0 where there is no pair."""
    return _distinct(predicted, 2)


def _distinct(predicted: Answers, order: int) -> float:
    check_lengths(predicted, predicted)
    pairs = [gram for reply in predicted for gram in ngrams(reply, order)]
    return len(set(pairs)) / len(pairs) if pairs else 0.0


def ngrams(reply: str | None, order: int) -> list[tuple[str, ...]]:
    """Runs of ``order`` tokens: lower case, sacrebleu's 13a tokens."""
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    tokens = Tokenizer13a()((reply or "").lower()).split()
    return list(zip(*(tokens[start:] for start in range(order)), strict=False))


def _rouge(gold: Texts, predicted: Answers) -> Array:
    import numpy as np
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"])
    pairs = zip(gold, predicted, strict=True)
    return np.array([scorer.score(truth, reply or "")["rougeL"].fmeasure for truth, reply in pairs])


def table(gold: Texts, predicted: Answers) -> Array:
    """Per item: sacrebleu's ten BLEU counts (lengths, matches, totals), its ROUGE-L, a one; ``[n, 12]``."""
    import numpy as np
    from sacrebleu.metrics import BLEU

    check_lengths(gold, predicted)
    counter = BLEU(force=True)
    rows = []
    for truth, reply in zip(gold, predicted, strict=True):
        score = counter.corpus_score([reply or ""], [[truth]])
        rows.append([score.sys_len, score.ref_len, *score.counts, *score.totals])
    ones = np.ones((len(gold), 1))
    return np.concatenate([np.array(rows, float), _rouge(gold, predicted)[:, None], ones], axis=1)


def from_sums(name: str, sums: Array) -> Array:
    """The metric called ``name`` for many summed tables at once: ``[..., 12]`` → ``[...]``."""
    import numpy as np
    from sacrebleu.metrics import BLEU

    if name == "rouge_l":
        return np.asarray(sums[..., 10] / np.maximum(sums[..., 11], 1))
    values = []
    for row in sums.reshape(-1, sums.shape[-1]).round().astype(int).tolist():
        score = BLEU.compute_bleu(row[2:6], row[6:10], row[0], row[1], smooth_method="exp", max_ngram_order=4)
        values.append(score.score / 100)
    return np.array(values).reshape(sums.shape[:-1])

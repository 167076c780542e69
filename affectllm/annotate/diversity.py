"""How diverse texts are, without a judge: words that recur, texts that resemble the others, labels that dominate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from affectllm.metrics.texts.tokens import ngrams

_MOST = 200  # texts of which each is compared with the others; of more a sample is drawn
_ORDER = 4


def diversity(texts: Sequence[str], labels: Iterable[Sequence[str]]) -> dict[str, Any]:
    """Return distinct-1 and distinct-2, self-BLEU and the entropy of the labels.

    - ``distinct_n``: different n-grams over all n-grams of all texts (Li et al., NAACL 2016); falls with their number.
    - ``self_bleu``: mean BLEU-4 of a text against all others, add-one smoothed, without a brevity penalty (Zhu et al.,
      Texygen, SIGIR 2018); 1 where each text is a copy of another. Of more than 200 texts 200 are drawn.
    - ``label_entropy``: in bits, and as a share of that of equally frequent labels.
    """
    counts = Counter(label for one in labels for label in one)
    total = sum(counts.values())
    entropy = sum((count / total * math.log2(total / count) for count in counts.values()), 0.0)
    even = math.log2(len(counts)) if len(counts) > 1 else 0.0
    return {
        "texts": len(texts),
        "distinct_1": _distinct(texts, 1),
        "distinct_2": _distinct(texts, 2),
        "self_bleu": round(self_bleu(texts), 4),
        "label_entropy": round(entropy, 4),
        "label_evenness": round(entropy / even, 4) if even else 0.0,
        "labels": dict(counts.most_common()),
    }


def self_bleu(texts: Sequence[str]) -> float:
    """Return the mean BLEU-4 of each text against the others, without those that have no word; 0 for fewer than two."""
    worded = [text for text in texts if ngrams(text, 1)]
    chosen = worded if len(worded) <= _MOST else Random(0).sample(worded, _MOST)
    if len(chosen) < 2:
        return 0.0
    grams = {order: [Counter(ngrams(text, order)) for text in chosen] for order in range(1, _ORDER + 1)}
    most = {order: _two_highest(counters) for order, counters in grams.items()}
    scores = []
    for place in range(len(chosen)):
        logs = []
        for order in range(1, _ORDER + 1):
            own = grams[order][place]
            matched = sum(min(count, _of_others(most[order], gram, place)) for gram, count in own.items())
            logs.append(math.log((matched + (order > 1)) / (sum(own.values()) + (order > 1)) or 1e-9))
        scores.append(math.exp(sum(logs) / _ORDER))
    return sum(scores) / len(scores)


def _two_highest(counters: Sequence[Counter[Any]]) -> dict[Any, tuple[int, int, int]]:
    """Return n-gram → its highest count in a text, that text, and the highest count in another one."""
    highest: dict[Any, tuple[int, int, int]] = {}
    for place, counter in enumerate(counters):
        for gram, count in counter.items():
            first, owner, second = highest.get(gram, (0, -1, 0))
            highest[gram] = (count, place, first) if count > first else (first, owner, max(second, count))
    return highest


def _of_others(highest: dict[Any, tuple[int, int, int]], gram: Any, place: int) -> int:
    first, owner, second = highest[gram]
    return second if owner == place else first


def _distinct(texts: Sequence[str], order: int) -> float:
    grams = [gram for text in texts for gram in ngrams(text.lower(), order)]
    return round(len(set(grams)) / len(grams), 4) if grams else 0.0

"""How far words that were heard are from words that were said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from affectllm.metrics.core.counts import ratio
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.texts.tokens import AUTO, choose

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


@metric(
    "word_error_rate",
    title="Word error rate",
    hub="wer",
    form="text",
    range=(0.0, math.inf),
    better="lower",
    source="Morris, Maier and Green, From WER and RIL to MER and WIL, Interspeech 2004; as jitsi/jiwer counts",
)
def word_error_rate(
    gold: list[tuple[str, ...]], predicted: list[str | None], *, tokenize: str = AUTO, language: str | None = None
) -> Sums:
    """Words that must be changed, put in or taken out to make what was said of what was heard, over those said.

    Formula: ``Σ edits / Σ words of the reference``, over the corpus, in lower case and without punctuation.
    Edge cases: an unreadable answer is an empty one, all of whose words are missing; of several references the one with
    the smallest share of edits counts; with more edits than words the value is above 1; no word at all is 0. Words are
    chosen by ``language``, or by the letters of the references, see ``metrics.tokens``: characters where no blanks are
    written.
    """
    import numpy as np

    tokens = choose(tokenize, language, [text for texts in gold for text in texts])

    def words(text: str) -> list[str]:
        return [word for word in tokens.cut(text.lower()) if any(letter.isalnum() for letter in word)]

    rows = [
        _nearest([words(text) for text in texts], words(heard or ""))
        for texts, heard in zip(gold, predicted, strict=True)
    ]
    return Sums(np.array(rows, float), lambda sums: ratio(sums[..., 0], sums[..., 1]), details=tokens.details)


def _nearest(said: Sequence[list[str]], heard: list[str]) -> tuple[int, int]:
    """Return the edits to the nearest reference, and its words."""
    from rapidfuzz.distance import Levenshtein

    pairs = [(Levenshtein.distance(words, heard), len(words)) for words in said]
    return min(pairs, key=lambda pair: pair[0] / max(1, pair[1]))

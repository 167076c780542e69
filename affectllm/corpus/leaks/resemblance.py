"""Find which texts of a large stream resemble one of a small set, which is indexed in memory ("held").

Two steps. An inverted index over words, weighted by how rare they are among the texts that are held (inverse document
frequency: Spärck Jones, 1972), names candidates: those that hold enough of the weight of the shorter text. Of each
candidate the words that both have in the same order are counted (longest common subsequence), so that changed words,
halves, beginnings and quotations are seen, and a bag of the same words is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from affectllm.corpus.leaks.normalised import SHORT_WORDS, normalised

SAME_TEXT, NEAR_TEXT, PART_OF = "same text", "near text", "part of"
# Chosen on GoEmotions in EmpatheticDialogues and DailyDialog in MELD; see docs/leaks.md.
# What the words in common must be worth, in nats: an unrelated text has them all once in e^11 = 60,000 times, or in a
# fortieth (e^-3.7) of one held text where few are held. A long text has many places where a short one may be said by
# chance, so a part must be worth two words that no other text has, unless all of it stands there.
LEAST_WORTH, _LEAST_ODDS, _LEAST_RARE = 11.0, 3.7, 2.0
_STRICTER = 0.15  # added to the threshold for a part
_LEAST_WORDS, _LEAST_OF_PART = 4, 5  # in common, in the same order
_GAP = 0.5  # of a word's weight, which each word between two that are shared takes away from their stretch
_OF_THE_WHOLE = 0.7  # a text shorter than this share of the other is a part of it
_COMMON, _MANY = 0.02, 200  # words in more than this share of the held texts, and in this many, name no candidate
_SURE = 0.5  # share of what is asked of a match that the words of a candidate must reach


class Match(NamedTuple):
    """A text that resembles a held one.

    Attributes:
        asked, held: their numbers.
        similarity: weight of the words that both have in the same order, as a share of that of the shorter text.
        sameness: ``same text``, ``near text`` or ``part of``.
    """

    asked: int
    held: int
    similarity: float
    sameness: str


@dataclass(frozen=True)
class Words:
    """The words of some texts, by number of the text; texts that are too short are left out.

    Attributes:
        numbers: of the texts.
        tokens: words of each, or characters where the script has no spaces.
        spaced: whether they are words.
    """

    numbers: list[int]
    tokens: list[list[str]]
    spaced: list[bool]

    @classmethod
    def of(cls, texts: Iterable[tuple[str | None, str | None]], least: int = _LEAST_OF_PART) -> Words:
        """Tokenise texts with their language; ``least`` words may be half of a text that is long enough to be held."""
        numbers, tokens, spaced = [], [], []
        for number, (text, language) in enumerate(texts):
            form, tokens_of, short = normalised(text or "", language)
            is_spaced = tokens_of == form.split()
            if tokens_of and (not short or (is_spaced and len(tokens_of) >= least)):
                numbers.append(number)
                tokens.append(tokens_of)
                spaced.append(is_spaced)
        return cls(numbers, tokens, spaced)


class Resemblance:
    """An index of texts to compare others with; about 1 KiB for each distinct one of at least six words.

    Args:
        texts: text and language of each; a text that comes again counts as its first one.
        threshold: least similarity, in (0, 1].
    """

    def __init__(self, texts: Iterable[tuple[str | None, str | None]], threshold: float) -> None:
        words = Words.of(texts, SHORT_WORDS)
        first: dict[str, int] = {}
        for place, tokens in enumerate(words.tokens):
            first.setdefault("".join(tokens), place)
        self._numbers = [words.numbers[place] for place in first.values()]
        self._threshold = threshold
        self._ids: dict[str, int] = {}
        self._held = [[self._ids.setdefault(w, len(self._ids)) for w in words.tokens[p]] for p in first.values()]
        self._letters = {letters: at for at, letters in enumerate(first)}
        self._weigh()

    def _weigh(self) -> None:
        from scipy.sparse import csr_array

        count, rows = len(self._held), [np.unique(words) for words in self._held]
        columns = np.concatenate(rows) if rows else np.empty(0, np.int64)
        seen = np.bincount(columns, minlength=len(self._ids) + 1)
        # The last weight is that of words that no held text has: they count as those that one has.
        self._weights = weights = np.log((count + 1.0) / np.maximum(seen, 1))
        self._rarest = float(weights.max())
        self._telling = (seen <= max(_MANY, _COMMON * count)) * weights
        ends = np.cumsum([0, *map(len, rows)])
        matrix = csr_array((np.ones(len(columns), np.float32), columns, ends), shape=(count, len(self._ids)))
        self._index = matrix.T.tocsr()
        self._held_telling = np.array([self._telling[row].sum() for row in rows])

    def matches(self, asked: Words) -> Iterator[Match]:
        """Yield each similar pair, in the order of ``asked``."""
        unknown = len(self._ids)
        texts = [[self._ids.get(word, unknown) for word in words] for words in asked.tokens]
        same = ((place, self._letters.get("".join(words))) for place, words in enumerate(asked.tokens))
        pairs = {(place, other) for place, other in same if other is not None}
        for place, other in sorted(pairs | self._candidates(texts)):
            if (place, other) in pairs:
                yield Match(asked.numbers[place], self._numbers[other], 1.0, SAME_TEXT)
                continue
            part = _is_part(texts[place], self._held[other])
            similarity = self._alike(texts[place], self._held[other], part or not asked.spaced[place])
            if similarity >= min(1.0, self._threshold + part * _STRICTER):
                sameness = PART_OF if part else NEAR_TEXT
                yield Match(asked.numbers[place], self._numbers[other], similarity, sameness)

    def _candidates(self, texts: Sequence[Sequence[int]]) -> set[tuple[int, int]]:
        """Return positions of asked and held texts that share enough of the words that tell one text from another."""
        from scipy.sparse import csr_array

        if not texts or not self._held:
            return set()
        every = [np.unique(text) for text in texts]
        totals = np.array([self._telling[ids].sum() for ids in every])
        known_ids = [ids[ids < len(self._ids)] for ids in every]
        columns, ends = np.concatenate(known_ids), np.cumsum([0, *map(len, known_ids)])
        rows = csr_array((self._telling[columns].astype(np.float32), columns, ends), shape=(len(texts), len(self._ids)))
        rows.eliminate_zeros()
        shared = (rows @ self._index).tocoo()
        least = np.minimum(totals[shared.row], self._held_telling[shared.col])
        enough = shared.data >= _SURE * np.maximum(self._threshold * least, self._rarest)
        return set(zip(shared.row[enough].tolist(), shared.col[enough].tolist(), strict=True))

    def _alike(self, one: Sequence[int], other: Sequence[int], strictly: bool) -> float:
        """Return the similarity of two texts, 0 where it may be chance; ``strictly`` for parts and characters."""
        from rapidfuzz.distance import LCSseq

        short, long = sorted((one, other), key=len)
        is_common = np.zeros(len(long), bool)
        for _, begin, size in LCSseq.editops(short, long).as_matching_blocks():
            is_common[begin : begin + size] = True
        weights = self._weights[np.asarray(long)]
        # Words in common count where they are dense: scattered ones are common to any two long texts.
        inside = _densest(np.where(is_common, weights, -_GAP * weights[is_common].mean()))
        shared = weights[inside][is_common[inside]]
        verbatim = long[inside] == short
        worth = _LEAST_RARE * self._rarest
        if verbatim or not strictly:
            worth = min(worth, LEAST_WORTH, self._rarest + _LEAST_ODDS)
        if len(shared) < (_LEAST_OF_PART if strictly else _LEAST_WORDS) or shared.sum() < worth:
            return 0.0
        return float(shared.sum() / self._weights[np.asarray(short)].sum())


def _is_part(one: Sequence[int], other: Sequence[int]) -> bool:
    least, most = sorted((len(one), len(other)))
    return least < _OF_THE_WHOLE * most


def _densest(values: Any) -> slice:
    """Return the run with the largest sum (Kadane's algorithm)."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    lowest = np.minimum.accumulate(sums)
    end = int(np.argmax(sums - lowest))
    return slice(int(np.argmin(sums[: end + 1])), end)

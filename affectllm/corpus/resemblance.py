"""Which texts of a large side resemble one of a small side: the small one is held, the large one passes by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from affectllm.corpus import minhash
from affectllm.corpus.duplicates import Sketches, TextDuplicates
from affectllm.corpus.sample import Sample

_PAIRS = 1 << 18  # compared at once: 32 MiB of bytes a side


class Resemblance:
    """Texts that others are compared with; about 0.4 KiB for each distinct one of at least six words.

    Args:
        texts: text and language of each; a text that comes again counts as its first one.
        threshold, shingle: as of ``TextDuplicates``.
    """

    def __init__(self, texts: Iterable[tuple[str, str | None]], threshold: float, shingle: int) -> None:
        self._finder = TextDuplicates(threshold, shingle)
        held = self._finder.sketch((str(number), *text) for number, text in enumerate(texts))
        digests, rows, low, bands = held.arrays()
        _, first = np.unique(digests[rows], axis=0, return_index=True)
        self._rows, self._low, self._digests = rows[first], low[first], digests[rows[first]]
        self._orders = [np.argsort(band[first]) for band in bands]
        self._bands = [band[first][order] for band, order in zip(bands, self._orders, strict=True)]
        self._least = minhash.agreements(threshold)

    def sketch(self, samples: Sequence[Sample]) -> Sketches:
        """What ``matches`` needs to know of the samples of the other side."""
        return self._finder.sketch(("", sample.text or "", sample.language) for sample in samples)

    def matches(self, asked: Sketches) -> Iterator[tuple[int, int, float, bool]]:
        """Of each pair that resembles: numbers asked and held, estimated similarity, whether the form is the same."""
        digests, rows, low, bands = asked.arrays()
        ranges = [self._bucket(band, hashes) for band, hashes in enumerate(bands)]
        for few in _groups(sum((end - begin for begin, end in ranges), np.zeros(len(rows), np.int64))):
            asking, held = self._pairs(few, ranges)
            agree = minhash.agreeing(low[asking], self._low[held])
            for at in np.flatnonzero(agree >= self._least).tolist():
                one, other = asking[at], held[at]
                same = bool((digests[rows[one]] == self._digests[other]).all())
                yield int(rows[one]), int(self._rows[other]), float(minhash.estimate(agree[at])), same

    def _bucket(self, band: int, hashes: minhash.Numbers) -> tuple[minhash.Numbers, minhash.Numbers]:
        """Where in the order of a band the held texts with these hashes begin and end."""
        return np.searchsorted(self._bands[band], hashes, "left"), np.searchsorted(self._bands[band], hashes, "right")

    def _pairs(self, few: slice, ranges: Sequence[tuple[minhash.Numbers, minhash.Numbers]]) -> minhash.Numbers:
        """Numbers of asking and held sketches that share a bucket, each pair once, in order."""
        found = []
        for order, (begins, ends) in zip(self._orders, ranges, strict=True):
            begin, many = begins[few], ends[few] - begins[few]
            asking = np.repeat(np.arange(few.start, few.stop), many)
            inside = np.arange(len(asking)) - np.repeat(np.cumsum(many) - many, many)
            found.append(asking << 32 | order[np.repeat(begin, many) + inside])
        distinct = np.unique(np.concatenate(found))
        return np.stack([distinct >> 32, distinct & 0xFFFFFFFF])


def _groups(many: minhash.Numbers) -> Iterator[slice]:
    """Runs of asking sketches with at most ``_PAIRS`` candidates together, or one alone; none without candidates."""
    begin = 0
    while begin < len(many):
        reached = np.searchsorted(np.cumsum(many[begin:]), _PAIRS, "right")
        end = begin + max(1, int(reached))
        if many[begin:end].any():
            yield slice(begin, end)
        begin = end

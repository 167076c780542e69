"""MinHash: sketches of sets of shingles, from which their Jaccard similarity is estimated.

A shingle is a run of consecutive tokens. Of each of 128 random orders of all shingles a sketch remembers which shingle
of the text comes first; two texts agree there with the probability that is their Jaccard similarity (Broder, On the
resemblance and containment of documents, 1997). Only the lowest byte of each minimum is kept, which takes a quarter of
the room and lets one in 256 agree by chance, for which the estimate is corrected (Li and König, b-bit minwise hashing,
2010). Texts whose minima agree in a whole band are looked at as candidates; how many bands there are and how long they
are follows from the threshold (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, section 3.4).

Everything is integer arithmetic with fixed constants: the same on every machine, in every process and for every cut.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectllm.errors import AffectError

PERMUTATIONS = 128
# A pair of exactly the threshold's similarity is missed by the bands in at most this share of cases.
_MISSED = 0.01
_SEED = 17
_BLOCK = 65_536  # shingles hashed at once: half a MiB, which stays in the processor's cache

Numbers = NDArray[Any]


def check_threshold(threshold: float) -> None:
    """Raise AffectError unless ``threshold`` is in (0, 1]."""
    if not 0 < threshold <= 1:
        raise AffectError(
            f"the threshold {threshold} is no Jaccard similarity", do="give a number above 0 and at most 1, like 0.8"
        )


def banding(threshold: float) -> tuple[int, int]:
    """Return number and length of bands: the longest that miss at most one in a hundred pairs at the threshold."""
    fitting = [
        (PERMUTATIONS // rows, rows)
        for rows in range(1, PERMUTATIONS + 1)
        if (1 - threshold**rows) ** (PERMUTATIONS // rows) <= _MISSED
    ]
    return fitting[-1] if fitting else (PERMUTATIONS, 1)


def agreements(threshold: float) -> int:
    """Return how many of the kept bytes must agree for an estimate of at least ``threshold``."""
    return int(np.ceil(PERMUTATIONS * (threshold * 255 + 1) / 256 - 1e-9))


def estimate(agreeing: Any) -> Any:
    """Estimate the Jaccard similarity from the number of agreeing bytes; at least 0."""
    return np.maximum(0.0, (np.asarray(agreeing) / PERMUTATIONS * 256 - 1) / 255)


def agreeing(sketches: Numbers, other: Numbers) -> Numbers:
    """Return the number of bytes in which each row agrees with ``other`` (one row, or as many)."""
    return np.asarray((sketches == other).sum(axis=-1, dtype=np.int32))


def minima(texts: Sequence[Sequence[str]], shingle: int) -> Numbers:
    """Return the least hash of each text under every permutation.

    Args:
        texts: tokens of each text, at least ``shingle`` of them.
        shingle: tokens in a shingle.

    Returns:
        uint32 of shape (texts, PERMUTATIONS).
    """
    least_hashes = np.empty((len(texts), PERMUTATIONS), np.uint32)
    at = 0
    for block in _blocks(texts):
        values, begins = _shingles(block, shingle)
        least_hashes[at : at + len(block)] = _least(values, begins).T
        at += len(block)
    return least_hashes


def _blocks(texts: Sequence[Sequence[str]]) -> Iterator[Sequence[Sequence[str]]]:
    """Yield the texts in runs of about ``_BLOCK`` tokens."""
    ends = accumulate(map(len, texts))
    for _, block in groupby(zip(ends, texts, strict=True), lambda pair: pair[0] // _BLOCK):
        yield [text for _, text in block]


def _shingles(texts: Sequence[Sequence[str]], shingle: int) -> tuple[Numbers, Numbers]:
    """Return the hashes of all shingles, text after text, and where each text begins."""
    crc = zlib.crc32
    tokens = np.array([crc(t.encode("utf-8", "surrogatepass")) for text in texts for t in text], np.uint64)
    lengths = np.array([len(text) for text in texts])
    windows = len(tokens) - shingle + 1
    # Each place in a shingle has an odd factor of its own, so that the order of the words counts.
    mixed = np.zeros(windows, np.uint64)
    for place, factor in enumerate(_odd(shingle, 0)):
        mixed += tokens[place : place + windows] * factor
    ends = np.repeat(np.cumsum(lengths), lengths)[:windows]
    inside = np.arange(windows) + shingle <= ends  # the others run over the end of their text
    begins = np.concatenate([[0], np.cumsum(lengths - shingle + 1)[:-1]])
    return _scramble(mixed[inside]), begins


def _least(values: Numbers, begins: Numbers) -> Numbers:
    least = np.empty((PERMUTATIONS, len(begins)), np.uint32)
    room = np.empty_like(values)
    # Multiply-shift: the upper half of a·x + b (Dietzfelbinger et al., 1997).
    for row, (factor, shift) in enumerate(zip(_odd(PERMUTATIONS, 1), _odd(PERMUTATIONS, 2), strict=True)):
        np.multiply(values, factor, out=room)
        np.add(room, shift, out=room)
        np.right_shift(room, np.uint64(32), out=room)
        least[row] = np.minimum.reduceat(room, begins)
    return least


def band_hashes(least: Numbers, bands: int, rows: int) -> list[Numbers]:
    """Return one uint32 for each band of each text; texts that agree in a band have the same."""
    parts = least[:, : bands * rows].astype(np.uint64).reshape(len(least), bands, rows)
    return list(_scramble(parts @ _odd(rows, 3)).astype(np.uint32).T)


def _odd(count: int, stream: int) -> Numbers:
    # Raw output of PCG64: unlike Generator.integers, numpy promises that it stays as it is.
    bits = np.random.PCG64(np.random.SeedSequence([_SEED, stream])).random_raw(count)
    return np.asarray(bits, np.uint64) | np.uint64(1)


def _scramble(values: Numbers) -> Numbers:
    """Apply the finaliser of SplitMix64: every bit of the input reaches every bit of the output."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))

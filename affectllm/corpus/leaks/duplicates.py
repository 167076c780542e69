"""Find exact and near duplicates among texts of any number of corpora; the first in input order is kept.

Two steps, so that chunks may be sketched in any process and compared in one::

    finder = TextDuplicates()
    sketches = [finder.sketch(chunk) for chunk in chunks]   # or executor.map(finder.sketch, chunks)
    dropped = finder.compare(sketches)                      # the same as finder.find(all texts)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain, islice
from typing import Any

import numpy as np

from affectllm.corpus.leaks import minhash
from affectllm.corpus.leaks.normalised import SHORT_WORDS, normalised
from affectllm.errors import AffectError

Text = tuple[str, str, str | None]  # key, text, BCP-47 tag
THRESHOLD, SHINGLE = 0.8, 5
_CHUNK = 4096
# Kept texts of one bucket that later ones are compared with. Texts from one template, alike but not enough to be
# dropped, would otherwise be compared each with each.
_CROWD = 200
_NONE = -1


@dataclass
class Sketches:
    """Keys, digests and MinHash sketches of texts, in input order. Picklable.

    Attributes:
        keys, ends: the keys as UTF-8, one after the other, and where each ends.
        digests: 16 bytes a text: of its form; zeros where it is left alone.
        rows: numbers of the texts that are long enough for a sketch (uint32), of which there are
        low: 128 bytes each, and
        bands: for each band a uint32 each.
    """

    keys: bytearray = field(default_factory=bytearray)
    ends: bytearray = field(default_factory=bytearray)
    digests: bytearray = field(default_factory=bytearray)
    rows: bytearray = field(default_factory=bytearray)
    low: bytearray = field(default_factory=bytearray)
    bands: list[bytearray] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ends) // 8

    def key(self, index: int) -> str:
        """Return the key of a text by its number."""
        begin, end = (int(e) for e in (self._ends()[index - 1] if index else 0, self._ends()[index]))
        return self.keys[begin:end].decode("utf-8", "surrogatepass")

    def _ends(self) -> Any:
        return np.frombuffer(self.ends, np.int64)

    def extend(self, other: Sketches) -> None:
        """Add the texts of ``other`` behind these."""
        before, bytes_before = len(self), len(self.keys)
        self.ends += (other._ends() + bytes_before).tobytes()
        self.rows += (np.frombuffer(other.rows, np.uint32) + np.uint32(before)).tobytes()
        self.keys += other.keys
        self.digests += other.digests
        self.low += other.low
        self.bands = self.bands or [bytearray() for _ in other.bands]
        for band, more in zip(self.bands, other.bands, strict=True):
            band += more

    def arrays(self) -> tuple[Any, Any, Any, list[Any]]:
        """Return digests, rows, low bytes and bands as arrays over the same memory."""
        low = np.frombuffer(self.low, np.uint8).reshape(-1, minhash.PERMUTATIONS)
        bands = [np.frombuffer(band, np.uint32) for band in self.bands]
        return np.frombuffer(self.digests, np.uint64).reshape(-1, 2), np.frombuffer(self.rows, np.uint32), low, bands


class TextDuplicates:
    """Finds texts that are the same, or nearly, as an earlier one.

    A text is dropped when its form (see ``normalised``) is that of an earlier text, or when the estimated Jaccard
    similarity of its shingles to an earlier text that is kept reaches the threshold. Texts of fewer than six words (ten
    characters where words are not spaced) recur by chance and are left alone; a text without words always is. Among
    more than 200 kept texts with one band in common, as a template makes them, a near-duplicate may go unseen.

    Memory: about 240 bytes a text and its key while sketching (threshold 0.8), at most 400 bytes more a text while
    comparing, and the answer: a million texts of twenty words take 0.5 GB at the peak, Python included.

    Args:
        threshold: least estimated Jaccard similarity of a near-duplicate, in (0, 1]; None finds exact ones alone.
        shingle: words (or characters) in a shingle, 1 to 6. A changed word changes that many shingles, so that in short
            texts long shingles see little more than what is cut or added at an end.
        short: whether exact duplicates of short texts are dropped too.

    Raises:
        AffectError: when a number is out of its bounds.
    """

    def __init__(self, threshold: float | None = THRESHOLD, shingle: int = SHINGLE, short: bool = False) -> None:
        if threshold is not None:
            minhash.check_threshold(threshold)
        if not 1 <= shingle <= SHORT_WORDS:
            raise AffectError(
                f"shingles of {shingle} words", do=f"give 1 to {SHORT_WORDS}: shorter texts are left alone"
            )
        self.threshold, self.shingle, self.short = threshold, shingle, short
        self.bands, self.band_rows = (0, 0) if threshold is None else minhash.banding(threshold)

    def find(self, texts: Iterable[Text]) -> dict[str, str]:
        """Return key of each dropped text → key of the text that is kept instead.

        Args:
            texts: key (unique), text and language of each, in a stable order.
        """
        return self.compare([self.sketch(texts)])

    def sketch(self, texts: Iterable[Text]) -> Sketches:
        """Return the sketches of ``texts``, as ``compare`` takes them."""
        sketches, source = Sketches(bands=[bytearray() for _ in range(self.bands)]), iter(texts)
        while chunk := list(islice(source, _CHUNK)):
            self._add(sketches, chunk)
        return sketches

    def _add(self, sketches: Sketches, chunk: Sequence[Text]) -> None:
        long, rows, before = [], [], len(sketches)
        for number, (key, text, language) in enumerate(chunk, before):
            sketches.keys += key.encode("utf-8", "surrogatepass")
            sketches.ends += len(sketches.keys).to_bytes(8, "little")
            form, tokens, short = normalised(text, language)
            alone = not form or (short and not self.short)
            sketches.digests += bytes(16) if alone else digest(form)
            if not short and self.bands:
                long.append(tokens)
                rows.append(number)
        if long:
            sketches.rows += np.array(rows, np.uint32).tobytes()
            least = minhash.minima(long, self.shingle)
            sketches.low += least.astype(np.uint8).tobytes()
            for band, hashes in zip(
                sketches.bands, minhash.band_hashes(least, self.bands, self.band_rows), strict=True
            ):
                band += hashes.tobytes()

    def compare(self, sketches: Iterable[Sketches]) -> dict[str, str]:
        """Return key of each dropped text → key of the kept one; ``sketches`` in the stable order of their texts."""
        every = _joined(sketches)
        digests, rows, low, bands = every.arrays()
        originals = _first_of_same(digests)
        if self.threshold is not None and len(rows):
            alone = originals[rows] == rows  # exact copies need no second look
            for dropped, by in _near(low, bands, np.flatnonzero(alone), minhash.agreements(self.threshold)):
                originals[rows[dropped]] = rows[by]
            originals = originals[originals]  # copies of a text that is itself dropped
        return {
            every.key(int(index)): every.key(int(originals[index]))
            for index in np.flatnonzero(originals != np.arange(len(originals)))
        }


def _joined(sketches: Iterable[Sketches]) -> Sketches:
    parts = iter(sketches)
    joined = next(parts, Sketches())
    if (second := next(parts, None)) is None:
        return joined  # the usual case, and the large one: nothing is copied
    first, joined = joined, Sketches()
    for part in chain([first, second], parts):
        joined.extend(part)
    return joined


def digest(form: str) -> bytes:
    """Return a 16-byte hash of a normalised text that ignores where its words are separated."""
    return blake2b(form.replace(" ", "").encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _first_of_same(digests: Any) -> Any:
    """Return for each text the number of the first text with its digest."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))  # stable: of equal ones the first stays first
    ordered = digests[order]
    fresh = np.ones(len(order), bool)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(axis=1) | ~ordered[1:].any(axis=1)
    heads = np.flatnonzero(fresh)
    firsts = np.empty(len(order), np.int64)
    firsts[order] = np.repeat(order[heads], np.diff([*heads, len(order)]))
    return firsts


def _near(low: Any, bands: Sequence[Any], among: Any, least: int) -> Iterator[tuple[int, int]]:
    """Yield (dropped, kept) numbers of sketches, in order: they agree in ``least`` bytes, the kept one is earlier."""
    buckets = [_Bucket(band[among]) for band in bands]
    begins = np.stack([bucket.begin for bucket in buckets], axis=1)
    for place in np.flatnonzero((begins != _NONE).any(axis=1)).tolist():
        shared = [(b, at) for b, at in zip(buckets, begins[place].tolist(), strict=True) if at != _NONE]
        earlier = np.unique(np.concatenate([bucket.kept(at) for bucket, at in shared]))
        alike = minhash.agreeing(low[among[earlier]], low[among[place]]) >= least
        if alike.any():
            yield int(among[place]), int(among[earlier[alike.argmax()]])
            continue
        for bucket, at in shared:
            bucket.keep(at, place)


class _Bucket:
    """The kept texts of one band by their hash. There is room for each text that shares its hash with another.

    Attributes:
        begin: for each text where its bucket begins, or -1 when it is there alone.
    """

    def __init__(self, hashes: Any) -> None:
        order = np.argsort(hashes)
        ordered = hashes[order]
        same = np.zeros(len(order) + 1, bool)
        same[1:-1] = ordered[1:] == ordered[:-1]
        shared = same[1:] | same[:-1]
        head = np.flatnonzero(~same[:-1][shared])
        size = int(shared.sum())
        self.begin = np.full(len(order), _NONE, np.int32)
        self.begin[order[shared]] = np.repeat(head, np.diff([*head, size]))
        self._members = np.empty(size, np.int32)
        self._count = np.zeros(size, np.int32)

    def kept(self, at: int) -> Any:
        return self._members[at : at + self._count[at]]

    def keep(self, at: int, place: int) -> None:
        if self._count[at] < _CROWD:
            self._members[at + self._count[at]] = place
            self._count[at] += 1

"""Splits by speaker: corpora without official splits get one that is written down, and checked to be disjoint."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from affectllm.corpus.sample import SPLITS, TEST, TRAIN, VALIDATION, Sample
from affectllm.errors import Malformed


def by_speaker(*, train: Collection[str], validation: Collection[str], test: Collection[str]) -> Mapping[str, str]:
    """Return speaker → split.

    Raises:
        Malformed: when a speaker is in two splits, or a split has none.
    """
    assigned: dict[str, str] = {}
    for split, speakers in ((TRAIN, train), (VALIDATION, validation), (TEST, test)):
        if not speakers:
            raise Malformed(f"the split {split} has no speaker")
        for speaker in speakers:
            if assigned.setdefault(speaker, split) != split:
                raise Malformed(f"speaker {speaker} is in {assigned[speaker]} and in {split}")
    return assigned


def by_hash(key: str, *, validation: float = 0.1, test: float = 0.1, salt: str = "") -> str:
    """Return the split of everything that ``key`` names (a speaker, a dialogue, a film): the same on every machine.

    Args:
        key: what must not be torn apart.
        validation, test: shares of all keys.
        salt: name of the corpus, so that keys of several corpora are drawn apart.
    """
    drawn = draw(f"{salt}/{key}")
    return TEST if drawn < test else VALIDATION if drawn < test + validation else TRAIN


def draw(key: str) -> float:
    """Return a number in [0, 1) that depends on nothing but ``key``."""
    return (
        int.from_bytes(hashlib.blake2b(key.encode("utf-8", "backslashreplace"), digest_size=7).digest(), "big") / 2**56
    )


def shared_speakers(samples: Iterable[Sample]) -> dict[str, tuple[str, ...]]:
    """Return speakers that occur in more than one split → those splits, in the order train, validation, test."""
    splits_of: defaultdict[str, set[str]] = defaultdict(set)
    for sample in samples:
        if sample.speaker is not None:
            splits_of[sample.speaker].add(sample.split)
    return {who: tuple(s for s in SPLITS if s in where) for who, where in sorted(splits_of.items()) if len(where) > 1}

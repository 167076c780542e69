"""Mixtures: the parts of a training set, and options that apply to all of them. TRAIN only."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

from affectllm.errors import Malformed
from affectllm.instruct.conversations import Order
from affectllm.instruct.mixture_part import Part


@dataclass(frozen=True)
class Mixture:
    """The definition of a training set.

    Args:
        mixture: parts, in order.
        validation_rows: at most this many validation samples per part; None for all.
        temperature: T above 1 brings parts of different size nearer to each other: a part of n samples is weighted
            by n^(1/T), and the expected total stays (Arivazhagan et al., arXiv 1907.05019, section 3).
        order: of the training conversations; ``stages`` and ``short_first`` are curricula.
        deduplicate: training samples that are dropped: ``text`` (equal words), ``near_text`` (estimated Jaccard
            similarity of their word pairs of at least 0.7), ``media`` (equal bytes); across all corpora. The first one
            stays, and a copy is asked what no copy before it is asked: another wording, another dimension.
        languages: BCP-47 tags of the samples that are asked; None for all.
        only: ``commercial`` leaves out corpora whose licence forbids commercial use.
    """

    mixture: tuple[Part, ...]
    validation_rows: int | None = 500
    temperature: float = 1.0
    order: Order = "given"
    deduplicate: tuple[Literal["text", "near_text", "media"], ...] = ()
    languages: tuple[str, ...] | None = None
    only: Literal["any", "commercial"] = "any"

    def corpora(self) -> list[str]:
        """Return the names of the corpora of the parts, in order."""
        return list(dict.fromkeys(part.corpus for part in self.mixture))

    @property
    def rejects(self) -> bool:
        """Whether some part has worse answers beside the given ones."""
        return any(part.rejected for part in self.mixture)

    def check(self) -> None:
        """Raise ``Malformed`` with the field as its place when a number is out of range."""
        if not 0.1 <= self.temperature < math.inf:
            advice = "1 leaves the sizes as they are; larger ones bring them nearer"
            raise Malformed("a temperature is at least 0.1", where="temperature", do=advice)
        shares = [part.share for part in self.mixture if part.share is not None]
        if shares and (sum(shares) >= 1 or len(shares) == len(self.mixture)):
            message = f"the shares sum to {sum(shares):g}, and leave nothing for the other parts"
            raise Malformed(message, where="mixture", do="lower them, or add a part without a share")
        keys = Counter((part.corpus, part.key) for part in self.mixture)
        if twice := [corpus for (corpus, _), count in keys.items() if count > 1]:
            raise Malformed(f"two parts ask {twice[0]} the same", where="mixture", do="give one of them a weight of 2")
        if self.validation_rows is not None and self.validation_rows < 0:
            raise Malformed("validation_rows is a number of rows, or null for all", where="validation_rows")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

"""Fingerprints of pictures: small grey copies, laid on one another and compared piece by piece.

A hash of a few bits cannot tell two faces before one wall, or two moments of one face, from a copy that was compressed
again. So candidates come from the likeness of coarse copies and of their crops; each is then laid on the other as well
as it goes, and must agree in every piece: a mouth or an eye that moved does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_KEPT, _FINE, _COARSE = 96, 64, 16  # sides of what is kept, of what is compared, of what names candidates
_INSIDE = (0.95, 0.9)  # sides of the crops that are tried, in the middle and in the corners
_CANDIDATES, _LIKE = 8, 0.8  # most of a picture, and least correlation of the coarse copies
_PIECE = 8
_FLAT = 4.0  # grey levels of deviation: pieces below tell nothing
_LEAST_PIECES = 6
_WORST = 3  # pieces that decide
_STEPS = (0.02, 0.01, 0.005, 0.0025)  # of a side
_SMALLEST = 0.7  # side of a crop
# Chosen on frames of CREMA-D and made pictures; see docs/leaks.md.
LEAST_AGREEMENT = 0.94

Numbers = NDArray[Any]
Box = tuple[float, float, float, float]


class Look(NamedTuple):
    """A picture.

    Attributes:
        kept: uint8 ``[96, 96]``, grey.
        coarse: float16 ``[crops, 256]`` of length 1, the whole picture first.
    """

    kept: Numbers
    coarse: Numbers


def _boxes() -> list[Box]:
    found: list[Box] = [(0.0, 0.0, 1.0, 1.0)]
    for side in _INSIDE:
        rest = 1.0 - side
        corners = [(x, y) for x in (0.0, rest) for y in (0.0, rest)]
        found += [(x, y, x + side, y + side) for x, y in [(rest / 2, rest / 2), *corners]]
    return found


BOXES = _boxes()


def look(picture: Numbers) -> Look:
    """That of a picture, uint8 ``[height, width, 3]``."""
    from PIL import Image

    grey = Image.fromarray(picture).convert("L")
    kept = grey.resize((_KEPT, _KEPT), Image.Resampling.BOX if min(grey.size) >= _KEPT else Image.Resampling.BICUBIC)
    crops = []
    for box in BOXES:
        part = kept.resize((_COARSE, _COARSE), Image.Resampling.BOX, box=_sides(box))
        values = np.asarray(part, np.float32).ravel()
        values -= values.mean()
        crops.append(values / max(float(np.linalg.norm(values)), 1e-6))
    return Look(np.asarray(kept), np.stack(crops).astype(np.float16))


class LookIndex:
    """Pictures that others are compared with, 20 KiB each.

    Args:
        held: a picture each.
    """

    def __init__(self, held: Sequence[Look]) -> None:
        self._kept = [one.kept for one in held]
        self._crops = np.concatenate([one.coarse for one in held] or [np.empty((0, _COARSE**2))]).astype(np.float32)

    def matches(self, asked: Look) -> Iterator[tuple[int, float]]:
        """Each held picture that one is a copy of, or a crop, or the whole, with the agreement of the worst pieces."""
        if not self._kept:
            return
        crops, count = asked.coarse.astype(np.float32), len(BOXES)
        cropped = (self._crops @ crops[0]).reshape(-1, count)
        whole = self._crops[::count] @ crops.T
        likeness = np.maximum(cropped.max(axis=1), whole.max(axis=1))
        for owner in np.sort(np.argsort(-likeness, kind="stable")[:_CANDIDATES]).tolist():
            if likeness[owner] < _LIKE:
                continue
            ours, theirs = self._kept[owner], asked.kept
            if whole[owner].max() > cropped[owner].max():
                score = agreement(theirs, ours, BOXES[int(whole[owner].argmax())])
            else:
                score = agreement(ours, theirs, BOXES[int(cropped[owner].argmax())])
            if score >= LEAST_AGREEMENT:
                yield owner, score


def agreement(whole: Numbers, part: Numbers, box: Box) -> float:
    """How well the worst pieces of ``part`` agree with where they lie in ``whole``, about ``box``: a correlation."""
    theirs = _shown(part, BOXES[0])
    score = _worst(_shown(whole, box), theirs)
    if score >= LEAST_AGREEMENT:
        return score
    return _worst(_shown(whole, _laid(whole, theirs, box)), theirs)


def _laid(whole: Numbers, theirs: Numbers, box: Box) -> Box:
    """The crop of ``whole`` that is most like ``theirs``, by steps of each side from ``box`` on."""
    best = _correlation(_shown(whole, box), theirs)
    for step in _STEPS:
        improved = True
        while improved:
            improved = False
            for side, way in product(range(4), (-step, step)):
                moved = list(box)
                moved[side] = min(1.0, max(0.0, moved[side] + way))
                tried: Box = (moved[0], moved[1], moved[2], moved[3])
                if min(tried[2] - tried[0], tried[3] - tried[1]) < _SMALLEST:
                    continue
                found = _correlation(_shown(whole, tried), theirs)
                if found > best + 1e-5:
                    best, box, improved = found, tried, True
    return box


def _shown(picture: Numbers, box: Box) -> Numbers:
    """A crop of a kept picture at the size at which pieces are compared."""
    from PIL import Image

    return np.asarray(
        Image.fromarray(picture).resize((_FINE, _FINE), Image.Resampling.BILINEAR, box=_sides(box)), np.float32
    )


def _sides(box: Box) -> Box:
    return box[0] * _KEPT, box[1] * _KEPT, box[2] * _KEPT, box[3] * _KEPT


def _correlation(one: Numbers, other: Numbers) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / np.sqrt((one * one).sum() * (other * other).sum() + 1e-6))


def _worst(one: Numbers, other: Numbers) -> float:
    """Mean correlation of the worst pieces that show something in either picture; 0 where nearly none does."""
    one, other = _pieces(one), _pieces(other)
    ours, theirs = (one * one).mean(axis=1), (other * other).mean(axis=1)
    showing = np.maximum(ours, theirs) > _FLAT**2
    if np.count_nonzero(showing) < _LEAST_PIECES:
        return 0.0
    found = (one * other).mean(axis=1)[showing] / np.sqrt((ours * theirs)[showing] + 1e-6)
    return float(np.sort(found)[:_WORST].mean())


def _pieces(picture: Numbers) -> Numbers:
    many = _FINE // _PIECE
    cut = picture.reshape(many, _PIECE, many, _PIECE).swapaxes(1, 2).reshape(many * many, _PIECE * _PIECE)
    return cut - cut.mean(axis=1, keepdims=True)

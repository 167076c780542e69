"""Fingerprints of pictures: small grey copies, aligned with one another and compared piece by piece.

A hash of a few bits cannot tell two faces before one wall, or two moments of one face, from a copy that was compressed
again. So candidates come from the likeness of coarse copies and of their crops; each is then laid on the other as well
as it goes, and must agree in every piece: a mouth or an eye that moved does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from affectllm.model.fingerprints.laying import WHOLE, Box, cropped, laid, without_bars

_KEPT, _FINE, _COARSE = 96, 64, 16  # sides of what is kept, of what is compared, of what names candidates
_INSIDE = (0.95, 0.9)  # sides of the crops that are tried, in the middle and in the corners
_LIKE = 0.8  # least correlation of the coarse copies
_CROWD, _CANDIDATES = 64, 12  # that are laid roughly, and that are laid finely
_PIECE = 8
_FLAT = 4.0  # grey levels of deviation: pieces below tell nothing
_LEAST_PIECES = 6
_WORST = 3  # pieces that decide
_ROUGH, _STEPS = (0.02, 0.01), (0.02, 0.01, 0.005, 0.0025)  # of a side
# Chosen on one half of what scripts/leak_rates makes; see docs/leaks.md.
LEAST_AGREEMENT = 0.942

Numbers = NDArray[Any]


class Look(NamedTuple):
    """The fingerprint of a picture.

    Attributes:
        kept: uint8 ``[96, 96]``, grey.
        coarse: float16 ``[crops, 256]`` of length 1, the whole picture first.
    """

    kept: Numbers
    coarse: Numbers


def _boxes() -> list[Box]:
    boxes: list[Box] = [WHOLE]
    for side in _INSIDE:
        rest = 1.0 - side
        corners = [(x, y) for x in (0.0, rest) for y in (0.0, rest)]
        boxes += [(x, y, x + side, y + side) for x, y in [(rest / 2, rest / 2), *corners]]
    return boxes


BOXES = _boxes()


def look(picture: Numbers) -> Look:
    """Compute the fingerprint of a picture, uint8 ``[height, width, 3]``."""
    from PIL import Image

    (inside,) = without_bars(np.asarray(Image.fromarray(picture).convert("L"))[None])
    grey = Image.fromarray(inside)
    small = grey.resize((_KEPT, _KEPT), Image.Resampling.BOX if min(grey.size) >= _KEPT else Image.Resampling.BICUBIC)
    crops = []
    for left, top, right, bottom in BOXES:
        box = (left * _KEPT, top * _KEPT, right * _KEPT, bottom * _KEPT)
        part = small.resize((_COARSE, _COARSE), Image.Resampling.BOX, box=box)
        values = np.asarray(part, np.float32).ravel()
        values -= values.mean()
        crops.append(values / max(float(np.linalg.norm(values)), 1e-6))
    return Look(np.asarray(small), np.stack(crops).astype(np.float16))


class LookIndex:
    """Index of pictures that others are compared with, 20 KiB each.

    Args:
        looks: one per picture.
    """

    def __init__(self, looks: Sequence[Look]) -> None:
        self._pictures = [one.kept for one in looks]
        self._crops = np.concatenate([one.coarse for one in looks] or [np.empty((0, _COARSE**2))]).astype(np.float32)

    def matches(self, asked: Look) -> Iterator[tuple[int, float]]:
        """Yield each indexed picture that ``asked`` copies, crops or contains, with their worst pieces' agreement."""
        if not self._pictures:
            return
        crops, count = asked.coarse.astype(np.float32), len(BOXES)
        cut = (self._crops @ crops[0]).reshape(-1, count)
        whole = self._crops[::count] @ crops.T
        likeness = np.maximum(cut.max(axis=1), whole.max(axis=1))
        named = np.argsort(-likeness, kind="stable")[:_CROWD]
        theirs, placed = asked.kept.astype(np.float32)[None], []
        for owner in named[likeness[named] >= _LIKE].tolist():
            ours = self._pictures[owner].astype(np.float32)[None]
            if whole[owner].max() > cut[owner].max():
                placed.append((owner, theirs, ours, BOXES[int(whole[owner].argmax())], 0.0))
            else:
                placed.append((owner, ours, theirs, BOXES[int(cut[owner].argmax())], 0.0))
        if len(placed) > _CANDIDATES:  # a crowd before one wall
            placed = sorted((_roughly(*one) for one in placed), key=lambda one: -one[-1])[:_CANDIDATES]
        for owner, one, other, box, _ in sorted(placed, key=lambda one: one[0]):
            if (score := agreement(one, other, box)) >= LEAST_AGREEMENT:
                yield owner, score


Placed = tuple[int, Numbers, Numbers, Box, float]  # held picture, whole, part, where it lies, how well


def _roughly(owner: int, whole: Numbers, part: Numbers, box: Box, _: float) -> Placed:
    side = _FINE // 2
    box, likeness = laid(cropped(whole, WHOLE, _KEPT // 2), cropped(part, WHOLE, side), box, _ROUGH)
    return owner, whole, part, box, likeness


def agreement(whole: Numbers, part: Numbers, box: Box) -> float:
    """Return the correlation of the worst pieces of ``part`` with their places in ``whole``, near ``box``."""
    theirs = cropped(part, WHOLE, _FINE)
    score = _worst(cropped(whole, box, _FINE), theirs)
    if score >= LEAST_AGREEMENT:
        return score
    return _worst(cropped(whole, laid(whole, theirs, box, _STEPS)[0], _FINE), theirs)


def _worst(one: Numbers, other: Numbers) -> float:
    """Return the mean correlation of the worst pieces that are not blank in both pictures; 0 where nearly none is."""
    one, other = _pieces(one), _pieces(other)
    ours, theirs = (one * one).mean(axis=1), (other * other).mean(axis=1)
    showing = np.maximum(ours, theirs) > _FLAT**2
    if np.count_nonzero(showing) < _LEAST_PIECES:
        return 0.0
    correlations = (one * other).mean(axis=1)[showing] / np.sqrt((ours * theirs)[showing] + 1e-6)
    return float(np.sort(correlations)[:_WORST].mean())


def _pieces(picture: Numbers) -> Numbers:
    many = _FINE // _PIECE
    cut = picture.reshape(many, _PIECE, many, _PIECE).swapaxes(1, 2).reshape(many * many, _PIECE * _PIECE)
    return cut - cut.mean(axis=1, keepdims=True)

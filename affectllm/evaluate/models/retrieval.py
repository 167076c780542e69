"""Recall of retrieval: how often the right counterpart is among the k nearest, in both directions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

KS = (1, 5, 10)


def recalls(similarities: np.ndarray, texts: Sequence[str], ks: Sequence[int] = KS) -> dict[str, float]:
    """Return ``clip_to_text@k``, ``text_to_clip@k`` and what chance would have, ``chance@k``.

    Args:
        similarities: ``[items, items]``; row i belongs to item i's clip, column i to its text.
        texts: of the items; equal ones are all right.
        ks: how many of the nearest are looked at; those above the number of items are left out.
    """
    same = np.array([[one == other for other in texts] for one in texts])
    values: dict[str, float] = {"items": float(len(texts))}
    share = same.mean(axis=1)
    for k in (k for k in ks if k <= len(texts)):
        values[f"clip_to_text@{k}"] = _recall(similarities, same, k)
        values[f"text_to_clip@{k}"] = _recall(similarities.T, same, k)
        values[f"chance@{k}"] = float(np.mean([_drawn(round(one * len(texts)), len(texts), k) for one in share]))
    return values


def _recall(similarities: np.ndarray, same: np.ndarray, k: int) -> float:
    nearest = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(same, nearest, axis=1).any(axis=1).mean())


def _drawn(right: int, items: int, k: int) -> float:
    """Return the probability that one of ``k`` drawn of ``items`` is among the ``right`` ones."""
    missing = 1.0
    for drawn in range(k):
        missing *= max(items - right - drawn, 0) / (items - drawn)
    return 1.0 - missing

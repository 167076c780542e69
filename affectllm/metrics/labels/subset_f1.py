"""Weighted F1 over some of the items, with accuracy beside it: how sentiment and preferences are published."""

from __future__ import annotations

from collections.abc import Sequence

from affectllm.metrics.core.counts import Coded, blocks, class_rows, f1, tally, weighted
from affectllm.metrics.core.metric import Sums


def weighted_f1_of(
    gold: Sequence[str | None], answers: Sequence[str | None], labels: Sequence[str], **coverage: float
) -> Sums:
    """Build weighted F1, ``Σ_c n_c/N · F1_c``, over the items whose gold is one of ``labels``, at least one.

    Args:
        gold: another label, or None, leaves the item out.
        answers: another label, or None, is wrong and claims none of ``labels``.
        coverage: of the ``Sums``.
    """
    import numpy as np

    places: dict[str | None, int] = {label: place for place, label in enumerate(labels)}
    truth, claims = (np.array([places.get(label, len(labels)) for label in side]) for side in (gold, answers))
    counted = truth < len(labels)
    table = tally(Coded(list(labels), truth, claims, counted))
    sums, value = table.sum(0, dtype=float), weighted(f1)
    return Sums(
        table,
        lambda totals: value(*blocks(totals)),
        per_class=lambda: class_rows(labels, sums),
        coverage=coverage,
        details={"accuracy": float(blocks(sums)[0].sum() / counted.sum())},
        n=int(counted.sum()),
    )

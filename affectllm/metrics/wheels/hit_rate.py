"""Hit rate and m-score: whether the one gold label is among the answered ones, on five emotion wheels.

A hit rate rises with every further label, so an answer that names everything is always right. It is never to be read
without ``labels_per_item`` and ``wheel_precision``, which stand in its coverage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.label_sets import distinct, parse_set
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.wheels.counts import Pairs, counts
from affectllm.metrics.wheels.f1 import AS_SETS, Mapped, coverage, needed, read
from affectllm.metrics.wheels.mapping import wheel_steps
from affectllm.metrics.wheels.tables import Tables

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_SOURCE = "Lian et al., AffectGPT (MER-UniBench), evaluation/ew_metric.py, hitrate_metric_calculation"
_COLUMNS = ("hit_rate", "m_score", "wheel_precision")
_PUBLISHED = {
    "affectgpt": "items whose gold label the tables do not know on a wheel are skipped there (neutral always), and "
    "answered labels that they do not know are dropped"
}


@metric("hit_rate", form="raw", also=("set",), range=(0.0, 1.0), source=_SOURCE, compat=_PUBLISHED, controls_as=AS_SETS)
def hit_rate(
    gold: list[Any],
    predicted: list[Any],
    *,
    tables: Tables | None = None,
    neutral: str = "map",
    compat: str | None = None,
) -> Sums:
    """Share of items whose gold label is among the answered ones, mapped to inner words; mean over five wheels.

    Formula: ``1/5 Σ_w 1/n_w Σ_i [g_iw ∈ p_iw]``, g_iw the cluster of the gold label, p_iw those of the answer.
    Edge cases: an unreadable or empty answer misses; further labels cost nothing, so read it with ``labels_per_item``
    and ``wheel_precision``; a label that no table knows, "neutral" among them, is a cluster of its own
    (``neutral="skip"`` leaves that word out, and with it the items of that gold label).
    """
    return _scored(gold, predicted, tables, neutral, compat, column=0)


@metric("m_score", form="raw", also=("set",), range=(0.0, 1.0), source=_SOURCE, compat=_PUBLISHED, controls_as=AS_SETS)
def m_score(
    gold: list[Any],
    predicted: list[Any],
    *,
    tables: Tables | None = None,
    neutral: str = "map",
    compat: str | None = None,
) -> Sums:
    """As ``hit_rate``, each hit divided by how many of the answered clusters are gold labels of any item.

    Formula: ``1/5 Σ_w 1/n_w Σ_i [g_iw ∈ p_iw] / |p_iw ∩ C_w|``, C_w the clusters of all gold labels; 0/0 is 0.
    Edge cases: as ``hit_rate``; labels outside the gold label set cost nothing, even here.
    """
    return _scored(gold, predicted, tables, neutral, compat, column=1)


def _scored(
    gold: list[Any], predicted: list[Any], tables: Tables | None, neutral: str, compat: str | None, column: int
) -> Sums:
    import numpy as np

    tables, paired, candidates = needed(tables), read(gold, predicted, neutral, compat), _candidates(gold, compat)
    mapped = [Mapped(paired, tables, step, compat, candidates) for step in wheel_steps(1)]
    table = np.concatenate([_row(paired, wheel) for wheel in mapped], axis=1)
    rows = _rows(mapped, table.sum(0), compat)

    def reduce(totals: Array) -> Array:
        by_wheel = totals.reshape(*totals.shape[:-1], -1, 4)
        n = np.where(by_wheel[..., 3] > 0, by_wheel[..., 3], np.nan)
        return np.asarray((by_wheel[..., column] / n).mean(-1))

    means = {name: sum(row[name] for row in rows.values()) / len(rows) for name in _COLUMNS}
    return Sums(
        table,
        reduce,
        per_class=lambda: rows,
        coverage={**coverage(paired, mapped), "wheel_precision": means["wheel_precision"]},
        details={name: means[name] for name in _COLUMNS[:2]},
        n=int(np.any([wheel.scored for wheel in mapped], axis=0).sum()),
    )


def _rows(mapped: Sequence[Mapped], sums: Array, compat: str | None) -> dict[str, dict[str, float]]:
    rows = {}
    for wheel, row in zip(mapped, sums.reshape(-1, 4).tolist(), strict=True):
        if not row[3]:
            message = f"no item has a gold label that can be scored on {wheel.name}, so its mean is undefined"
            raise Malformed(
                message, do="check the gold labels and the tables" + (", or leave out compat" if compat else "")
            )
        rows[wheel.name] = {name: row[place] / row[3] for place, name in enumerate(_COLUMNS)} | {"n": row[3]}
    return rows


def _candidates(gold: Sequence[Any], compat: str | None) -> list[str]:
    """Return the gold labels of all items; the published evaluator takes them as written, not in lower case."""
    for row, (labels, value) in enumerate(zip(distinct(gold, compat is None), gold, strict=True), start=1):
        if len(set(labels)) > 1 or (compat is None and not labels):
            message = f"gold value {row} ({value!r}) holds {len(set(labels))} labels, not one"
            raise Malformed(message, do="score sets of labels by wheel_f1")
    if compat is None:
        return sorted({label for labels in distinct(gold, True) for label in labels})
    return sorted({value if isinstance(value, str) else label for value in gold for label in parse_set(value)})


def _row(paired: Pairs, wheel: Mapped) -> Array:
    """Return per item hit, m-score, precision and a one, all zero where the item does not count; ``[n, 4]``."""
    import numpy as np

    among = counts(paired, np.where(np.isin(wheel.codes, wheel.further), wheel.codes, -1)).predicted
    hits = wheel.counts.both
    scores = np.where(among > 0, hits / np.maximum(among, 1), 0)  # a gold label written in capitals is no candidate
    columns = [hits, scores, wheel.counts.precision, wheel.scored]
    return np.stack(columns, axis=1) * wheel.scored[:, None]

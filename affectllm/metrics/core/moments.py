"""Correlations from sums over items, so that a resample costs one product of matrices.

A table of moments has the columns count, x, y, x², y², x·y of gold x and answers y, both less their means, which keeps
the sums exact where values are large. ``value`` functions take summed moments ``[..., 6]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.bootstrap import cluster_numbers
from affectllm.metrics.core.counts import per_part, ratio
from affectllm.metrics.core.metric import Rows, Sums

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Value = Callable[..., Any]  # summed moments, difference of the means → values
WIDTH = 6
_FLAT = 1e-11  # a variance below this share of the mean square is rounding, not variance


def moments(x: Array, y: Array) -> tuple[Array, float]:
    """Return the table of moments, ``[n, 6]``, and the mean of x less the mean of y."""
    import numpy as np

    a, b = x - x.mean(), y - y.mean()
    return np.stack([np.ones(len(x)), a, b, a * a, b * b, a * b], axis=1), float(x.mean() - y.mean())


def pearson_of(sums: Array, offset: Any = 0.0) -> Array:
    """Return Pearson's r; NaN where gold does not vary, 0 where the answers do not."""
    import numpy as np

    vx, vy, cov, _ = _spread(sums, offset)
    r = np.clip(ratio(cov, np.sqrt(vx * vy)), -1, 1)
    return np.where(vx > 0, r, np.nan)


def ccc_of(sums: Array, offset: Any = 0.0) -> Array:
    """Return Lin's concordance with population variances; NaN where gold does not vary."""
    import numpy as np

    vx, vy, cov, gap = _spread(sums, offset)
    c = np.clip(ratio(2 * cov, vx + vy + gap**2), -1, 1)
    return np.where(vx > 0, c, np.nan)


def _spread(sums: Array, offset: Any) -> tuple[Array, Array, Array, Array]:
    """Return the variance of gold and of answers, their covariance, and the difference of the means."""
    import numpy as np

    count, x, y, xx, yy, xy = np.moveaxis(np.asarray(sums, float), -1, 0)
    mx, my = ratio(x, count), ratio(y, count)
    vx, vy = _variance(ratio(xx, count), mx), _variance(ratio(yy, count), my)
    return vx, vy, np.where(vy > 0, ratio(xy, count) - mx * my, 0.0), mx - my + offset


def _variance(square: Array, mean: Array) -> Array:
    import numpy as np

    variance = square - mean**2
    return np.where(variance > _FLAT * square, variance, 0.0)


def check_varies(gold: Array, where: str = "") -> None:
    """Raise ``Malformed`` when gold is one number only, on which every correlation is undefined."""
    if gold.min() == gold.max():
        raise Malformed("gold does not vary, so no correlation is defined", where=where, do="give items that differ")


def constant(predicted: Array) -> dict[str, float]:
    """Return ``{"constant": 1.0}`` where all answers are the same number."""
    return {"constant": 1.0} if predicted.min() == predicted.max() else {}


def pooled(value: Value, gold: Array, predicted: Array, counted: Array | None = None) -> Sums:
    """Build ``value`` over all items that are ``counted``."""
    import numpy as np

    keep = np.ones(len(gold), bool) if counted is None else counted
    check_varies(gold[keep])
    table = np.zeros((len(gold), WIDTH))
    table[keep], offset = moments(gold[keep], predicted[keep])
    return Sums(table, lambda sums: value(sums, offset), details=constant(predicted[keep]), n=int(keep.sum()))


def mean_over_blocks(
    value: Value, name: str, parts: Sequence[str], gold: Sequence[Array], predicted: Sequence[Array], masks: Any
) -> Sums:
    """Build the mean of ``value`` over fixed parts, such as the emotions of a test set or the dimensions of a vector.

    Args:
        value, name: what is computed for each part, and how it is called.
        parts: names of the parts.
        gold, predicted: per part, one number for each item.
        masks: per part, which items belong to it.
    """
    import numpy as np

    table = np.zeros((len(gold[0]), WIDTH * len(parts)))
    offsets, flat = [], 0
    for number, (part, x, y, mask) in enumerate(zip(parts, gold, predicted, masks, strict=True)):
        check_varies(x[mask], where=part)
        table[mask, number * WIDTH : (number + 1) * WIDTH], offset = moments(x[mask], y[mask])
        offsets.append(offset)
        flat += bool(constant(y[mask]))

    def each(sums: Array) -> Array:
        split = sums.reshape(*sums.shape[:-1], len(parts), WIDTH)
        return np.stack([value(split[..., number, :], offset) for number, offset in enumerate(offsets)], axis=-1)

    sizes = np.array([mask.sum() for mask in masks])
    columns = {name: each(table.sum(0)), "n": sizes}
    return Sums(
        table,
        lambda sums: each(sums).mean(-1),
        per_class=lambda: per_part(parts, **columns),
        details={"constant": float(flat)} if flat else {},
        n=int(np.any(masks, axis=0).sum()),
    )


def mean_over_sequences(value: Value, name: str, parts: Sequence[Any], gold: Array, predicted: Array) -> Rows:
    """Build the mean of ``value`` over sequences, as often as drawn; those whose gold does not vary do not count.

    A resample of clusters holds a sequence once, several times or not at all, so a sequence weighs as much as the share
    of its items that is there.
    """
    import numpy as np

    names, numbers = list(map(str, dict.fromkeys(parts))), cluster_numbers(parts)
    sizes = np.bincount(numbers)
    means = [np.bincount(numbers, side) / sizes for side in (gold, predicted)]
    x, y = gold - means[0][numbers], predicted - means[1][numbers]
    columns = (None, x, y, x * x, y * y, x * y)

    def each(rows: Array) -> tuple[Array, Array]:
        drawn = numbers[rows]
        sums = [np.bincount(drawn, None if c is None else c[rows], len(names)).astype(float) for c in columns]
        values = value(np.stack(sums, axis=-1), means[0] - means[1])
        return values, np.where(np.isfinite(values), sums[0] / sizes, 0.0)

    def mean(rows: Array) -> float:
        values, weights = each(rows)
        return float(ratio((np.nan_to_num(values) * weights).sum(), weights.sum(), np.nan))

    values, _ = each(np.arange(len(gold)))
    defined = np.isfinite(values)
    if not defined.any():
        raise Malformed("gold varies in no sequence, so no correlation is defined", do="give longer sequences")
    return Rows(
        mean,
        per_class=lambda: per_part(
            [names[i] for i in np.flatnonzero(defined)], **{name: values[defined], "n": sizes[defined]}
        ),
        coverage={"sequences": float(len(names)), "sequences_scored": float(defined.sum())},
        details=constant(predicted),
        n=int(sizes[defined].sum()),
    )

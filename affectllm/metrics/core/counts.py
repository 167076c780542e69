"""Functions shared by metrics of labels: labels as numbers, counts per label, means over items.

A table of counts has one row per item and three blocks of one column per label: hits (gold and answer agree on it, a
true positive), support (it is gold), claimed (it is the answer). Recall, precision, F1 and agreement by chance follow
from its sums.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.check import check_lengths, class_row
from affectllm.metrics.core.metric import Sums

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


CountValue = Callable[..., Any]  # hits, support and claimed per label → values


@dataclass(frozen=True)
class Coded:
    """Labels as numbers.

    Args:
        labels: the names that the numbers stand for.
        truth, answers: one number an item; an unreadable answer is one past the end.
        counted: whether the item counts.
    """

    labels: list[str]
    truth: Array
    answers: Array
    counted: Array


def label_names(labels: Sequence[str], *sides: Iterable[str]) -> list[str]:
    """Return ``labels``, or, where that is empty, every label that occurs, sorted.

    Raises:
        Malformed: when a label occurs that is not in ``labels``.
    """
    met = set().union(*sides)
    if not labels:
        return sorted(met)
    if strange := sorted(met - set(labels)):
        message = f"labels outside the label space: {', '.join(strange[:5])}"
        raise Malformed(message, do="read free text first (--read strict, or a template), or name them as labels")
    return list(labels)


def coded(
    gold: Sequence[str], predicted: Sequence[str | None], labels: Sequence[str] = (), drop: bool = False
) -> Coded:
    """Encode gold labels and answers as numbers.

    Args:
        gold, predicted: one label an item; None where an answer could not be read.
        labels: the label space; where it is empty, every label that occurs.
        drop: leave out items of which either side is unreadable or outside ``labels``, instead of refusing the latter.
    """
    import numpy as np

    check_lengths(gold, predicted)
    readable = set(predicted) - {None}
    if drop and labels:
        names = list(labels)
    else:
        names = label_names(labels, set(gold), {answer for answer in readable if answer is not None})
    positions: dict[str | None, int] = {label: number for number, label in enumerate(names)}
    outside = len(names)
    truth = np.fromiter((positions.get(label, outside) for label in gold), np.int64, len(gold))
    answers = np.fromiter((positions.get(label, outside) for label in predicted), np.int64, len(gold))
    counted = (truth < outside) & (answers < outside) if drop else np.ones(len(gold), bool)
    if not counted.any():
        raise Malformed("no item is left, since answers that are no label are dropped", do="leave out compat")
    return Coded(names, truth, answers, counted)


def tally(codes: Coded) -> Array:
    """Return the table of counts, ``[n, 3·L]``; rows of items that do not count are zero."""
    import numpy as np

    size, rows = len(codes.labels), np.flatnonzero(codes.counted)
    truth, answers = codes.truth[rows], codes.answers[rows]
    table = np.zeros((len(codes.truth), 3 * size), np.uint8)
    agree, readable = truth == answers, answers < size
    table[rows[agree], truth[agree]] = 1
    table[rows, size + truth] = 1
    table[rows[readable], 2 * size + answers[readable]] = 1
    return table


def blocks(sums: Array) -> tuple[Array, Array, Array]:
    """Split summed tables into hits, support and claimed: ``[..., 3·L]`` → three ``[..., L]``."""
    size = sums.shape[-1] // 3
    return sums[..., :size], sums[..., size : 2 * size], sums[..., 2 * size :]


def ratio(over: Array | float, under: Array | float, empty: float = 0.0) -> Array:
    """Return ``over / under``, and ``empty`` where ``under`` is 0."""
    import numpy as np

    top, bottom = np.broadcast_arrays(np.asarray(over, float), np.asarray(under, float))
    return np.divide(top, bottom, out=np.full(bottom.shape, empty), where=bottom > 0)


def f1(hits: Array, support: Array, claimed: Array, empty: float = 0.0) -> Array:
    """Return F1 per label, ``2·tp / (2·tp + fp + fn)``."""
    return ratio(2 * hits, support + claimed, empty)


def share_right(hits: Array, support: Array, _: Array) -> Array:
    """Return accuracy; NaN where nothing counts."""
    return ratio(hits.sum(-1), support.sum(-1), nan)


def pooled_f1(hits: Array, support: Array, claimed: Array, empty: float) -> Array:
    """Return F1 over all labels together, ``2·Σtp / (2·Σtp + Σfp + Σfn)``; ``empty`` where no side names any."""
    return f1(hits.sum(-1), support.sum(-1), claimed.sum(-1), empty)


def mean_over(values: Array, chosen: Array) -> Array:
    """Return the mean of ``values`` over the labels that are ``chosen``; NaN where none is."""
    import numpy as np

    return ratio((values * chosen).sum(-1), chosen.sum(-1), np.nan)


def over_labels(value: CountValue, labels: Sequence[str], chosen: Sequence[str]) -> CountValue:
    """Return ``value`` over the columns of the ``chosen`` labels only.

    Raises:
        Malformed: when one of ``chosen`` is not in ``labels``.
    """
    if strange := sorted(set(chosen) - set(labels)):
        message = f"{strange[0]!r} cannot be scored: the labels are {', '.join(labels)}"
        raise Malformed(message, do="correct score_labels, or name every label of the space as labels")
    places = [place for place, label in enumerate(labels) if label in set(chosen)]
    return lambda *counts: value(*(count[..., places] for count in counts))


def weighted(each: CountValue) -> CountValue:
    """Return a function for the mean of a value per label, weighted by support; NaN where nothing counts."""
    return lambda hits, support, claimed: ratio((each(hits, support, claimed) * support).sum(-1), support.sum(-1), nan)


def class_rows(labels: Sequence[str], sums: Array) -> dict[str, dict[str, float]]:
    """Return ``{label: {precision, recall, f1, support}}`` from one summed table; 0 where a ratio is 0/0."""
    hits, support, claimed = blocks(sums)
    columns = ratio(hits, claimed), ratio(hits, support), f1(hits, support, claimed), support
    return {label: class_row(*(column[number] for column in columns)) for number, label in enumerate(labels)}


def counted_sums(labels: Sequence[str], table: Array, value: CountValue) -> Sums:
    """Build a metric that follows from hits, support and claimed per label."""
    sums = table.sum(0, dtype=float)
    support = blocks(sums)[1]
    return Sums(
        table,
        lambda totals: value(*blocks(totals)),
        per_class=lambda: class_rows(labels, sums),
        coverage={"labels": len(labels), "labels_in_gold": int((support > 0).sum())},
    )


def indicators(sides: Sequence[Collection[str]], labels: Sequence[str]) -> Array:
    """Return which labels each item holds, ``[n, L]`` of booleans; ``labels`` holds every label that occurs."""
    import numpy as np

    positions = {label: number for number, label in enumerate(labels)}
    sizes = np.fromiter(map(len, sides), np.int64, len(sides))
    columns = np.fromiter((positions[label] for side in sides for label in side), np.int64, int(sizes.sum()))
    matrix = np.zeros((len(sides), len(labels)), bool)
    matrix[np.repeat(np.arange(len(sides)), sizes), columns] = True
    return matrix


def mean_of_items(values: Array, counted: Array | None = None, **fields: Any) -> Sums:
    """Build the mean of one value per item, over the items that are ``counted`` (all, where it is None).

    Args:
        values: ``[n]``.
        counted: ``[n]`` of booleans.
        fields: ``per_class``, ``coverage``, ``details`` of the ``Sums``.
    """
    import numpy as np

    counts = np.ones(len(values)) if counted is None else counted.astype(float)
    table = np.stack([np.where(counts > 0, values, 0.0), counts], axis=1)
    return Sums(table, mean_of_sums, n=int(counts.sum()), **fields)


def mean_of_sums(sums: Array) -> Array:
    """Divide summed values by counts, ``[..., 2]`` → means; NaN where nothing counts."""
    import numpy as np

    return ratio(sums[..., 0], sums[..., 1], np.nan)


def per_part(names: Sequence[str], **columns: Array) -> dict[str, dict[str, float]]:
    """Return the rows of a per-class table: one per name, with the values of ``columns`` as plain numbers."""
    return {name: {key: float(column[number]) for key, column in columns.items()} for number, name in enumerate(names)}


def rating_name(rating: Any) -> str:
    """Convert a rating to a label: text unchanged, and 1 and 1.0 to the same one."""
    if isinstance(rating, (str, bool)):
        return str(rating)
    return str(int(rating)) if isfinite(rating) and rating == int(rating) else repr(float(rating))


def choice(value: Any, allowed: Mapping[str, Any] | Sequence[str], option: str) -> Any:
    """Check that ``value`` is one of ``allowed`` and return it.

    Raises:
        Malformed: names the option and what it takes.
    """
    if value not in allowed:
        raise Malformed(f"{option} is {value!r}", do=f"choose of {', '.join(map(str, allowed))}")
    return value

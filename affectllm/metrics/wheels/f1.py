"""Wheel F: agreement of two sets of emotion words after emotion wheels have merged synonyms."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.label_sets import distinct
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.wheels.counts import Counts, Pairs, cluster_numbers, counts, pairs
from affectllm.metrics.wheels.mapping import BASE, NEUTRAL, SYNONYM, Published, Step, Strict, wheel_steps
from affectllm.metrics.wheels.tables import Tables

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

PUBLISHED = {
    "affectgpt": "labels that the tables do not know (neutral) are dropped on both sides, items without gold labels "
    "skipped, F is that of mean precision and mean recall; 0/0 is an error with the 2025 tables, 0 with those of 2026"
}
AS_SETS = ("set", lambda value: frozenset(distinct([value], strict=True)[0]))
"""How controls read a gold value: majority, chance and the like answer in sets of labels."""
_SOURCE = "Lian et al., AffectGPT (MER-UniBench) and MER2025 track 2, evaluation/wheel.py"


@metric("wheel_f1", form="raw", also=("set",), range=(0.0, 1.0), source=_SOURCE, compat=PUBLISHED, controls_as=AS_SETS)
def wheel_f1(
    gold: list[Any],
    predicted: list[Any],
    *,
    tables: Tables | None = None,
    neutral: str = "map",
    compat: str | None = None,
) -> Sums:
    """Mean over five emotion wheels and all items of the F of gold and answered labels, mapped to inner words.

    Formula: ``1/5 Σ_w 1/n Σ_i 2·|g_iw ∩ p_iw| / (|g_iw| + |p_iw|)``, g_iw and p_iw the clusters of item i on wheel w.
    Edge cases: an unreadable or empty answer scores 0; a label that no table knows, "neutral" among them, is a cluster
    of its own (``neutral="skip"`` leaves that word out of both sides); an item without a gold label cannot be scored
    and is counted in ``skipped_items``. Exact words win over spellings, see ``wheels.mapping``.
    """
    return _scored(gold, predicted, tables, neutral, compat, wheel_steps(1))


@metric(
    "wheel_f1_level2",
    form="raw",
    also=("set",),
    range=(0.0, 1.0),
    source=_SOURCE,
    compat=PUBLISHED,
    controls_as=AS_SETS,
)
def wheel_f1_level2(
    gold: list[Any],
    predicted: list[Any],
    *,
    tables: Tables | None = None,
    neutral: str = "map",
    compat: str | None = None,
) -> Sums:
    """Wheel F on the middle words of the wheels; an inner word counts as its alphabetically first middle word.

    Formula: as ``wheel_f1``. Edge cases: as ``wheel_f1``.
    """
    return _scored(gold, predicted, tables, neutral, compat, wheel_steps(2))


@metric(
    "mer2025_track2",
    form="raw",
    also=("set",),
    range=(0.0, 1.0),
    source="MER2025 track 2, evaluation.py",
    compat=PUBLISHED,
    controls_as=AS_SETS,
)
def mer2025_track2(
    gold: list[Any],
    predicted: list[Any],
    *,
    tables: Tables | None = None,
    neutral: str = "map",
    compat: str | None = None,
) -> Sums:
    """The mean of ``wheel_f1`` and ``wheel_f1_level2``, by which MER2025 ranks its second track.

    Formula: ``½ (wheel_f1 + wheel_f1_level2)``. Edge cases: as ``wheel_f1``.
    """
    return _scored(gold, predicted, tables, neutral, compat, wheel_steps(1) + wheel_steps(2))


@metric(
    "m_avg",
    form="raw",
    also=("set",),
    range=(0.0, 1.0),
    source="Lian et al., OV-MER, 2024; evaluation/wheel.py, cases 1 to 3",
    compat=PUBLISHED,
    controls_as=AS_SETS,
)
def m_avg(
    gold: list[Any],
    predicted: list[Any],
    *,
    tables: Tables | None = None,
    neutral: str = "map",
    compat: str | None = None,
) -> Sums:
    """The mean F of twelve mappings: base words, wheel words, and five wheels at two levels.

    Formula: as ``wheel_f1``, over twelve mappings instead of five wheels. Edge cases: as ``wheel_f1``.
    """
    return _scored(gold, predicted, tables, neutral, compat, [BASE, SYNONYM, *wheel_steps(1), *wheel_steps(2)])


def item_f1(
    gold: Sequence[Collection[str]], predicted: Sequence[Collection[str]], tables: Tables, level: int = 1
) -> Array:
    """Return each item's F, mean over the five wheels (``[n]``), as ``wheel_f1`` scores it; 0 where a side is empty."""
    import numpy as np

    paired = read(gold, predicted, "map", None)
    steps = [Mapped(paired, tables, step, None).counts for step in wheel_steps(level)]
    return np.asarray(np.mean([step.f for step in steps], axis=0))


def item_jaccard(
    one: Sequence[Collection[str]], other: Sequence[Collection[str]], tables: Tables, level: int = 1
) -> Array:
    """Return each item's Jaccard similarity of two sets of labels, mean over the five wheels (``[n]``), mapped as
    ``wheel_f1`` maps them; 0 where a side is empty."""
    import numpy as np

    paired = read(one, other, "map", None)
    steps = [Mapped(paired, tables, step, None).counts for step in wheel_steps(level)]
    return np.asarray(np.mean([step.f / (2 - step.f) for step in steps], axis=0))  # J = F / (2 - F)


def read(gold: Sequence[Any], predicted: Sequence[Any], neutral: str, compat: str | None) -> Pairs:
    """Parse both sides into label numbers; without the word "neutral" where it is to be skipped."""
    if neutral not in ("map", "skip"):
        raise Malformed(f"neutral={neutral!r} is no policy", do="choose map or skip")
    sides = [distinct(values, strict=compat is None) for values in (gold, predicted)]
    if neutral == "skip":
        sides = [[tuple(label for label in labels if label != NEUTRAL) for labels in side] for side in sides]
    return pairs(sides[0], sides[1])


class Mapped:
    """Both sides under one mapping: clusters per item, which items count, which labels the tables know.

    Args:
        paired: the labels of both sides.
        step: the mapping.
        compat: whose way of mapping; None is the strict one.
        further: labels whose cluster numbers are wanted too; they are in ``further``.
    """

    def __init__(
        self, paired: Pairs, tables: Tables, step: Step, compat: str | None, further: Sequence[str] = ()
    ) -> None:
        routes = Strict(tables) if compat is None else Published(tables)
        alone = routes.alone if isinstance(routes, Strict) else None
        codes, known = cluster_numbers([*paired.vocabulary, *further], routes.route(step), alone)
        size = len(paired.vocabulary)
        self.codes, self.further, self.known = codes[:size], codes[size:], known[:size]
        self.name, self.counts = step.name, counts(paired, self.codes)
        self.scored = self.counts.gold > 0

    def row(self) -> Array:
        """Return per item precision, recall, F and a one, all zero where the item does not count; ``[n, 4]``."""
        import numpy as np

        per_item: Counts = self.counts
        return np.stack([per_item.precision, per_item.recall, per_item.f, self.scored], axis=1) * self.scored[:, None]


def needed(tables: Tables | None) -> Tables:
    """Return the tables; raise ``Malformed`` with what to do where none were given."""
    if tables is None:
        raise Malformed(
            "the emotion wheels are needed",
            do="give tables=read_tables(folder, version), or --tables FOLDER --tables-version VERSION; "
            "they come with the published evaluators and may not be shipped here",
        )
    return tables


def _scored(
    gold: list[Any], predicted: list[Any], tables: Tables | None, neutral: str, compat: str | None, steps: list[Step]
) -> Sums:
    import numpy as np

    tables, paired = needed(tables), read(gold, predicted, neutral, compat)
    mapped = [Mapped(paired, tables, step, compat) for step in steps]
    table = np.concatenate([step.row() for step in mapped], axis=1)
    rows = _rows(mapped, table.sum(0), compat, tables.version)

    def reduce(totals: Array) -> Array:
        return np.asarray(_values(totals, compat, tables.version).mean(-1))

    return Sums(
        table,
        reduce,
        per_class=lambda: rows,
        coverage=coverage(paired, mapped),
        details=_details(rows),
        n=int(np.any([step.scored for step in mapped], axis=0).sum()),
    )


def _rows(mapped: Sequence[Mapped], sums: Array, compat: str | None, version: str) -> dict[str, dict[str, float]]:
    """Return per mapping precision, recall, both ways of averaging F, and the items that count.

    Raises:
        Malformed: when no item counts, or the published evaluator has no value.
    """
    values = _values(sums, compat, version)
    rows = {}
    for step, (p, r, f, n), value in zip(mapped, sums.reshape(-1, 4).tolist(), values.tolist(), strict=True):
        if not n and (compat is None or version == "2025"):
            message = f"no item has a gold label that can be scored on {step.name}"
            raise Malformed(message, do="check the column of the gold labels, and the tables")
        if value != value:
            message = f"the published evaluator gives NaN with the 2025 tables: on {step.name} no answer is right"
            raise Malformed(message, do="leave out compat, or use the tables of 2026, where this counts as 0")
        p, r, f = (share / max(n, 1) for share in (p, r, f))
        of_means = 2 * p * r / (p + r) if p + r else 0.0
        rows[step.name] = {"precision": p, "recall": r, "f_of_means": of_means, "f_of_items": f, "n": n}
    return rows


def _values(totals: Array, compat: str | None, version: str) -> Array:
    """Compute F per mapping from summed rows, ``[..., 4·mappings]`` → ``[..., mappings]``; NaN where undefined."""
    import numpy as np

    precision, recall, f, n = np.moveaxis(totals.reshape(*totals.shape[:-1], -1, 4), -1, 0)
    counted = np.where(n > 0, n, np.nan)
    if compat is None:
        return np.asarray(f / counted)
    precision, recall = precision / counted, recall / counted
    whole = np.where(precision + recall > 0, precision + recall, np.nan)
    value = 2 * precision * recall / whole
    return value if version == "2025" else np.nan_to_num(value, nan=0.0)


def _details(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    names = ("precision", "recall", "f_of_means", "f_of_items")
    return {name: sum(row[name] for row in rows.values()) / len(rows) for name in names}


def coverage(paired: Pairs, mapped: Sequence[Mapped]) -> dict[str, float]:
    """Return the coverage of the tables: items per mapping, shares of mapped labels, labels per item, skipped items."""
    import numpy as np

    scored = {f"n_{step.name}": float(step.scored.sum()) for step in mapped}
    shares = {}
    for name, side in (("gold", paired.gold), ("predicted", paired.predicted)):
        known_labels, all_labels = (
            sum(side.per_item(step.known).sum() for step in mapped),
            side.per_item().sum() * len(mapped),
        )
        shares[f"{name}_mapped"] = float(known_labels / max(all_labels, 1))
    anywhere = np.any([step.scored for step in mapped], axis=0)
    labels = float(paired.predicted.per_item().mean())
    return {**scored, **shares, "labels_per_item": labels, "skipped_items": float((~anywhere).sum())}

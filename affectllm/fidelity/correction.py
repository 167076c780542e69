"""Correct the share of clips that show the emotion asked for by the confusions of the judge on real clips.

Of the clips of one target, the judge's answers are a mixture: each clip shows some emotion, and real clips tell how
often the judge calls one emotion another. The most likely mixture is found by expectation maximisation (Vucetic and
Obradovic, Classification on data with biased class distribution, ECML 2001; Saerens et al., Neural Computation 14,
2002); the corrected accuracy is the share of the target in it, averaged over clips. It supposes that the judge confuses
generated clips as it does real ones, which nobody can know: it stands beside the plain value, never in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.bootstrap import SEED, members, percentiles

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_ROUNDS, _RESAMPLES, _SMOOTHING, _FEWEST = 500, 300, 0.5, 5
_STILL = 1e-6  # of shares; further rounds change nothing that is shown


@dataclass(frozen=True)
class Labels:
    """True or meant labels with those that a judge gave, and who speaks.

    Args:
        true: what the clip shows, or what was asked for.
        judged: what the judge says; None where nothing.
        speakers: what intervals resample.
    """

    true: Sequence[str]
    judged: Sequence[str | None]
    speakers: Sequence[str]


@dataclass(frozen=True)
class Corrected:
    """The corrected accuracy with its 95 % interval, which resamples generated and real clips; None from too few."""

    value: float
    low: float | None
    high: float | None


def corrected_accuracy(generated: Labels, real: Labels, names: Sequence[str]) -> Corrected:
    """Return the share of clips that show their target, corrected by the judge's confusions.

    Args:
        names: all emotions; a judgement outside of them, or none at all, is an answer of its own.

    Raises:
        Malformed: when real clips lack one of the targets, so that nothing is known of its confusions.
    """
    import numpy as np

    if lacking := sorted(set(generated.true) - set(real.true)):
        message = f"no real clip shows {', '.join(lacking)}, so the judge's confusions of it are not known"
        raise Malformed(message, do="give real clips of all targets, or leave out correct:")
    made, known = _codes(generated, names), _codes(real, names)
    value = _value(made, known, len(names))
    groups = [members(side.speakers) for side in (generated, real)]
    if min(map(len, groups)) < _FEWEST:
        return Corrected(value, None, None)
    random = np.random.default_rng(SEED)
    draws = []
    for _ in range(_RESAMPLES):
        rows = [np.concatenate([g[i] for i in random.integers(0, len(g), len(g))]) for g in groups]
        draws.append(_value(made[rows[0]], known[rows[1]], len(names)))
    return Corrected(value, *percentiles(np.array(draws), value))


def _codes(side: Labels, names: Sequence[str]) -> Array:
    import numpy as np

    places = {name: number for number, name in enumerate(names)}
    rows = [(places[t], places.get(str(j), len(names))) for t, j in zip(side.true, side.judged, strict=True)]
    return np.array(rows)


def _value(generated: Array, real: Array, size: int) -> float:
    import numpy as np

    confusion = _SMOOTHING * np.eye(size, size + 1)
    np.add.at(confusion, (real[:, 0], real[:, 1]), 1.0)
    known = np.bincount(real[:, 0], minlength=size) > 0
    confusion /= confusion.sum(1, keepdims=True)
    total = 0.0
    for target in np.unique(generated[:, 0]):
        counts = np.bincount(generated[generated[:, 0] == target, 1], minlength=size + 1)
        total += _mixture(counts, confusion, known)[target] * counts.sum()
    return float(total / len(generated))


def _mixture(counts: Array, confusion: Array, known: Array) -> Array:
    """Return the most likely shares of emotions behind the counts of a judge's answers."""
    import numpy as np

    shares = known / known.sum()
    for _ in range(_ROUNDS):
        joint = shares[:, None] * confusion
        given = joint / np.maximum(joint.sum(0, keepdims=True), 1e-12)
        renewed = given @ counts / max(counts.sum(), 1)
        shares, change = renewed, float(np.abs(renewed - shares).max())
        if change < _STILL:
            break
    return np.asarray(shares)

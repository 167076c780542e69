"""Metrics of several numbers per item: emotions of an intensity task, or valence, arousal and dominance.

Published under these names: EI-reg and EI-oc of SemEval-2018 (definition 26 of the reference), VAD of EmoBank and
MMAFFBen (27), the VAD R² of BoLD (41) and of appraisal probes (46), valence-arousal error of generated media.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.bootstrap import cluster_numbers
from affectllm.metrics.core.counts import mean_of_items, per_part
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.core.moments import ccc_of, check_varies, mean_over_blocks, pearson_of
from affectllm.metrics.numbers.dimensions import r2_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Vectors = Sequence[dict[str, float]]
_SEMEVAL = "Mohammad et al., SemEval-2018 Task 1: Affect in Tweets, SemEval 2018"
_EMOBANK = "Buechel and Hahn, EmoBank, EACL 2017"


@metric("pearson_per_group", form="number", range=(-1.0, 1.0), source=_SEMEVAL, columns=("groups",))
def pearson_per_group(
    gold: list[float],
    predicted: list[float],
    *,
    groups: Sequence[Hashable] = (),
    some_emotion: float | None = None,
) -> Sums:
    """Pearson's correlation for each group, such as each emotion of SemEval EI-reg and EI-oc, then their mean.

    Formula: ``1/G Σ_g r_g``; ``groups`` holds the group of each item, all of which weigh the same.
    Options: ``some_emotion`` keeps items with |gold| at or above it (0.5 for EI-reg, 1 for EI-oc).
    Edge cases: an error where gold does not vary within a group; a group with constant answers has 0.
    """
    return _per_group(pearson_of, "pearson", gold, predicted, groups, some_emotion)


@metric(
    "quadratic_kappa",
    title="Quadratic κ",
    form="number",
    range=(-1.0, 1.0),
    source=_SEMEVAL + "; Cohen, Psychological Bulletin 70(4), 1968",
    columns=("groups",),
)
def quadratic_kappa(
    gold: list[float],
    predicted: list[float],
    *,
    groups: Sequence[Hashable] = (),
    some_emotion: float | None = None,
) -> Sums:
    """Cohen's κ with quadratic weights on whole numbers, such as the intensity classes of EI-oc and V-oc.

    Formula: ``κ = 1 − Σ_i (x_i − y_i)² / (1/N Σ_ij (x_i − y_j)²)``, which on whole numbers is the concordance
    correlation with 1/n variances; distances are differences of the numbers themselves, so classes that never occur
    keep their place. ``groups`` and ``some_emotion`` as in ``pearson_per_group``.
    Edge cases: an error for numbers that are not whole and for gold that does not vary; 0 for constant answers.
    """
    if strange := [number for number in (*gold, *predicted) if number != int(number)]:
        raise Malformed(f"{strange[0]} is no whole number", do="round answers to classes first, or use ccc")
    return _per_group(ccc_of, "kappa", gold, predicted, groups, some_emotion)


def _per_group(
    value: Any, name: str, gold: Any, predicted: Any, groups: Sequence[Hashable], some_emotion: float | None
) -> Sums:
    import numpy as np

    truth, answers = np.array(gold, float), np.array(predicted, float)
    belongs = list(groups) if len(groups) else ["all"] * len(truth)
    names, numbers = list(dict.fromkeys(belongs)), cluster_numbers(belongs)
    counted = np.ones(len(truth), bool) if some_emotion is None else abs(truth) >= some_emotion
    masks = [(numbers == number) & counted for number in range(len(names))]
    if empty := [group for group, mask in zip(names, masks, strict=True) if not mask.any()]:
        raise Malformed(f"no gold value of {empty[0]} reaches some_emotion={some_emotion}", do="choose a smaller one")
    return mean_over_blocks(value, name, [*map(str, names)], [truth] * len(names), [answers] * len(names), masks)


@metric("vad_error", form="vector", range=(0.0, inf), source=_EMOBANK, better="lower")
def vad_error(gold: Vectors, predicted: Vectors, *, norm: str = "absolute") -> Sums:
    """Distance between gold and answered points, such as valence, arousal and dominance; mean over items.

    Formula: ``absolute``: mean over the dimensions of ``|x − y|``; ``euclidean``: ``sqrt(Σ_d (x_d − y_d)²)``.
    ``details`` holds both, ``per_class`` the absolute and root mean squared error of each dimension.
    Edge cases: every item needs the same dimensions; answers must have all of these.
    """
    import numpy as np

    names, truth, answers = _matrices(gold, predicted)
    gap = truth - answers
    distances = {"absolute": abs(gap).mean(1), "euclidean": np.sqrt((gap**2).sum(1))}
    if norm not in distances:
        raise Malformed(f"norm is {norm!r}", do=f"choose of {', '.join(distances)}")
    errors = {"mae": abs(gap).mean(0), "rmse": np.sqrt((gap**2).mean(0))}
    details = {name: float(values.mean()) for name, values in distances.items()}
    return mean_of_items(distances[norm], per_class=lambda: per_part(names, **errors), details=details)


@metric("vad_pearson", form="vector", range=(-1.0, 1.0), source=_EMOBANK)
def vad_pearson(gold: Vectors, predicted: Vectors) -> Sums:
    """Pearson's correlation for each dimension, then the mean over dimensions.

    Formula: ``1/D Σ_d r_d``; each r_d is in ``per_class``.
    Edge cases: an error where gold does not vary in a dimension; constant answers give that dimension 0.
    """
    return _per_dimension(pearson_of, "pearson", gold, predicted)


@metric(
    "vad_ccc", form="vector", range=(-1.0, 1.0), source="Lin, Biometrics 45(1), 1989; Kollias et al., ABAW, CVPRW 2022"
)
def vad_ccc(gold: Vectors, predicted: Vectors) -> Sums:
    """Concordance correlation for each dimension, then the mean over dimensions: the valence-arousal score of ABAW.

    Formula: ``1/D Σ_d CCC_d``; each is in ``per_class``.
    Edge cases: as ``vad_pearson``.
    """
    return _per_dimension(ccc_of, "ccc", gold, predicted)


@metric("vad_r2", form="vector", range=(-inf, 1.0), source="Luo et al., ARBEE, IJCV 128, 2020")
def vad_r2(gold: Vectors, predicted: Vectors) -> Sums:
    """R² for each dimension, then the mean over dimensions, as on the valence, arousal and dominance of BoLD.

    Formula: ``1/D Σ_d (1 − Σ_i (x_id − y_id)² / Σ_i (x_id − mean(x_d))²)``.
    Edge cases: an error where gold does not vary in a dimension.
    """
    import numpy as np

    names, truth, answers = _matrices(gold, predicted)
    for name, column in zip(names, truth.T, strict=True):
        check_varies(column, where=name)
    x = truth - truth.mean(0)
    table = np.stack([np.ones_like(x), (truth - answers) ** 2, x, x * x], axis=-1).reshape(len(x), -1)

    def each(sums: Array) -> Array:
        return r2_of(sums.reshape(*sums.shape[:-1], len(names), 4))

    return Sums(table, lambda sums: each(sums).mean(-1), per_class=lambda: per_part(names, r2=each(table.sum(0))))


def _per_dimension(value: Any, name: str, gold: Vectors, predicted: Vectors) -> Sums:
    import numpy as np

    names, truth, answers = _matrices(gold, predicted)
    return mean_over_blocks(
        value, name, names, list(truth.T), list(answers.T), [np.ones(len(truth), bool)] * len(names)
    )


def _matrices(gold: Vectors, predicted: Vectors) -> tuple[list[str], Array, Array]:
    import numpy as np

    names = sorted(gold[0])
    if not names:
        raise Malformed("gold value 1 has no dimension", do="give a number for each dimension")
    for what, side in (("gold value", gold), ("answer", predicted)):
        for row, vector in enumerate(side):
            if missing := set(names) - set(vector):
                raise Malformed(f"{what} {row + 1} lacks {sorted(missing)[0]}", do="give every dimension of every item")
    if strange := {name for vector in gold for name in vector} - set(names):
        raise Malformed(f"some gold values have {sorted(strange)[0]}, others not", do="give the same dimensions")
    truth, answers = (np.array([[vector[name] for name in names] for vector in side]) for side in (gold, predicted))
    return names, truth, answers

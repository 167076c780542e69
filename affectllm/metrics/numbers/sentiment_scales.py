"""Metrics of sentiment as a number, scored as classes: CMU-MOSI, CMU-MOSEI (−3 to 3) and CH-SIMS (−1 to 1).

Definitions 31 and 32 of the reference, as thuiar/MMSA computes them in src/MMSA/utils/metricsTop.py. "Acc-2" alone says
nothing: *has0* splits at ≥ 0 and keeps neutral items as positive, *non0* leaves out items whose gold is 0 and splits at
> 0; the two differ by several points on the same answers. MAE and Corr beside them are ``mae`` and ``pearson``.

An unreadable answer has become the end of the scale that is farthest from gold; give ``bounds=(-3, 3)`` or
``bounds=(-1, 1)``, so that it does not depend on the gold values at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import Coded, counted_sums, f1, share_right, tally, weighted
from affectllm.metrics.core.metric import Sums, metric

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Numbers = Sequence[float]
_CMU = "Zadeh et al., CMU-MOSI, IEEE Intelligent Systems 31(6), 2016; thuiar/MMSA, src/MMSA/utils/metricsTop.py"
_SIMS = "Yu et al., CH-SIMS, ACL 2020; thuiar/MMSA, src/MMSA/utils/metricsTop.py"
_SIGNS = ("negative", "positive")


@metric("cmu_acc2_has0", form="number", range=(0.0, 1.0), source=_CMU)
def cmu_acc2_has0(gold: Numbers, predicted: Numbers) -> Sums:
    """Accuracy of the sign, with 0 on the positive side.

    Formula: ``1/N Σ 1[(x ≥ 0) = (y ≥ 0)]``.
    Edge cases: neutral items count as positive, so this is not the share of polarities that are right.
    """
    return _accuracy(_binary(gold, predicted, has0=True))


@metric("cmu_f1_has0", form="number", range=(0.0, 1.0), source=_CMU)
def cmu_f1_has0(gold: Numbers, predicted: Numbers) -> Sums:
    """Weighted F1 of the sign, with 0 on the positive side.

    Formula: ``Σ_c n_c/N · F1_c`` over x < 0 and x ≥ 0.
    Edge cases: as ``cmu_acc2_has0``.
    """
    return _weighted_f1(_binary(gold, predicted, has0=True))


@metric("cmu_acc2_non0", form="number", range=(0.0, 1.0), source=_CMU)
def cmu_acc2_non0(gold: Numbers, predicted: Numbers) -> Sums:
    """Accuracy of the sign over items whose gold is not 0; an answer of 0 counts as negative.

    Formula: ``mean of 1[(x > 0) = (y > 0)]`` over items with x ≠ 0.
    Edge cases: neutral items are left out (``n``, ``coverage``); an error where all are neutral.
    """
    return _accuracy(_binary(gold, predicted, has0=False))


@metric("cmu_f1_non0", form="number", range=(0.0, 1.0), source=_CMU)
def cmu_f1_non0(gold: Numbers, predicted: Numbers) -> Sums:
    """Weighted F1 of the sign over items whose gold is not 0; an answer of 0 counts as negative.

    Formula: ``Σ_c n_c/N · F1_c`` over x < 0 and x > 0.
    Edge cases: as ``cmu_acc2_non0``.
    """
    return _weighted_f1(_binary(gold, predicted, has0=False))


@metric("cmu_acc5", form="number", range=(0.0, 1.0), source=_CMU)
def cmu_acc5(gold: Numbers, predicted: Numbers) -> Sums:
    """Accuracy after cutting both sides to −2…2 and rounding to whole numbers.

    Formula: ``1/N Σ 1[round(clip(x)) = round(clip(y))]``; halves round to the even number, as numpy does.
    Edge cases: numbers outside the scale count as its ends.
    """
    return _accuracy(_rounded(gold, predicted, 2))


@metric("cmu_acc7", form="number", range=(0.0, 1.0), source=_CMU)
def cmu_acc7(gold: Numbers, predicted: Numbers) -> Sums:
    """Accuracy after cutting both sides to −3…3 and rounding to whole numbers.

    Formula: ``1/N Σ 1[round(clip(x)) = round(clip(y))]``; halves round to the even number, as numpy does.
    Edge cases: numbers outside the scale count as its ends.
    """
    return _accuracy(_rounded(gold, predicted, 3))


@metric("sims_acc2", form="number", range=(0.0, 1.0), source=_SIMS)
def sims_acc2(gold: Numbers, predicted: Numbers) -> Sums:
    """Accuracy in the two classes of CH-SIMS, at most 0 and above 0.

    Formula: ``1/N Σ 1[(x > 0) = (y > 0)]``.
    Edge cases: neutral items count as negative here, as positive in ``cmu_acc2_has0``.
    """
    return _accuracy(_binned(gold, predicted, (0.0,)))


@metric("sims_f1", form="number", range=(0.0, 1.0), source=_SIMS)
def sims_f1(gold: Numbers, predicted: Numbers) -> Sums:
    """Weighted F1 in the two classes of CH-SIMS, at most 0 and above 0.

    Formula: ``Σ_c n_c/N · F1_c``.
    Edge cases: as ``sims_acc2``.
    """
    return _weighted_f1(_binned(gold, predicted, (0.0,)))


@metric("sims_acc3", form="number", range=(0.0, 1.0), source=_SIMS)
def sims_acc3(gold: Numbers, predicted: Numbers) -> Sums:
    """Accuracy in the three classes of CH-SIMS: up to −0.1, up to 0.1, above.

    Formula: share of items with x and y in the same of ``[−1, −0.1], (−0.1, 0.1], (0.1, 1]``.
    Edge cases: numbers outside the scale count as its ends.
    """
    return _accuracy(_binned(gold, predicted, (-0.1, 0.1)))


@metric("sims_acc5", form="number", range=(0.0, 1.0), source=_SIMS)
def sims_acc5(gold: Numbers, predicted: Numbers) -> Sums:
    """Accuracy in the five classes of CH-SIMS: up to −0.7, up to −0.1, up to 0.1, up to 0.7, above.

    Formula: share of items with x and y in the same of ``[−1, −0.7], (−0.7, −0.1], (−0.1, 0.1], (0.1, 0.7], (0.7, 1]``.
    Edge cases: numbers outside the scale count as its ends.
    """
    return _accuracy(_binned(gold, predicted, (-0.7, -0.1, 0.1, 0.7)))


def _binary(gold: Numbers, predicted: Numbers, has0: bool) -> Coded:
    import numpy as np

    truth, answers = np.array(gold, float), np.array(predicted, float)
    if has0:
        return Coded(list(_SIGNS), (truth >= 0).astype(int), (answers >= 0).astype(int), np.ones(len(truth), bool))
    if not truth.any():
        raise Malformed("every gold value is 0, and non0 leaves these out", do="use has0, or items with a polarity")
    return Coded(list(_SIGNS), (truth > 0).astype(int), (answers > 0).astype(int), truth != 0)


def _rounded(gold: Numbers, predicted: Numbers, limit: int) -> Coded:
    import numpy as np

    both = np.clip(np.array([gold, predicted], float), -limit, limit)
    truth, answers = np.rint(both).astype(int) + limit
    return Coded([str(number) for number in range(-limit, limit + 1)], truth, answers, np.ones(len(gold), bool))


def _binned(gold: Numbers, predicted: Numbers, edges: tuple[float, ...]) -> Coded:
    import numpy as np

    truth, answers = np.searchsorted(edges, np.array([gold, predicted], float), side="left")
    names = [f"≤ {edge:g}" for edge in edges] + [f"> {edges[-1]:g}"]
    return Coded(names, truth, answers, np.ones(len(gold), bool))


def _accuracy(codes: Coded) -> Sums:
    return _counted(codes, share_right)


def _weighted_f1(codes: Coded) -> Sums:
    return _counted(codes, weighted(f1))


def _counted(codes: Coded, value: Any) -> Sums:
    result = counted_sums(codes.labels, tally(codes), value)
    result.n = int(codes.counted.sum())
    result.coverage = {"items": result.n / len(codes.counted)}
    return result

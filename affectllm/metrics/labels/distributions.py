"""Metrics of one distribution over labels per item: votes of a crowd, soft labels, annotation counts of ArtEmis.

Both sides sum to 1 when these functions see them; a label that a side does not name has share 0. Every value is a mean
over items. An unreadable answer has become one that puts all its weight on a label that gold thinks least likely.

Published under these names: the cross-entropy of emotional alignment in ArtEmis (definition 42 of the reference).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import label_names, mean_of_items, ratio
from affectllm.metrics.core.metric import Sums, metric

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Shares = Sequence[dict[str, float]]
SMOOTHING = 1e-6
_KULLBACK = "Kullback and Leibler, On information and sufficiency, Annals of Mathematical Statistics 22(1), 1951"
_GENG = "Geng, Label distribution learning, IEEE Trans. on Knowledge and Data Engineering 28(7), 2016"


@metric("distribution_accuracy", form="distribution", range=(0.0, 1.0), source=_GENG)
def distribution_accuracy(gold: Shares, predicted: Shares, *, labels: Sequence[str] = ()) -> Sums:
    """Accuracy@1: share of items whose likeliest answered label is the likeliest of gold.

    Formula: ``1/N Σ_i 1[argmax p_i ∈ argmax g_i]``.
    Edge cases: where gold ties, each tied label is right; where an answer ties between k labels, the item counts by the
    share of them that is right, as if one were drawn, so that an answer that likes all labels equally earns chance.
    """
    truth, answers = _matrices(gold, predicted, labels)
    top, best = _top(answers), _top(truth)
    return mean_of_items(ratio((top & best).sum(1), top.sum(1)))


def _top(shares: Array) -> Array:
    import numpy as np

    return np.isclose(shares, shares.max(1, keepdims=True), rtol=0, atol=1e-12)


@metric("distribution_rmsd", form="distribution", range=(0.0, 1.0), source=_GENG, better="lower")
def distribution_rmsd(gold: Shares, predicted: Shares, *, labels: Sequence[str] = ()) -> Sums:
    """Root of the mean squared difference of the shares, over labels; mean over items.

    Formula: ``1/N Σ_i sqrt(1/L Σ_c (g_ic − p_ic)²)``.
    Edge cases: it falls with the number of labels L, so give ``labels``, else L counts those that occur.
    """
    import numpy as np

    truth, answers = _matrices(gold, predicted, labels)
    return mean_of_items(np.sqrt(((truth - answers) ** 2).mean(1)))


@metric("distribution_cosine", form="distribution", range=(0.0, 1.0), source=_GENG)
def distribution_cosine(gold: Shares, predicted: Shares, *, labels: Sequence[str] = ()) -> Sums:
    """Cosine of the angle between gold and answered shares; mean over items.

    Formula: ``1/N Σ_i g_i·p_i / (|g_i| |p_i|)``.
    Edge cases: none, since shares sum to 1 and no vector is zero.
    """
    import numpy as np

    truth, answers = _matrices(gold, predicted, labels)
    lengths = np.sqrt((truth**2).sum(1) * (answers**2).sum(1))
    return mean_of_items(np.minimum((truth * answers).sum(1) / lengths, 1.0))


@metric("kl_divergence", form="distribution", range=(0.0, inf), source=_KULLBACK, better="lower")
def kl_divergence(gold: Shares, predicted: Shares, *, labels: Sequence[str] = (), smoothing: float = SMOOTHING) -> Sums:
    """Kullback-Leibler divergence of the answer from gold, in nats; mean over items.

    Formula: ``1/N Σ_i Σ_c g_ic ln(g_ic / q_ic)`` with ``q = (p + ε) / (1 + L·ε)``, ε being ``smoothing``.
    Edge cases: smoothing keeps a label that gold has and the answer lacks from being infinite; its cost is then about
    −ln ε, so values depend on ε where answers hold zeros (``details.zeros``: such items). Without smoothing these are
    an error.
    """
    truth, answers = _matrices(gold, predicted, labels)
    entropy = -(truth * _log(truth)).sum(1)
    return _divergence(truth, answers, smoothing, entropy)


@metric(
    "cross_entropy",
    form="distribution",
    range=(0.0, inf),
    source="Achlioptas et al., ArtEmis, CVPR 2021",
    better="lower",
)
def cross_entropy(gold: Shares, predicted: Shares, *, labels: Sequence[str] = (), smoothing: float = SMOOTHING) -> Sums:
    """Cross-entropy of the answer to the gold distribution, in nats; mean over items.

    Formula: ``−1/N Σ_i Σ_c g_ic ln q_ic``, q smoothed as in ``kl_divergence``; the best possible value is the entropy
    of gold (``details.best``).
    Edge cases: as ``kl_divergence``.
    """
    truth, answers = _matrices(gold, predicted, labels)
    result = _divergence(truth, answers, smoothing, 0.0)
    result.details = {**result.details, "best": float(-(truth * _log(truth)).sum(1).mean())}
    return result


@metric(
    "js_divergence",
    form="distribution",
    range=(0.0, 1.0),
    source="Lin, Divergence measures based on the Shannon entropy, IEEE Trans. on Information Theory 37(1), 1991",
    better="lower",
)
def js_divergence(gold: Shares, predicted: Shares, *, labels: Sequence[str] = ()) -> Sums:
    """Jensen-Shannon divergence of gold and answer, in bits; mean over items.

    Formula: ``½ KL(g‖m) + ½ KL(p‖m)`` with ``m = (g + p)/2`` and logarithms to base 2. Its square root is the distance
    that scipy calls ``jensenshannon``.
    Edge cases: finite for all shares; 1 where the two have no label in common.
    """
    import numpy as np

    truth, answers = _matrices(gold, predicted, labels)
    middle = _log((truth + answers) / 2)
    each = ((truth * (_log(truth) - middle)).sum(1) + (answers * (_log(answers) - middle)).sum(1)) / 2
    return mean_of_items(np.clip(each / np.log(2), 0.0, 1.0))


@metric(
    "earth_mover",
    form="distribution",
    range=(0.0, inf),
    source="Rubner, Tomasi, Guibas, The earth mover's distance as a metric for image retrieval, IJCV 40(2), 2000",
    better="lower",
)
def earth_mover(gold: Shares, predicted: Shares, *, labels: Sequence[str] = ()) -> Sums:
    """Earth mover's distance over an ordered scale, in steps of the scale; mean over items.

    Formula: ``1/N Σ_i Σ_k |G_ik − P_ik|``, G and P cumulative in the order of ``labels``; between 0 and L − 1.
    Edge cases: an error without ``labels``, since the scale must be in order.
    """
    if not labels:
        raise Malformed("the earth mover's distance needs an ordered scale", do="give labels=…, from lowest to highest")
    truth, answers = _matrices(gold, predicted, labels)
    return mean_of_items(abs((truth - answers).cumsum(1)).sum(1))


def _divergence(truth: Array, answers: Array, smoothing: float, entropy: Any) -> Sums:
    import numpy as np

    zeros = float(((truth > 0) & (answers == 0)).any(1).sum())
    if smoothing < 0 or (smoothing == 0 and zeros):
        message = f"{zeros:.0f} answers give no share to a label that gold has, which costs infinitely much"
        raise Malformed(message, do="choose a smoothing above 0")
    smooth = (answers + smoothing) / (1 + truth.shape[1] * smoothing)
    each = -(truth * _log(smooth)).sum(1) - entropy
    return mean_of_items(np.maximum(each, 0.0), details={"zeros": zeros})


def _log(shares: Array) -> Array:
    """Return the natural logarithm; 0 where there is no share, which is always multiplied by 0."""
    import numpy as np

    return np.log(shares, out=np.zeros_like(shares), where=shares > 0)


def _matrices(gold: Shares, predicted: Shares, labels: Sequence[str]) -> tuple[Array, Array]:
    import numpy as np

    names = label_names(labels, *gold, *predicted)
    truth, answers = (
        np.array([[side.get(name, 0.0) for name in names] for side in all_]) for all_ in (gold, predicted)
    )
    return truth, answers

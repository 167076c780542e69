"""Losses of heads: cross-entropy, hybrid multi-label, concordance and mean squared error, shares.

What a loss takes from the training set (how often each label holds, and which hold together) is computed from its
targets, so that a run that was cut off finds the same numbers again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F

from affectllm.model.heads.answers import Kind
from affectllm.model.heads.taught import soft_labels_loss, soft_loss

if TYPE_CHECKING:
    from torch import Tensor

    from affectllm.model.heads.page import HeadPage
    from affectllm.model.heads.prototypes import Prototypes

_LEAST = 1e-8
_MOST_WEIGHT = 100.0  # of a class that is next to never there


def ccc_loss(predicted: Tensor, targets: Tensor) -> Tensor:
    """Return 1 less Lin's concordance correlation coefficient, the mean over dimensions.

    ``1 - 2·cov(x, y) / (var(x) + var(y) + (mean(x) - mean(y))²)`` over the rows of the batch (Lin, Biometrics
    1989; as a loss for emotion Trigeorgis et al., ICASSP 2016, and Weninger et al., IJCAI 2016).

    Args:
        predicted, targets: ``[rows, dimensions]``; NaN targets do not count.
    """
    known = targets.isfinite()
    count = known.sum(0).clamp(min=1)
    x, y = predicted.where(known, 0.0), targets.where(known, 0.0)
    mean_x, mean_y = x.sum(0) / count, y.sum(0) / count
    dx, dy = (x - mean_x).where(known, 0.0), (y - mean_y).where(known, 0.0)
    covariance, spread = (dx * dy).sum(0) / count, ((dx**2).sum(0) + (dy**2).sum(0)) / count
    ccc = 2 * covariance / (spread + (mean_x - mean_y) ** 2 + _LEAST)
    has = (known.sum(0) > 0).to(ccc.dtype)
    return ((1 - ccc) * has).sum() / has.sum().clamp(min=1)


def mse_loss(predicted: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error over the numbers that are known."""
    known = targets.isfinite()
    return ((predicted - targets.where(known, 0.0)) ** 2 * known).sum() / known.sum().clamp(min=1)


_OF_NUMBERS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"ccc": ccc_loss, "mse": mse_loss}


def shares_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of shares of labels, ``-Σ y·log softmax(z)``, the mean over rows."""
    return -(targets * logits.log_softmax(-1)).sum(-1).mean()


def hybrid_loss(
    logits: Tensor,
    targets: Tensor,
    pooled: Tensor,
    positive: Tensor | None,
    correlation: Tensor | None,
    *,
    correlated: float,
    contrastive: float,
    temperature: float,
) -> Tensor:
    """Return the hybrid loss of several labels: binary cross-entropy, label correlation, and contrast.

    ``BCE(z, y; w) + a·mean((σ(z)·C - y·C)²) + b·supcon(pooled, Jaccard(y))``: the three parts of Aslam et al.,
    Improving Arabic Multi-Label Emotion Classification using Stacked Embeddings and Hybrid Loss Function (arXiv
    2410.03979), who weigh classes, compare answers after the correlation of labels, and contrast representations. The
    contrast is that of Lin et al., Findings of ACL 2023, in which two rows attract each other as their sets overlap.

    Args:
        logits, targets: ``[rows, labels]``; NaN targets do not count, and are taken as the answer in the other parts.
        pooled: ``[rows, width]``.
        positive: ``[labels]``, weight of a label that holds; None for 1.
        correlation: ``[labels, labels]``; None where no weight is given to it.
        correlated, contrastive: weights of the second and third part.
        temperature: of the contrast.
    """
    known = targets.isfinite()
    held = targets.where(known, 0.0)
    each = F.binary_cross_entropy_with_logits(logits, held, pos_weight=positive, reduction="none")
    loss = (each * known).sum() / known.sum().clamp(min=1)
    if correlated and correlation is not None:
        difference = (logits.sigmoid() - held) * known
        loss = loss + correlated * (difference @ correlation).pow(2).mean()
    if contrastive and len(pooled) > 1:
        loss = loss + contrastive * jaccard_contrast(pooled, held, temperature)
    return loss


def jaccard_contrast(pooled: Tensor, held: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss in which pairs weigh as their sets of labels overlap.

    ``-1/n Σ_i Σ_{j≠i} J_ij·log softmax_j(cos(h_i, h_j)/t) / Σ_j J_ij``, over the rows that share a label with another.

    Args:
        pooled: ``[rows, width]``.
        held: ``[rows, labels]``, 0 or 1.
    """
    both = held @ held.T
    sizes = held.sum(1)
    overlap = both / (sizes[:, None] + sizes[None, :] - both).clamp(min=1)
    own = torch.eye(len(pooled), dtype=torch.bool, device=pooled.device)
    near = F.normalize(pooled, dim=-1)
    logs = ((near @ near.T) / temperature).masked_fill(own, -torch.inf).log_softmax(-1).masked_fill(own, 0.0)
    overlap = overlap.masked_fill(own, 0.0)
    total = overlap.sum(1)
    has = total > 0
    return -((overlap * logs).sum(1)[has] / total[has]).sum() / has.sum().clamp(min=1)


class Criterion(nn.Module):
    """The loss of a head.

    Args:
        kind: of its outputs.
        page: the recipe's settings.
        targets: of the whole training set, ``[rows]`` or ``[rows, outputs]``.
        outputs: how many there are.
        prototypes: to which representations are drawn; None for none.
    """

    weights: Tensor | None
    correlation: Tensor | None

    def __init__(
        self, kind: Kind, page: HeadPage, targets: Tensor, outputs: int, prototypes: Prototypes | None = None
    ) -> None:
        super().__init__()
        self.kind, self.page, self.prototypes = kind, page, prototypes
        weights = correlation = None
        if kind in ("classes", "labels") and page.class_weights == "balanced":
            weights = balanced(targets, outputs) if kind == "classes" else positives(targets)
        if kind == "labels" and page.correlation:
            correlation = correlations(targets)
        # They follow the model to its device, and belong to the training set, not to the head.
        self.register_buffer("weights", weights, persistent=False)
        self.register_buffer("correlation", correlation, persistent=False)

    def forward(
        self,
        logits: Tensor,
        targets: Tensor,
        pooled: Tensor,
        taught: Tensor | None = None,
        states: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of a batch.

        Args:
            logits: ``[rows, outputs]``.
            targets: the gold answers: see ``Answers.targets``.
            pooled: representations, ``[rows, width]``.
            taught: the teacher's answers ``[rows, outputs]``, NaN where it gave none; None where nobody teaches.
            states: what the last layer takes, ``[rows, width]``; None where nothing is drawn to prototypes.
        """
        logits = logits.float()
        loss = self._gold(logits, targets, pooled.float())
        if taught is not None and self.page.teacher is not None:
            weight = self.page.teacher.weight
            loss = (1 - weight) * loss + weight * self._taught(logits, taught.float(), self.page.teacher.temperature)
        if states is not None and self.prototypes is not None and self.page.prototypes is not None:
            loss = loss + self.page.prototypes.weight * self.prototypes(states.float(), targets)
        return loss

    def _taught(self, logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
        if self.kind == "numbers":
            return _OF_NUMBERS[self.page.loss](logits, taught)
        return (soft_labels_loss if self.kind == "labels" else soft_loss)(logits, taught, temperature)

    def _gold(self, logits: Tensor, targets: Tensor, pooled: Tensor) -> Tensor:
        if self.kind == "classes":
            weights = None if self.weights is None else self.weights.float()
            return F.cross_entropy(logits, targets, weight=weights, label_smoothing=self.page.label_smoothing)
        targets = targets.float()
        if self.kind == "labels":
            parts = {"correlated": self.page.correlation, "contrastive": self.page.contrastive}
            positive, correlation = (None if one is None else one.float() for one in (self.weights, self.correlation))
            return hybrid_loss(
                logits, targets, pooled, positive, correlation, temperature=self.page.temperature, **parts
            )
        return shares_loss(logits, targets) if self.kind == "shares" else _OF_NUMBERS[self.page.loss](logits, targets)


def balanced(classes: Tensor, outputs: int) -> Tensor:
    """Return weights of classes, ``rows / (classes · rows of the class)``; 1 for a class that no row has."""
    counts = torch.bincount(classes, minlength=outputs).float()
    there = counts > 0
    return torch.where(there, counts.sum() / (there.sum() * counts.clamp(min=1)), torch.ones_like(counts))


def positives(targets: Tensor) -> Tensor:
    """Return the weight of a label where it holds: rows without it for every row with it, at most 100."""
    known = targets.isfinite()
    held = targets.where(known, 0.0).sum(0)
    return ((known.sum(0) - held) / held.clamp(min=1)).clamp(min=1 / _MOST_WEIGHT, max=_MOST_WEIGHT)


def correlations(targets: Tensor) -> Tensor:
    """Return Pearson's correlation of the labels over the training set; a label that never varies goes with itself."""
    known = targets.isfinite()
    centred = (targets - targets.nanmean(0)).where(known, 0.0)
    spread = centred.pow(2).sum(0).sqrt()
    matrix = (centred.T @ centred) / (spread[:, None] * spread[None, :]).clamp(min=_LEAST)
    matrix.fill_diagonal_(1.0)
    return matrix

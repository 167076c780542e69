"""Losses of a student that learns from what a teacher has answered: probabilities, or answers without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

if TYPE_CHECKING:
    from torch import Tensor


def soft_loss(logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """Return the divergence of a student's classes from a teacher's, at a temperature.

    ``T²·KL(p_T ‖ softmax(z/T))``, the mean over rows (Hinton et al., 2015), where ``p_T`` are the teacher's
    probabilities at the same temperature, ``p^(1/T)`` normalised. An answer without probabilities is one class of 1.

    Args:
        logits, taught: ``[rows, classes]``; rows of the teacher that hold NaN do not count.
    """
    known = taught.isfinite().all(1)
    shares = taught.where(known[:, None], 1.0)
    heated = (shares.log() / temperature).softmax(-1)
    logs = (logits / temperature).log_softmax(-1)
    each = (torch.xlogy(heated, heated) - heated * logs).sum(-1)
    return temperature**2 * (each * known).sum() / known.sum().clamp(min=1)


def soft_labels_loss(logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """Return the divergence of a student's labels, each of which holds or not, from a teacher's, at a temperature.

    ``T²·KL(p_T ‖ σ(z/T))`` of two outcomes, ``p_T = σ(logit(p)/T)``, the mean over all labels that the teacher judges.

    Args:
        logits, taught: ``[rows, labels]``; NaN of the teacher does not count.
    """
    known = taught.isfinite()
    shares = taught.where(known, 0.5)
    heated = (shares.logit() / temperature).sigmoid()
    inner = torch.xlogy(heated, heated) + torch.xlogy(1 - heated, 1 - heated)
    cross = F.binary_cross_entropy_with_logits(logits / temperature, heated, reduction="none")
    return temperature**2 * ((inner + cross) * known).sum() / known.sum().clamp(min=1)

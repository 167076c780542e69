"""Losses of heads against their formulas, worked another way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr

from affectllm.metrics import METRICS
from affectllm.model.heads.losses import (
    Criterion,
    balanced,
    ccc_loss,
    correlations,
    hybrid_loss,
    jaccard_contrast,
    mse_loss,
    positives,
    shares_loss,
)
from affectllm.model.heads.page import HeadPage

NAN = float("nan")
LABELS = torch.tensor([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])


def test_the_concordance_loss_is_lins_coefficient() -> None:
    """One dimension by hand: means 0.3 and 0.4, variances 0.02 and 0.0266…, covariance 0.02."""
    x, y = torch.tensor([[0.1], [0.3], [0.5]]), torch.tensor([[0.2], [0.4], [0.6]])
    variance = (0.04 + 0.0 + 0.04) / 3
    expected = 1 - 2 * variance / (variance + variance + 0.1**2)
    assert float(ccc_loss(x, y)) == pytest.approx(expected, abs=1e-6)


def test_it_is_the_mean_over_dimensions_of_what_the_metric_says() -> None:
    drawn = np.random.default_rng(0).random((2, 17, 2))
    x, y = (torch.tensor(one, dtype=torch.float32) for one in drawn)
    each = [METRICS["ccc"].statistic(list(y[:, d].tolist()), list(x[:, d].tolist())).value() for d in (0, 1)]
    assert float(ccc_loss(x, y)) == pytest.approx(1 - sum(each) / 2, abs=1e-5)


def test_numbers_that_are_not_known_do_not_count() -> None:
    x = torch.tensor([[0.1, 0.5], [0.3, 0.6], [0.9, 0.7]], requires_grad=True)
    y = torch.tensor([[0.2, NAN], [0.4, NAN], [NAN, NAN]])
    known = ccc_loss(x[:2, :1], y[:2, :1])
    assert ccc_loss(x, y).item() == pytest.approx(known.item(), abs=1e-6)
    assert mse_loss(x, y).item() == pytest.approx(0.01, abs=1e-6)
    (ccc_loss(x, y) + mse_loss(x, y)).backward()
    assert x.grad is not None and x.grad.isfinite().all() and not x.grad[:, 1].any() and not x.grad[2].any()


def test_the_hybrid_loss_is_the_sum_of_its_parts() -> None:
    logits = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.2, -0.3], [-0.7, 0.1, 0.4], [0.0, -2.0, 1.0]])
    pooled = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1.0, 0.0]])
    weights, matrix = positives(LABELS), correlations(LABELS)
    cross = correlated = 0.0
    for z, y in zip(logits.tolist(), LABELS.tolist(), strict=True):
        for place in range(3):
            share = 1 / (1 + math.exp(-z[place]))
            cross -= float(weights[place]) * y[place] * math.log(share) + (1 - y[place]) * math.log(1 - share)
            mixed = sum((1 / (1 + math.exp(-z[k])) - y[k]) * float(matrix[k, place]) for k in range(3))
            correlated += mixed**2
    expected = cross / 12 + 0.3 * correlated / 12 + 0.5 * float(jaccard_contrast(pooled, LABELS, 0.2))
    got = hybrid_loss(logits, LABELS, pooled, weights, matrix, correlated=0.3, contrastive=0.5, temperature=0.2)
    assert float(got) == pytest.approx(expected, rel=1e-5)


def test_the_contrast_weighs_pairs_by_the_overlap_of_their_labels() -> None:
    """Rows 0 and 1 share one of three labels, rows 0 and 2 one of two, rows 1 and 2 none; row 3 has no label."""
    pooled = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]])
    near = {(0, 1): 0.6, (0, 2): 0.0, (0, 3): -1.0, (1, 2): 0.8, (1, 3): -0.6, (2, 3): 0.0}

    def log_share(i: int, j: int) -> float:
        cosines = {k: near[min(i, k), max(i, k)] / 0.5 for k in range(4) if k != i}
        return cosines[j] - math.log(sum(math.exp(one) for one in cosines.values()))

    first = (log_share(0, 1) / 3 + log_share(0, 2) / 2) / (1 / 3 + 1 / 2)
    expected = -(first + log_share(1, 0) + log_share(2, 0)) / 3
    assert float(jaccard_contrast(pooled, LABELS, 0.5)) == pytest.approx(expected, rel=1e-5)
    alone = torch.eye(3)
    assert float(jaccard_contrast(torch.rand(3, 4), alone, 0.5)) == 0.0


def test_what_is_taken_from_the_training_set() -> None:
    assert positives(LABELS).tolist() == pytest.approx([1.0, 3.0, 1.0])
    assert balanced(torch.tensor([0, 0, 0, 1]), 3).tolist() == pytest.approx([4 / 6, 2.0, 1.0])
    matrix = correlations(LABELS)
    assert float(matrix[0, 1]) == pytest.approx(pearsonr(LABELS[:, 0], LABELS[:, 1]).statistic, abs=1e-6)
    constant = correlations(torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    assert constant.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_labels_that_a_space_does_not_have_are_no_denials() -> None:
    page = HeadPage(correlation=0.0, contrastive=0.0)
    criterion = Criterion("labels", page, LABELS, 3)
    logits, targets = torch.zeros(4, 3), LABELS.clone()
    targets[:, 2] = NAN
    assert float(criterion(logits, targets, torch.zeros(4, 2))) == pytest.approx(math.log(2))
    assert float(shares_loss(torch.zeros(1, 4), torch.full((1, 4), 0.25))) == pytest.approx(math.log(4))


@pytest.mark.parametrize("kind", ["classes", "labels"])
def test_a_rare_class_weighs_more_where_that_is_asked_for(kind: Any) -> None:
    targets = torch.tensor([0, 0, 0, 1]) if kind == "classes" else torch.eye(2)[torch.tensor([0, 0, 0, 1])]
    usual = {"correlation": 0.0, "contrastive": 0.0}

    def gradient(page: HeadPage) -> torch.Tensor:
        logits = torch.zeros(4, 2, requires_grad=True)
        Criterion(kind, page, targets, 2)(logits, targets, torch.zeros(4, 2)).backward()
        assert logits.grad is not None
        return logits.grad[3, 1].abs() / logits.grad[0, 0].abs()

    assert float(gradient(HeadPage(**usual))) == pytest.approx(1.0)
    assert float(gradient(HeadPage(**usual, class_weights="balanced"))) > 2.0

"""Losses of a head that learns from a teacher's answers or from prototypes, against formulas worked another way."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit, logit
from scipy.stats import entropy

from affectllm.errors import Malformed, NotFound
from affectllm.model.heads.answers import Answers
from affectllm.model.heads.losses import Criterion, mse_loss
from affectllm.model.heads.page import HeadPage, PrototypesPage, TaughtPage, objection
from affectllm.model.heads.prototypes import Prototypes, load_prototypes
from affectllm.model.heads.taught import soft_labels_loss, soft_loss

NAN = float("nan")
LOGITS = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.2, -0.3], [-0.7, 0.1, 0.4]])
SHARES = torch.tensor([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0], [0.3, 0.3, 0.4]])


def heated(shares: list[float], temperature: float) -> np.ndarray:
    powers = np.array(shares, float) ** (1 / temperature)
    return powers / powers.sum()


@pytest.mark.parametrize("temperature", [1.0, 2.0, 0.5])
def test_classes_are_compared_at_a_temperature(temperature: float) -> None:
    each = [
        entropy(heated(p, temperature), heated(np.exp(np.array(z)).tolist(), temperature))
        for p, z in zip(SHARES.tolist(), LOGITS.tolist(), strict=True)
    ]
    got = float(soft_loss(LOGITS, SHARES, temperature))
    assert got == pytest.approx(temperature**2 * sum(each) / 3, rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_labels_are_compared_each_by_itself(temperature: float) -> None:
    total = 0.0
    for p, z in zip(SHARES.flatten().tolist(), LOGITS.flatten().tolist(), strict=True):
        teacher, student = (expit(one / temperature) for one in (logit(p), z))
        total += float(entropy([teacher, 1 - teacher], [student, 1 - student]))
    got = float(soft_labels_loss(LOGITS, SHARES, temperature))
    assert got == pytest.approx(temperature**2 * total / 9, rel=1e-5)


def test_gradients_are_as_large_at_every_temperature_that_is_high() -> None:
    """What T² is for (Hinton et al., section 2.1): for high temperatures the gradient becomes (z - v) / classes."""
    v = torch.tensor([[1.0, -0.5, -0.5]])
    z = torch.tensor([[0.2, 0.1, -0.3]], requires_grad=True)
    soft_loss(z, v.softmax(-1), 200.0).backward()
    assert z.grad is not None and z.grad[0].tolist() == pytest.approx(((z - v) / 3)[0].tolist(), abs=2e-3)


@pytest.mark.parametrize("loss", [soft_loss, soft_labels_loss])
def test_a_student_that_is_its_teacher_has_nothing_to_learn(loss: Any) -> None:
    z = LOGITS.clone().requires_grad_()
    shares = LOGITS.softmax(-1) if loss is soft_loss else LOGITS.sigmoid()
    value = loss(z, shares, 2.0)
    value.backward()
    assert z.grad is not None and float(value) == pytest.approx(0.0, abs=1e-6) and float(z.grad.abs().max()) < 1e-6


@pytest.mark.parametrize("loss", [soft_loss, soft_labels_loss])
def test_what_a_teacher_does_not_say_does_not_count(loss: Any) -> None:
    z, taught = LOGITS.clone().requires_grad_(), SHARES.clone()
    taught[1] = NAN
    value = loss(z, taught, 2.0)
    assert float(value) == pytest.approx(float(loss(LOGITS[[0, 2]], SHARES[[0, 2]], 2.0)), rel=1e-5)
    value.backward()
    assert z.grad is not None and z.grad.isfinite().all() and not z.grad[1].any() and z.grad[0].any()
    assert float(loss(LOGITS, torch.full_like(SHARES, NAN), 1.0)) == 0.0


def test_certain_labels_have_finite_gradients() -> None:
    z = LOGITS.clone().requires_grad_()
    soft_labels_loss(z, torch.tensor([[1.0, 0.0, 1.0]]).expand(3, 3), 2.0).backward()
    assert z.grad is not None and z.grad.isfinite().all() and (z.grad[:, 0] < 0).all() and (z.grad[:, 1] > 0).all()


def test_the_weight_divides_between_teacher_and_gold() -> None:
    """α·T²·KL + (1 - α)·CE with smoothed classes; numbers and shares have their own parts."""
    targets, pooled = torch.tensor([0, 1, 2]), torch.zeros(3, 2)
    page = HeadPage(label_smoothing=0.1, teacher=TaughtPage("x", weight=0.3, temperature=2.0))
    gold = torch.nn.functional.cross_entropy(LOGITS, targets, label_smoothing=0.1)
    criterion = Criterion("classes", page, targets, 3)
    expected = 0.3 * float(soft_loss(LOGITS, SHARES, 2.0)) + 0.7 * float(gold)
    assert float(criterion(LOGITS, targets, pooled, SHARES)) == pytest.approx(expected, rel=1e-6)
    assert float(criterion(LOGITS, targets, pooled)) == pytest.approx(float(gold), rel=1e-6)
    numbers = HeadPage(loss="mse", teacher=TaughtPage("x", weight=0.25))
    criterion = Criterion("numbers", numbers, SHARES, 3)
    got = criterion(LOGITS, SHARES, pooled, 1 - SHARES)
    assert float(got) == pytest.approx(
        0.25 * float(mse_loss(LOGITS, 1 - SHARES)) + 0.75 * float(mse_loss(LOGITS, SHARES)), rel=1e-6
    )
    alone = HeadPage(correlation=0.0, contrastive=0.0, teacher=TaughtPage("x", weight=1.0))
    criterion = Criterion("labels", alone, SHARES.round(), 3)
    got = criterion(LOGITS, SHARES.round(), pooled, SHARES)
    assert float(got) == pytest.approx(float(soft_labels_loss(LOGITS, SHARES, 1.0)), rel=1e-6)


VECTORS = torch.tensor([[2.0, 0.0], [0.0, 1.0], [-3.0, 0.0], [3.0, 4.0]])
STATES = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, -2.0]])


def test_the_pull_is_the_cosine_to_the_nearest_prototype_of_the_label() -> None:
    """Label 0 has the first and the last prototype, label 1 the second, label 2 none."""
    owned = torch.tensor([[True, False, False, True], [False, True, False, False], [False] * 4])
    pull = Prototypes(VECTORS, owned=owned)
    first = 1 - max(1.0, 0.6)
    second = 1 - 0.8
    assert float(pull(STATES, torch.tensor([0, 1, 2]))) == pytest.approx((first + second) / 2, abs=1e-6)
    third = 1 - max(0.6, 0.6 * 0.6 + 0.8 * 0.8)
    several = torch.tensor([[0.0, 0.0, 1.0], [1.0, 1.0, 1.0], [NAN, NAN, 0.0]])
    assert float(pull(STATES, several)) == pytest.approx((third + second) / 2, abs=1e-6)
    criterion = Criterion("classes", HeadPage(prototypes=PrototypesPage("x", 0.5)), torch.tensor([0, 1, 2]), 3, pull)
    plain = float(criterion(LOGITS, torch.tensor([0, 1, 2]), STATES))
    drawn = float(criterion(LOGITS, torch.tensor([0, 1, 2]), STATES, None, STATES))
    assert drawn == pytest.approx(plain + 0.5 * (first + second) / 2, abs=1e-6)


def test_the_pull_of_numbers_is_to_the_nearest_place(tmp_path: Path) -> None:
    """Of a grid of four over valence and arousal from -1 to 1; targets of heads are from 0 to 1."""
    corners = [(-0.5, -0.5), (-0.5, 0.5), (0.5, -0.5), (0.5, 0.5)]
    page = [
        {"valence": v, "arousal": a, "vector": vector} for (v, a), vector in zip(corners, VECTORS.tolist(), strict=True)
    ]
    (tmp_path / "grid.json").write_text(json.dumps(page))
    answers = Answers("numbers", ("dominance", "arousal", "valence"))
    pull = load_prototypes(str(tmp_path / "grid.json"), answers)
    targets = torch.tensor([[0.5, 0.1, 0.2], [0.5, 0.9, 0.9], [0.5, NAN, 0.9]])  # low and low, high and high
    states = STATES.clone().requires_grad_()
    value = pull(states, targets)
    assert float(value) == pytest.approx(((1 - 1.0) + (1 - (0.6 * 0.6 + 0.8 * 0.8))) / 2, abs=1e-6)
    pull(states * torch.tensor([1.0, 0.3]), targets).backward()
    assert states.grad is not None and not states.grad[2].any() and states.grad[1].any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "this is not JSON"),
        ("{}", "a list of objects"),
        ("[]", "a list of objects"),
        ('[{"label": "joy", "vector": [1, 2]}, {"label": "joy", "vector": [1]}]', "1 and 2 numbers"),
        ('[{"label": "envy", "vector": [1, 2]}]', "the label 'envy'"),
        ('[{"valence": 0.5, "arousal": 0.5, "vector": [1, 2]}]', "the label None"),
        ('[{"label": "joy", "vector": [0, 0]}]', "has no direction"),
        ('[{"label": "joy", "vector": [1, NaN]}]', "no list of finite numbers"),
        ('[{"label": "joy"}]', "no list of finite numbers"),
    ],
)
def test_prototypes_that_are_none_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(Malformed, match=message) as caught:
        load_prototypes(str(tmp_path / "p.json"), Answers("classes", ("joy", "fear")))
    assert caught.value.where.endswith("p.json")


def test_places_out_of_range_and_heads_without_them_are_refused(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('[{"valence": 5, "arousal": 0, "vector": [1, 2]}]')
    with pytest.raises(Malformed, match="valence of prototype 1 is 5"):
        load_prototypes(str(tmp_path / "p.json"), Answers("numbers", ("valence", "arousal")))
    with pytest.raises(Malformed, match="gives no arousal"):
        load_prototypes(str(tmp_path / "p.json"), Answers("numbers", ("valence",)))
    with pytest.raises(NotFound, match="no file of prototypes"):
        load_prototypes(str(tmp_path / "nowhere.json"), Answers("numbers", ("valence", "arousal")))


@pytest.mark.parametrize(
    ("page", "key"),
    [
        (HeadPage(teacher=TaughtPage("x", weight=0.0)), "teacher.weight"),
        (HeadPage(teacher=TaughtPage("x", weight=1.1)), "teacher.weight"),
        (HeadPage(teacher=TaughtPage("x", temperature=0.0)), "teacher.temperature"),
        (HeadPage(teacher=TaughtPage("x", temperature=math.inf)), "teacher.temperature"),
        (HeadPage(prototypes=PrototypesPage("x", weight=-1.0)), "prototypes.weight"),
    ],
)
def test_impossible_weights_are_named(page: HeadPage, key: str) -> None:
    refused = objection(page)
    assert refused is not None and refused[0] == key
    assert HeadPage.from_json(json.loads(json.dumps(page.to_json()))) == page

"""Checks of the input of metrics, and the row that per-class values share."""

from __future__ import annotations

from collections.abc import Sized

from affectllm.errors import Malformed


def check_lengths(gold: Sized, predicted: Sized) -> None:
    """Raise ``Malformed`` when there is nothing to score, or not one answer for each item."""
    if len(gold) != len(predicted):
        raise Malformed(f"{len(gold)} gold values but {len(predicted)} answers", do="give one answer for each item")
    if not len(gold):
        raise Malformed("there is nothing to score", do="give at least one item")


def check_bootstrap(resamples: int, seed: int) -> None:
    """Raise ``Malformed`` unless there is at least one resample and the seed is not negative."""
    if resamples < 1 or seed < 0:
        raise Malformed(f"resamples={resamples}, seed={seed}", do="give at least 1 resample, and a seed of at least 0")


def class_row(precision: float, recall: float, f1: float, support: float) -> dict[str, float]:
    """Return the values of one label as plain numbers, so that they can be written as JSON."""
    return {"precision": float(precision), "recall": float(recall), "f1": float(f1), "support": int(support)}

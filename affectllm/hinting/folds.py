"""Predictions for training samples by models that have not seen them: folds that share no speaker, or no dialogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from affectllm.corpus import CorpusCard, Sample
from affectllm.errors import AffectError

Apart = Literal["auto", "speaker", "dialogue", "sample"]


def groups_of(samples: Sequence[Sample], card: CorpusCard, apart: Apart, folds: int) -> list[str]:
    """Return of each sample the group that stays in one fold.

    ``auto`` is as the corpus itself is split: by speaker where its card promises that, else by dialogue where there
    are some; the hints of TRAIN are then as good, and as bad, as those of what is scored.

    Raises:
        AffectError: when the samples lack what they are to be kept apart by, or have too few groups.
    """
    if apart == "auto":
        ways: list[Apart] = [*(["speaker"] if card.speaker_disjoint else []), "dialogue", "sample"]  # type: ignore[list-item]
        apart = next(way for way in ways if _keys(samples, way) is not None)
    keys = _keys(samples, apart)
    if keys is None:
        raise AffectError(f"some training samples of {card.name} have no {apart}", do="choose apart: sample")
    if len(set(keys)) < folds:
        message = f"{len(set(keys))} {apart}s of {card.name} cannot be {folds} folds"
        raise AffectError(message, do="lower folds, or keep the samples apart by something else (apart: sample)")
    return keys


def _keys(samples: Sequence[Sample], way: str) -> list[str] | None:
    keys = [sample.id if way == "sample" else getattr(sample, way) for sample in samples]
    return None if any(key is None for key in keys) else [str(key) for key in keys]


def folds_of(labels: Sequence[str], groups: Sequence[str], folds: int) -> Iterator[tuple[Any, Any]]:
    """Yield rows to fit on, and rows to predict: each row is predicted once, and no group is on both sides."""
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    rows, counts = np.zeros(len(labels)), np.unique(labels, return_counts=True)[1]
    # Stratified folds of a class with fewer items than folds would only warn; groups alone decide then.
    way = StratifiedGroupKFold if counts.min() >= folds else GroupKFold
    yield from way(folds, shuffle=True, random_state=0).split(rows, labels, groups)

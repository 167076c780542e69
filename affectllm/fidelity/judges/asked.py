"""A judge that is a model of ours: weights in this process, a trained head, or a model behind an endpoint."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from affectllm.corpus import Sample
from affectllm.errors import AffectError
from affectllm.fidelity.judges.judgement import Judgement
from affectllm.fidelity.page import JudgePage
from affectllm.predict.models import answering_of
from affectllm.predict.predicting import Prediction, predict
from affectllm.predict.question import Question


class AskedJudge:
    """Asks a model the question of a template, and takes the likelihoods of the labels where it knows them.

    Args:
        labels: the answers that may be given.
        folder: where answers are kept.

    Raises:
        AffectError, NotFound, WrongCheckpoint: as ``predict`` does.
    """

    def __init__(self, page: JudgePage, labels: Sequence[str], folder: Path | None) -> None:
        self._question = Question(template=page.template, labels=tuple(page.labels or labels))
        self._question.check()
        options: dict[str, Any] = dict.fromkeys(("adapter", "processor", "device", "quantize", "batch_size"))
        arguments = argparse.Namespace(
            model=page.model,
            model_args=[page.model_args] if page.model_args else None,
            dtype="auto",
            budget=[],
            **options,
        )
        self._answering, dry = answering_of(arguments, folder)
        if dry:
            raise AffectError("dry_run estimates what a prediction costs, not a judgement", do="leave it out")

    def identity(self) -> dict[str, Any]:
        """Return the model and the question."""
        asked = self._question
        return {**self._answering.responder.identity(), "template": asked.template, "labels": asked.labels}

    def judge(self, clips: Sequence[Sample]) -> list[Judgement]:
        """Return the judgement of each clip."""
        return [_judgement(one) for one in predict(clips, self._question, self._answering)]


def _judgement(one: Prediction) -> Judgement:
    if one.reason:
        return Judgement(reason=one.reason)
    (value,) = one.answer.values()
    if isinstance(value, dict):
        return Judgement(numbers={str(name): float(number) for name, number in value.items()})
    if isinstance(value, (int, float)):
        return Judgement(numbers={"value": float(value)})
    return Judgement(str(value), dict(one.likelihoods))

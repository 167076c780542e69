"""A judge that is fitted on the spot: statistics of sounds and frames with a linear model, in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from affectllm.corpus import Sample
from affectllm.errors import Malformed
from affectllm.evaluate.models.features import Describer, described
from affectllm.evaluate.models.linear import best_options
from affectllm.fidelity.judges.judgement import Judgement
from affectllm.fidelity.pairs import Example
from affectllm.instruct.content_parts import clip_parts
from affectllm.run import versions

_ROOT = Path("/")
_PENALTIES = (1.0, 10.0, 100.0, 1_000.0)
UNUSABLE = "unusable"  # what none of the clip's frames or sounds can be described


class ShallowJudge:
    """Logistic regression for labels, ridge regression for dimensions, options chosen over folds of speakers.

    Args:
        train: the clips that it is fitted on.
        modalities: what is looked at and listened to.

    Raises:
        Malformed: when clips of it cannot be used, or hold one label only.
    """

    def __init__(self, train: Sequence[Example], modalities: Sequence[str]) -> None:
        self._modalities = tuple(modalities)
        rows = [self._row(one.sample) for one in train]
        width = max(map(len, rows), default=0)
        kept = [number for number, row in enumerate(rows) if len(row) == width]
        if not width or not kept:
            raise Malformed("no clip that a judge is to learn from can be used", do="check the corpus and modalities")
        self.lost = len(rows) - len(kept)
        self._rows, self._width = np.stack([rows[number] for number in kept]), width
        self._labels = [train[number].label for number in kept]
        self._speakers = [train[number].speaker for number in kept]
        self.gives_numbers = isinstance(self._labels[0], (dict, int, float))
        if not self.gives_numbers and len(set(self._labels)) < 2:
            raise Malformed("a judge cannot learn from clips of one label", do="give clips of several")

    def identity(self) -> dict[str, Any]:
        """Return the digest of what it is fitted on, and the versions."""
        import hashlib
        from importlib import metadata

        content = hashlib.sha256(self._rows.tobytes() + repr(self._labels).encode()).hexdigest()[:16]
        installed = {"scikit-learn": metadata.version("scikit-learn"), "affectllm": versions()["affectllm"]}
        return {"kind": "shallow", "fitted_on": content, "modalities": self._modalities, "versions": installed}

    def judge(self, clips: Sequence[Sample]) -> list[Judgement]:
        """Return the judgement of each clip."""
        rows = [self._row(clip) for clip in clips]
        usable = [number for number, row in enumerate(rows) if len(row) == self._width]
        judgements = [Judgement(reason=UNUSABLE)] * len(clips)
        if usable:
            inputs = np.stack([rows[number] for number in usable])
            answers = self._numbers(inputs) if self.gives_numbers else self._classes(inputs)
            for number, answer in zip(usable, answers, strict=True):
                judgements[number] = answer
        return judgements

    def _row(self, sample: Sample) -> np.ndarray:
        parts = clip_parts(sample, self._modalities)
        pieces = [described(part, _ROOT, Describer()) for part in parts]
        return np.concatenate(pieces) if pieces and all(map(len, pieces)) else np.zeros(0)

    def _classes(self, inputs: np.ndarray) -> list[Judgement]:
        names = [str(name) for name in self._classifier.classes_]
        shares = [dict(zip(names, map(float, row), strict=True)) for row in self._classifier.predict_proba(inputs)]
        return [Judgement(max(one, key=lambda name: one[name]), one) for one in shares]

    def _numbers(self, inputs: np.ndarray) -> list[Judgement]:
        columns = {name: model.predict(inputs) for name, model in self._regressors.items()}
        return [
            Judgement(numbers={name: float(column[row]) for name, column in columns.items()})
            for row in range(len(inputs))
        ]

    @cached_property
    def _classifier(self) -> Any:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        scaled = StandardScaler().fit_transform(self._rows)
        options = best_options(scaled, self._labels, "uar", groups=self._speakers, skip_rare=True)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2_000, **options))
        return model.fit(self._rows, self._labels)

    @cached_property
    def _regressors(self) -> dict[str, Any]:
        from sklearn.linear_model import RidgeCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        golds = [label if isinstance(label, dict) else {"value": label} for label in self._labels]
        return {
            name: make_pipeline(StandardScaler(), RidgeCV(alphas=_PENALTIES)).fit(
                self._rows, [float(gold[name]) for gold in golds]
            )
            for name in golds[0]
        }

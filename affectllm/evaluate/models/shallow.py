"""The shallow reference model: TF-IDF and clip statistics with a linear model, fitted on the corpus's training split.

``affectllm-shallow`` answers tasks of labels, sets and numbers as any other model does; what does not beat it has
learned little from the clips. Nothing of the scored split is used but its questions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from lm_eval.api.instance import Instance
from lm_eval.api.registry import register_model
from tqdm import tqdm

from affectllm.corpus import TRAIN, Rejection
from affectllm.corpus.builder import load_builder
from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError
from affectllm.evaluate.asking import template_of
from affectllm.evaluate.models.reference import ReferenceLM
from affectllm.instruct import Template
from affectllm.instruct.conversation import Conversation, media_parts, text_of
from affectllm.instruct.slots import Slot
from affectllm.model.clip_statistics import frame_statistics, sound_statistics
from affectllm.model.clips.fence import fenced
from affectllm.model.clips.media import Budget, MediaError, open_clip, open_image

_BUDGET = Budget(fps=2.0, max_frames=16, max_pixels=224 * 224, max_seconds=30.0, long="trim")
_SHAPES = ("label", "set", "number", "vector")
Conversations = Sequence[Any]  # messages of each item


@register_model("affectllm-shallow")
class ShallowLM(ReferenceLM):
    """Fits a linear model per task and slot, and answers with its predictions."""

    kind = "shallow"

    def prepare(self, requests: list[Instance]) -> Callable[[Instance], str]:
        answers: dict[tuple[str, str], str] = {}
        for task in sorted({request.task_name for request in requests}):
            documents = {request.doc["id"]: request.doc for request in requests if request.task_name == task}
            corpora = {document["corpus"] for document in documents.values()}
            replies = _answers(template_of(task), corpora.pop(), list(documents.values()))
            answers |= {(task, name): reply for name, reply in zip(documents, replies, strict=True)}
        return lambda request: answers[request.task_name, request.doc["id"]]


def _answers(template: Template, corpus: str, documents: list[dict[str, Any]]) -> list[str]:
    """Fit on the training split of ``corpus``, and word the predictions for ``documents``.

    Raises:
        AffectError: when the corpus has no training samples, or the answers are of a form that has no classes and no
            numbers.
    """
    for slot in template.slots:
        if slot.how.free or slot.how.own_space is not None or slot.how.shape(slot.space) not in _SHAPES:
            message = f"affectllm-shallow predicts labels, sets and numbers, and {template.name} asks for others"
            raise AffectError(message, do="choose another task, or another reference model")
    train = list(_training(template, corpus))
    if not train:
        message = f"{corpus} has no training sample that {template.name} can ask"
        raise AffectError(message, do="a shallow model needs a training split: choose another task")
    features = Features([one.asked for one in train], corpus)
    inputs = features.of([document["messages"] for document in documents])
    values = {slot.name: _predictions(slot, train, len(template.slots), features, inputs) for slot in template.slots}
    return [template.worded({name: column[row] for name, column in values.items()}) for row in range(len(documents))]


def _training(template: Template, corpus: str) -> Iterator[Conversation]:
    folder = Roots.parse().find(corpus)
    for sample in load_builder(corpus).samples(folder):
        if not isinstance(sample, Rejection) and sample.split == TRAIN and template.reject(sample) is None:
            yield Conversation.of(sample, template)


class Features:
    """Rows of features: TF-IDF of words and pairs of words, and standardised statistics of clips.

    A clip that cannot be opened, and one that an item lacks, is a row of means.
    """

    def __init__(self, train: Conversations, corpus: str) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._root = Roots.parse().find(corpus) if any(media_parts(one) for one in train) else None
        self._words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=min(2, len(train)))
        statistics = self._statistics(train)
        self._mean = np.nan_to_num(np.nanmean(statistics, axis=0)) if statistics.size else np.zeros(0)
        self._spread = np.nanstd(statistics, axis=0) if statistics.size else np.zeros(0)
        self._words.fit([*map(text_of, train)])
        self.train = self._joined(train, statistics)

    def of(self, conversations: Conversations) -> Any:
        """Return the sparse rows ``[items, features]`` of conversations."""
        return self._joined(conversations, self._statistics(conversations))

    def _joined(self, conversations: Conversations, statistics: np.ndarray) -> Any:
        from scipy.sparse import csr_matrix, hstack

        scaled = (statistics - self._mean) / np.where(self._spread > 0, self._spread, 1.0)
        words = self._words.transform([*map(text_of, conversations)])
        return hstack([words, csr_matrix(np.nan_to_num(scaled))]).tocsr()

    def _statistics(self, conversations: Conversations) -> np.ndarray:
        """Return ``[items, features]``, NaN for what cannot be opened; no column where no item has a clip."""
        if self._root is None:
            return np.zeros((len(conversations), 0))
        rows = [
            np.concatenate([self._of_part(part) for part in media_parts(one)] or [np.zeros(0)])
            for one in tqdm(conversations, desc="clips")
        ]
        width = max(map(len, rows), default=0) if not hasattr(self, "_mean") else len(self._mean)
        if lost := sum(len(row) != width for row in rows):
            print(
                f"clips: {lost} of {len(rows)} items have none that can be used, and count as average", file=sys.stderr
            )
        return np.stack([row if len(row) == width else np.full(width, np.nan) for row in rows])

    def _of_part(self, part: Any) -> np.ndarray:
        assert self._root is not None
        path = self._root / part["path"]
        if part["type"] == "image":
            picture = fenced(path, lambda: open_image(path, _BUDGET, 1))
            return np.zeros(0) if isinstance(picture, MediaError) else frame_statistics(picture[None])
        sees, hears = part["type"] == "video", part["type"] == "audio" or bool(part.get("sound"))
        span = {"start": part.get("start"), "end": part.get("end")}
        clip = fenced(path, lambda: open_clip(path, _BUDGET, frames=sees, sound=hears, **span))
        if isinstance(clip, MediaError):
            return np.zeros(0)
        pieces = [frame_statistics(clip.frames)] if clip.frames is not None else []
        pieces += [sound_statistics(clip.sound)] if clip.sound is not None else []
        return np.concatenate(pieces)


def _predictions(slot: Slot, train: Sequence[Conversation], slots: int, features: Features, inputs: Any) -> list[Any]:
    """Return the gold value that a linear model predicts for each row of ``inputs``."""
    golds = [one.gold if slots == 1 else one.gold[slot.name] for one in train]
    truths = [slot.how.truth(gold, slot.space) for gold in golds]
    shape = slot.how.shape(slot.space)
    if shape == "label":
        return list(_classified(features.train, truths, inputs))
    names = slot.space.names
    if shape == "set":
        chosen = [_classified(features.train, [name in truth for truth in truths], inputs) for name in names]
        return [[name for name, one in zip(names, row, strict=True) if one] for row in zip(*chosen, strict=True)]
    numbers = [_regressed(features.train, [_number(truth, name) for truth in truths], inputs) for name in names]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*numbers, strict=True)]
    low, high = slot.space.bounds or (-np.inf, np.inf)
    whole = all(float(value) == round(value) for truth in truths for value in _values(truth))
    return [
        {name: float(np.clip(round(value) if whole else value, low, high)) for name, value in row.items()}
        for row in rows
    ]


def _values(truth: Any) -> list[float]:
    return [value for value in truth.values() if value is not None] if isinstance(truth, dict) else [truth]


def _number(truth: Any, name: str) -> float:
    value = truth.get(name) if isinstance(truth, dict) else truth
    return np.nan if value is None else float(value)


def _classified(train: Any, labels: Sequence[Any], inputs: Any) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    if len(set(labels)) == 1:
        return np.full(inputs.shape[0], labels[0], dtype=object)
    model = LogisticRegression(max_iter=2_000, class_weight="balanced", C=0.1)
    predicted: np.ndarray = model.fit(train, labels).predict(inputs)
    return predicted


def _regressed(train: Any, numbers: Sequence[float], inputs: Any) -> np.ndarray:
    from sklearn.linear_model import RidgeCV

    known = np.isfinite(numbers)
    if not known.any():
        return np.zeros(inputs.shape[0])
    model = RidgeCV(alphas=(0.1, 1.0, 10.0, 100.0, 1_000.0))
    predicted: np.ndarray = model.fit(train[known], np.asarray(numbers)[known]).predict(inputs)
    return predicted

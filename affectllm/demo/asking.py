"""What the page asks a model about one moment: its answer, and its answers without what it heard, saw or read."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from affectllm.corpus import Sample
from affectllm.errors import AffectError
from affectllm.predict.answering import Answering
from affectllm.predict.items import clip_ref, sample_of
from affectllm.predict.lines import answer_text
from affectllm.predict.predicting import Asker, Prediction
from affectllm.predict.question import Question, labels_of

_SENSES = {"video": "saw no film", "audio": "heard nothing", "image": "saw no picture", "text": "read no words"}


@dataclass(frozen=True)
class Contender:
    """A model of the page; asked by one visitor at a time, as weights are not safe among threads.

    Args:
        name: as its user called it.
        answering: who answers; it keeps no answers, so that nothing of a visitor stays on disk.
    """

    name: str
    answering: Answering
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, sample: Sample, question: Question) -> Prediction:
        """Return the model's prediction, as ``affectllm predict`` makes it."""
        with self.lock:
            (prediction,) = Asker(question, self.answering).predictions([sample])
        return prediction


def moment(clips: Sequence[str | None], words: str) -> Sample:
    """Return what a visitor shows, as one sample: clips by their paths, and words.

    Raises:
        AffectError: when nothing is shown, or a file is none of a clip.
    """
    paths = [Path(clip) for clip in clips if clip]
    refs = [clip_ref(path) for path in paths]
    if None in refs:
        path = paths[refs.index(None)]
        raise AffectError(f"{path.name} is no film, sound or picture", do="choose another file")
    text = words.strip() or None
    if not refs and text is None:
        raise AffectError("there is nothing to ask about", do="record, upload or write something first")
    return sample_of("moment", "the page", tuple(ref for ref in refs if ref), text)


def question_of(template: str, labels: str, language: str, system: str = "") -> Question:
    """Return the question that the fields of the page ask for.

    Raises:
        AffectError: when it cannot be asked: the template does not speak the language, or the labels do not fit it.
    """
    question = Question(template, labels_of(labels) if labels.strip() else (), language=language, system=system)
    question.check()
    return question


def ablations(
    contender: Contender, sample: Sample, question: Question, full: Prediction
) -> Iterator[tuple[str, Prediction]]:
    """Yield what the model was kept from, in words, and what it answers then; nothing where it was given one thing."""
    for modality in full.shown if len(full.shown) > 1 else ():
        rest = tuple(one for one in full.shown if one != modality)
        yield _SENSES[modality], contender.ask(sample, replace(question, modalities=rest))


def ablation_rows(full: Prediction, without: Sequence[tuple[str, Prediction]]) -> list[list[Any]]:
    """Return a row for each prediction: what the model was kept from, its answer, and how likely the full answer is."""
    label = max(full.likelihoods, key=lambda name: full.likelihoods[name]) if full.likelihoods else ""
    rows: list[list[Any]] = []
    for kept_from, one in (("given everything", full), *without):
        likelihood = f"{one.likelihoods[label]:.3f}" if label in one.likelihoods else "–"
        rows.append([kept_from, answer_line(one), likelihood])
    return rows


def answer_line(one: Prediction) -> str:
    """Return the answer in words, or why there is none."""
    return answer_text(one) or (f"no answer: {one.reason}" + (f" ({one.detail})" if one.detail else ""))


def bars(one: Prediction) -> dict[str, float] | str:
    """Return what a chart shows: label → likelihood, or the answer alone where the model tells no likelihoods."""
    return dict(one.likelihoods) or answer_line(one)

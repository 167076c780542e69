"""Features of conversations for the shallow reference model: words, sounds and frames as rows of numbers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from affectllm.corpus import Sample
from affectllm.instruct import Template
from affectllm.instruct.content_parts import clip_parts
from affectllm.model.clip_statistics import frame_statistics, sound_statistics
from affectllm.model.clips.fence import fenced
from affectllm.model.clips.media import Budget, MediaError, open_clip, open_image
from affectllm.model.pooled import PooledEncoder
from affectllm.voice import bar

BUDGET = Budget(fps=2.0, max_frames=16, max_pixels=224 * 224, max_seconds=30.0, long="trim")
"""How much of a clip is looked at."""
_EARLIER = 0.3  # weight of the words of earlier turns against those of the item's own
Describe = Callable[[Any], np.ndarray]


@dataclass(frozen=True)
class Shown:
    """What is shown of an item.

    Args:
        words: its own; empty where words are not shown.
        before: those of the earlier turns of its dialogue.
        clips: its media parts.
    """

    words: str
    before: str
    clips: Sequence[Any]


Items = Sequence[Shown]


def shown_of(sample: Sample, template: Template) -> Shown:
    """Return what a template shows of a sample."""
    if "text" not in template.modalities:
        return Shown("", "", clip_parts(sample, template.modalities))
    before = "\n".join(turn.text for turn in sample.context)
    return Shown(sample.text or "", before, clip_parts(sample, template.modalities))


@dataclass(frozen=True)
class Describer:
    """What sounds, frames and words are described by.

    Args:
        sound: float32 ``[samples]`` at 16 kHz → ``[features]``; None where sounds are not looked at.
        frames: uint8 ``[time, height, width, 3]`` → ``[features]``; None where frames are not looked at.
        words: text → ``[features]``; None for TF-IDF of words and pairs of words.
        counts_words: whether words are looked at.
    """

    sound: Describe | None = sound_statistics
    frames: Describe | None = frame_statistics
    words: Describe | None = None
    counts_words: bool = True


def encoded(encoder: PooledEncoder) -> Describer:
    """Return the describer of a frozen encoder, which looks at its own kind of input alone."""
    is_text = encoder.kind == "text"
    return Describer(
        sound=encoder.sound if encoder.kind == "audio" else None,
        frames=encoder.frames if encoder.kind == "vision" else None,
        words=encoder.words if is_text else None,
        counts_words=is_text,
    )


class Features:
    """Rows of features: TF-IDF of words and pairs of words, apart that of earlier turns, and described clips.

    Descriptions are standardised. A clip that cannot be opened, and one that an item lacks, is a row of means.

    Args:
        train: the items that are learned from.
        root: the folder of their corpus.
        describer: what clips and words are described by.

    Attributes:
        train: the sparse rows ``[items, features]`` of ``train``.
    """

    def __init__(self, train: Items, root: Path, describer: Describer) -> None:
        self._describer = describer
        self._root = root if any(one.clips for one in train) else None
        self._words = _fitted([one.words for one in train], (1, 2))
        self._before = _fitted([one.before for one in train], (1, 1))
        rows = self._dense(train)
        self._mean = np.nan_to_num(np.nanmean(rows, axis=0)) if rows.size else np.zeros(0)
        self._spread = np.nanstd(rows, axis=0) if rows.size else np.zeros(0)
        self.train = self._joined(train, rows)

    def of(self, items: Items) -> Any:
        """Return the sparse rows ``[items, features]``."""
        return self._joined(items, self._dense(items))

    @property
    def vocabulary(self) -> list[str]:
        """The words and pairs of words of the first columns of the rows; empty where words are not counted."""
        if self._words is None or not self._describer.counts_words or self._describer.words is not None:
            return []
        return list(self._words.get_feature_names_out())

    def _joined(self, items: Items, rows: np.ndarray) -> Any:
        from scipy.sparse import csr_matrix, hstack

        scaled = csr_matrix(np.nan_to_num((rows - self._mean) / np.where(self._spread > 0, self._spread, 1.0)))
        if not self._describer.counts_words or self._describer.words is not None:
            return scaled
        words = [] if self._words is None else [self._words.transform([one.words for one in items])]
        earlier = [] if self._before is None else [self._before.transform([one.before for one in items]) * _EARLIER]
        return hstack([*words, *earlier, scaled]).tocsr()

    def _dense(self, items: Items) -> np.ndarray:
        """Return ``[items, features]``, NaN for what cannot be opened; no column where no item has any."""
        words = self._describer.words
        if words is not None:
            return np.stack(
                [words(f"{one.before}\n{one.words}".strip()) for one in bar(items, desc="texts", unit=" texts")]
            )
        root = self._root
        if root is None:
            return np.zeros((len(items), 0))
        rows = [
            np.concatenate([described(part, root, self._describer) for part in one.clips] or [np.zeros(0)])
            for one in bar(items, desc="clips", unit=" clips")
        ]
        width = max(map(len, rows), default=0) if not hasattr(self, "_mean") else len(self._mean)
        if lost := sum(len(row) != width for row in rows):
            message = f"clips: {lost} of {len(rows)} items have none that can be used, and count as average"
            print(message, file=sys.stderr)
        return np.stack([row if len(row) == width else np.full(width, np.nan) for row in rows])


def described(part: Mapping[str, Any], root: Path, describer: Describer, budget: Budget = BUDGET) -> np.ndarray:
    """Describe a clip of the corpus in ``root``; nothing where it cannot be opened, or nothing of it is looked at."""
    path = root / part["path"]
    if part["type"] == "image":
        return _of_picture(path, describer, budget, part.get("box"))
    sees = part["type"] == "video" and describer.frames is not None
    hears = (part["type"] == "audio" or bool(part.get("sound"))) and describer.sound is not None
    if not sees and not hears:
        return np.zeros(0)
    span: dict[str, Any] = {"start": part.get("start"), "end": part.get("end")}
    clip = fenced(path, lambda: open_clip(path, budget, frames=sees, sound=hears, **span))
    if isinstance(clip, MediaError):
        return np.zeros(0)
    pieces = [describer.frames(clip.frames)] if describer.frames and clip.frames is not None else []
    pieces += [describer.sound(clip.sound)] if describer.sound and clip.sound is not None else []
    return np.concatenate(pieces)


def _of_picture(path: Path, describer: Describer, budget: Budget, box: Any) -> np.ndarray:
    if describer.frames is None:
        return np.zeros(0)
    picture = fenced(path, lambda: open_image(path, budget, 1, box))
    return np.zeros(0) if isinstance(picture, MediaError) else describer.frames(picture[None])


def _fitted(texts: Sequence[str], grams: tuple[int, int]) -> Any:
    """Return TF-IDF fitted on ``texts``; None where they have no words, or none that two of them have."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(sublinear_tf=True, ngram_range=grams, min_df=min(2, len(texts)))
    try:
        return vectors.fit(texts)
    except ValueError as error:
        if "vocabulary" in str(error) or "no terms" in str(error):  # scikit-learn has no other sign of no words
            return None
        raise

"""Features of conversations for the shallow reference model: words, sounds and frames as rows of numbers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from affectllm.instruct.conversation import media_parts, text_of
from affectllm.model.clip_statistics import frame_statistics, sound_statistics
from affectllm.model.clips.fence import fenced
from affectllm.model.clips.media import Budget, MediaError, open_clip, open_image
from affectllm.model.pooled import PooledEncoder

_BUDGET = Budget(fps=2.0, max_frames=16, max_pixels=224 * 224, max_seconds=30.0, long="trim")
Conversations = Sequence[Any]  # messages of each item
Describe = Callable[[Any], np.ndarray]


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
    """Rows of features: TF-IDF of words and pairs of words, and standardised descriptions of clips.

    A clip that cannot be opened, and one that an item lacks, is a row of means.

    Args:
        train: messages of the items that are learned from.
        root: the folder of their corpus.
        describer: what clips and words are described by.

    Attributes:
        train: the sparse rows ``[items, features]`` of ``train``.
    """

    def __init__(self, train: Conversations, root: Path, describer: Describer) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._describer = describer
        self._root = root if any(media_parts(one) for one in train) else None
        self._words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=min(2, len(train)))
        rows = self._dense(train)
        self._mean = np.nan_to_num(np.nanmean(rows, axis=0)) if rows.size else np.zeros(0)
        self._spread = np.nanstd(rows, axis=0) if rows.size else np.zeros(0)
        self._words.fit([*map(text_of, train)])
        self.train = self._joined(train, rows)

    def of(self, conversations: Conversations) -> Any:
        """Return the sparse rows ``[items, features]`` of conversations."""
        return self._joined(conversations, self._dense(conversations))

    def _joined(self, conversations: Conversations, rows: np.ndarray) -> Any:
        from scipy.sparse import csr_matrix, hstack

        scaled = csr_matrix(np.nan_to_num((rows - self._mean) / np.where(self._spread > 0, self._spread, 1.0)))
        if not self._describer.counts_words or self._describer.words is not None:
            return scaled
        return hstack([self._words.transform([*map(text_of, conversations)]), scaled]).tocsr()

    def _dense(self, conversations: Conversations) -> np.ndarray:
        """Return ``[items, features]``, NaN for what cannot be opened; no column where no item has any."""
        words = self._describer.words
        if words is not None:
            return np.stack([words(text_of(one)) for one in tqdm(conversations, desc="texts")])
        if self._root is None:
            return np.zeros((len(conversations), 0))
        rows = [
            np.concatenate([self._of_part(part) for part in media_parts(one)] or [np.zeros(0)])
            for one in tqdm(conversations, desc="clips")
        ]
        width = max(map(len, rows), default=0) if not hasattr(self, "_mean") else len(self._mean)
        if lost := sum(len(row) != width for row in rows):
            message = f"clips: {lost} of {len(rows)} items have none that can be used, and count as average"
            print(message, file=sys.stderr)
        return np.stack([row if len(row) == width else np.full(width, np.nan) for row in rows])

    def _of_part(self, part: Any) -> np.ndarray:
        assert self._root is not None
        path, describer = self._root / part["path"], self._describer
        if part["type"] == "image":
            return self._of_picture(path)
        sees = part["type"] == "video" and describer.frames is not None
        hears = (part["type"] == "audio" or bool(part.get("sound"))) and describer.sound is not None
        if not sees and not hears:
            return np.zeros(0)
        span = {"start": part.get("start"), "end": part.get("end")}
        clip = fenced(path, lambda: open_clip(path, _BUDGET, frames=sees, sound=hears, **span))
        if isinstance(clip, MediaError):
            return np.zeros(0)
        pieces = [describer.frames(clip.frames)] if describer.frames and clip.frames is not None else []
        pieces += [describer.sound(clip.sound)] if describer.sound and clip.sound is not None else []
        return np.concatenate(pieces)

    def _of_picture(self, path: Path) -> np.ndarray:
        if self._describer.frames is None:
            return np.zeros(0)
        picture = fenced(path, lambda: open_image(path, _BUDGET, 1))
        return np.zeros(0) if isinstance(picture, MediaError) else self._describer.frames(picture[None])

"""A judge that is a classifier of transformers' pipelines: of sounds, of pictures, or of the frames of films."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.corpus import Sample
from affectllm.errors import Malformed, NotFound
from affectllm.fidelity.judges.judgement import Judgement
from affectllm.metrics.judge.local import fingerprint
from affectllm.model.clips.media import SAMPLING_RATE, Budget, MediaError, open_clip, open_image
from affectllm.run import versions

if TYPE_CHECKING:
    import numpy as np

_BUDGET = Budget(fps=2.0, max_frames=16, max_pixels=224 * 224, max_seconds=30.0, long="trim")
_TASKS = ("audio-classification", "image-classification")


class PipelineJudge:
    """A classifier of the Hub or of a folder; of a film, frames are judged one by one and their shares averaged.

    Args:
        task: ``audio-classification`` or ``image-classification``.

    Raises:
        Malformed: for another task.
        NotFound: when there is no such classifier.
    """

    def __init__(self, task: str, model: str) -> None:
        from transformers import pipeline

        if task not in _TASKS:
            raise Malformed(f"clips are not judged by {task}", do=f"choose among {', '.join(_TASKS)}")
        self._task, self._model = task, model
        make: Any = pipeline
        try:
            self._pipeline = make(task, model=model)
        except OSError as error:
            message = f"the classifier {model} cannot be loaded: {str(error).splitlines()[0]}"
            raise NotFound(message, do="give a folder or a Hub id of a classifier") from error

    def identity(self) -> dict[str, Any]:
        """Return the classifier with its revision, or the digest of its folder, and the versions."""
        folder = Path(self._model)
        commit = getattr(self._pipeline.model.config, "_commit_hash", None)
        revision = fingerprint(folder) if folder.is_dir() else commit
        installed = versions()
        named = {name: installed[name] for name in ("affectllm", "torch", "transformers")}
        return {"kind": self._task, "model": folder.name, "revision": revision, "versions": named}

    def judge(self, clips: Sequence[Sample]) -> list[Judgement]:
        """Return the judgement of each clip."""
        return [self._one(clip) for clip in clips]

    def _one(self, clip: Sample) -> Judgement:
        inputs = _sound(clip) if self._task == _TASKS[0] else _pictures(clip)
        if isinstance(inputs, MediaError):
            return Judgement(reason=inputs.reason)
        rows = [self._pipeline(one, top_k=None) for one in inputs]
        shares: dict[str, float] = {}
        for one in (one for row in rows for one in row):
            shares[str(one["label"])] = shares.get(str(one["label"]), 0.0) + float(one["score"]) / len(rows)
        return Judgement(max(shares, key=lambda label: shares[label]), shares)


def _sound(clip: Sample) -> list[dict[str, Any]] | MediaError:
    ref = clip.media[0]
    if ref.modality == "image":
        return MediaError("no_audio_stream", ref.path)
    opened = open_clip(Path(ref.path), _BUDGET, frames=False, sound=True, start=ref.start, end=ref.end)
    if isinstance(opened, MediaError):
        return opened
    return [{"raw": opened.sound, "sampling_rate": SAMPLING_RATE}]


def _pictures(clip: Sample) -> list[Any] | MediaError:
    from PIL import Image

    ref = clip.media[0]
    frames: list[np.ndarray]
    if ref.modality == "image":
        from affectllm.model.clips.fence import fenced

        picture = fenced(Path(ref.path), lambda: open_image(Path(ref.path), _BUDGET, 1))
        if isinstance(picture, MediaError):
            return picture
        frames = [picture]
    else:
        opened = open_clip(Path(ref.path), _BUDGET, frames=True, sound=False, start=ref.start, end=ref.end, factor=1)
        if isinstance(opened, MediaError):
            return opened
        assert opened.frames is not None  # they were asked for
        frames = list(opened.frames)
    return [Image.fromarray(frame) for frame in frames]

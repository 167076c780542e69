"""Vectors of conversations and texts by any family's checkpoint, or by a CLIP-like ``SentenceTransformer`` folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from affectllm import voice
from affectllm.errors import AffectError
from affectllm.instruct.conversation import parts_of
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import Budget, MediaError, open_clip, open_image
from affectllm.model.embedding.conversations import Conversations, Settings, modules
from affectllm.model.embedding.views import as_messages, fused
from affectllm.model.encode import Encoder
from affectllm.model.load import load_model, model_type
from affectllm.model.weights.checkpoint import folder_named

Vector = np.ndarray
_CLIP_FRAMES = Budget(fps=2.0, max_frames=8, max_pixels=336 * 336, long="trim")


class Embedder(Protocol):
    """Describes conversations and texts as normalised vectors of one space.

    Args:
        roots: corpus name → folder; looked at with every clip, so it may grow.
        scale: of cosines before a softmax.
    """

    roots: dict[str, Path]
    scale: float

    def embed(self, things: Sequence[Any]) -> list[Vector | MediaError]:
        """Return float32 ``[width]`` of each conversation or text; the error of a clip that cannot be used."""


class FamilyEmbedder:
    """Embeds with a family's network, trained for it or not; see ``Embedder``.

    Args:
        transformer: a ``SentenceTransformer`` whose first module is ``Conversations``.
        batch_size: conversations per forward pass.
    """

    def __init__(self, transformer: Any, batch_size: int = 8) -> None:
        self.transformer, self.batch_size = transformer, batch_size
        first: Conversations = transformer[0]
        self.encoder, self.settings = first.encoder, first.settings
        self.roots, self.scale = self.encoder.roots, self.settings.scale

    def embed(self, things: Sequence[Any]) -> list[Vector | MediaError]:
        views = [fused(as_messages(one), () if isinstance(one, str) else self.settings.fusion) for one in things]
        broken = {number: error for number, one in enumerate(views) if (error := self._error(one)) is not None}
        asked = [one for number, own in enumerate(views) if number not in broken for one in own]
        vectors = iter(self._vectors(asked))
        results: list[Vector | MediaError] = []
        for number, own in enumerate(views):
            if number in broken:
                results.append(broken[number])
            else:
                results.append(normalised(np.mean([next(vectors) for _ in own], axis=0)))
        return results

    def _error(self, views: Sequence[Any]) -> MediaError | None:
        parts = [part for one in views for part in parts_of(one) if part["type"] != "text"]
        return next((error for part in parts if isinstance(error := self.encoder.prepare(part), MediaError)), None)

    def _vectors(self, conversations: Sequence[Any]) -> list[Vector]:
        if not conversations:
            return []
        return list(self.transformer.encode(list(conversations), batch_size=self.batch_size, show_progress_bar=False))


class ClipEmbedder:
    """Embeds frames, pictures and texts with a CLIP-like folder; of several frames the mean is taken.

    A conversation with clips is described by what is seen of them, since such a model takes no questions.

    Args:
        transformer: a ``SentenceTransformer`` of texts and images.
        budget: how many frames of a clip are looked at.
        scale: of cosines, CLIP's own.
    """

    def __init__(self, transformer: Any, budget: Budget = _CLIP_FRAMES, scale: float = 100.0) -> None:
        self.transformer, self.budget, self.scale = transformer, budget, scale
        self.roots: dict[str, Path] = {}

    def embed(self, things: Sequence[Any]) -> list[Vector | MediaError]:
        return [self._one(as_messages(one)) for one in things]

    def _one(self, messages: Any) -> Vector | MediaError:
        parts = list(parts_of(messages))
        seen = [part for part in parts if part["type"] in ("video", "image")]
        if not seen:
            if any(part["type"] == "audio" for part in parts):
                raise AffectError("a CLIP-like model hears nothing", do="choose a task with frames or pictures")
            text = "\n".join(part["text"] for part in parts)
            return normalised(np.asarray(self.transformer.encode([text], show_progress_bar=False)[0]))
        pictures: list[Any] = []
        for part in seen:
            frames = self._frames(part)
            if isinstance(frames, MediaError):
                return frames
            pictures += frames
        vectors = self.transformer.encode(pictures, normalize_embeddings=True, show_progress_bar=False)
        return normalised(np.mean(vectors, axis=0))

    def _frames(self, part: Mapping[str, Any]) -> list[Any] | MediaError:
        from PIL import Image

        if part["corpus"] not in self.roots:
            raise AffectError(f"no folder is known for the corpus {part['corpus']}", do="pass --root NAME=DIR")
        path = self.roots[part["corpus"]] / part["path"]
        if part["type"] == "image":
            picture = open_image(path, self.budget, 1, part.get("box"))
            return picture if isinstance(picture, MediaError) else [Image.fromarray(np.asarray(picture))]
        span = {"start": part.get("start"), "end": part.get("end")}
        clip = open_clip(path, self.budget, frames=True, sound=False, factor=1, **span)
        return clip if isinstance(clip, MediaError) else [Image.fromarray(one) for one in clip.frames]  # type: ignore[union-attr]


def normalised(vector: Vector) -> Vector:
    """Return a vector of length 1 in the direction of ``vector``, float32."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)


def load_embedder(
    path: str,
    *,
    adapter: str | None = None,
    processor: str | None = None,
    dtype: str = "auto",
    device: str | None = None,
    batch_size: int = 8,
    cache: MediaCache | None = None,
    **changes: Any,
) -> Embedder:
    """Load an embedding model: a folder that ``method: contrastive`` wrote, any family's checkpoint, or a CLIP folder.

    Modules that a folder names are not imported: what is no model of texts and images of sentence-transformers' own is
    loaded as a family.

    Args:
        path: Hub id, folder, adapter folder, or ``tiny:<family>``.
        changes: fields of ``Settings`` that are others than the folder's, and fields of the media budget.

    Raises:
        NotFound, WrongCheckpoint: when it cannot be loaded.
    """
    from sentence_transformers import SentenceTransformer

    folder = folder_named(path)
    budget = {key: changes.pop(key) for key in tuple(changes) if key in Budget().to_json()}
    if is_clip_like(path):
        voice.without_bars()
        transformer = SentenceTransformer(str(folder), device=device)
        return ClipEmbedder(transformer, replace(_CLIP_FRAMES, **budget), **changes)
    settings = Settings.read(folder)
    settings = replace(settings, **changes, budget={**settings.budget, **budget})
    loaded = load_model(path, adapter=adapter, processor=processor or settings.processor, dtype=dtype, device=device)
    loaded.model.eval()
    encoder = Encoder(loaded.processor, loaded.family, loaded.model.config, Budget(**settings.budget), {}, cache)
    transformer = SentenceTransformer(modules=modules(loaded, settings, encoder), device=device)
    return FamilyEmbedder(transformer, batch_size)


def is_clip_like(path: str) -> bool:
    """Return whether a checkpoint is a network of texts and images with one space for both.

    Raises:
        NotFound: when there is none.
    """
    return model_type(path) in {"clip", "siglip", "siglip2", "chinese_clip", "altclip", "align", "metaclip_2"}

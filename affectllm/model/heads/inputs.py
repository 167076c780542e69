"""Encode conversations for plain encoders: their words, or the one clip that they show, by the encoder's own processor.

It has the methods of ``model.encode.Encoder`` that training and answering call. A clip becomes pieces of one size
(windows of sound, frames), so that a batch gives what its members give alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError
from affectllm.instruct.conversation import media_parts, text_of
from affectllm.model.cache import MediaCache
from affectllm.model.clips.fence import fenced, present
from affectllm.model.clips.media import SAMPLING_RATE, Budget, Clip, MediaError, open_clip, open_image
from affectllm.model.heads.backbones import IMAGE, SPEECH, TEXT
from affectllm.model.heads.network import PIECES, VALID
from affectllm.model.length import TOO_MANY_TOKENS
from affectllm.model.load import Model
from affectllm.model.processor_arguments import with_frames
from affectllm.run import digest

if TYPE_CHECKING:
    import numpy as np
    import torch

Messages = Sequence[Mapping[str, Any]]
_LAYOUT = 1  # raised when what an entry holds changes


@dataclass
class Pieces:
    """One conversation, as an encoder takes it.

    Args:
        media: name of an input → its pieces along dimension 0, and ``valid`` ``[pieces]``: how many outputs count, -1
            for all; of words ``input_ids`` ``[1, tokens]``.
        length: tokens, windows or frames.
        trimmed: whether the clip was longer than the budget, and was cut.
    """

    media: dict[str, torch.Tensor]
    length: int
    trimmed: int = 0


class PlainEncoder:
    """Converts conversations into inputs of a plain encoder.

    Args:
        model: from ``load_backbone``.
        budget: how much of each clip is used.
        roots: corpus name → folder.
        cache: prepared clips on disk, or None.
        most: tokens of words, beyond which a conversation is an error value; None for what the encoder takes.
    """

    def __init__(
        self,
        model: Model,
        budget: Budget,
        roots: Mapping[str, Path],
        cache: MediaCache | None = None,
        most: int | None = None,
    ) -> None:
        self.processor, self.family, self.config = model.processor, model.family, model.model.config
        self.budget, self.roots, self.cache = budget, dict(roots), cache
        self.tokenizer = model.processor
        self._most = min(_positions(model), most or _positions(model)) if self.family.name == TEXT else 0
        self._input = model.model.base_model.main_input_name
        self._made_by = digest({"layout": _LAYOUT, "backbone": self.family.name, "processor": _described(model)})

    def encode(self, messages: Messages, *, generation_prompt: bool = False) -> Pieces | MediaError:
        """Encode one conversation; return the ``MediaError`` of a clip or a text that cannot be used."""
        if self.family.name == TEXT:
            return self._words(text_of(messages))
        parts = [part for part in media_parts(messages) if _shown(part, self.family.modalities)]
        if len(parts) != 1:
            message = f"a {self.family.name} takes one clip of a conversation, and this one shows {len(parts)}"
            raise AffectError(message, do="choose a template and modalities that show one")
        (part,) = parts
        if part["corpus"] not in self.roots:
            raise AffectError(f"no folder is known for {part['corpus']}", do=f"pass --root {part['corpus']}=DIR")
        path = self.roots[part["corpus"]] / part["path"]
        entry = fenced(path, lambda: self._cached(part, path))
        if isinstance(entry, MediaError):
            return MediaError(entry.reason, f"{part['corpus']}:{part['path']}", entry.detail)
        trimmed = entry.pop("trimmed", None)
        return Pieces(entry, len(entry[VALID]), int(trimmed is not None))

    def collate(self, batch: Sequence[Pieces], *, side: str = "right") -> dict[str, torch.Tensor]:
        """Join conversations: words padded with their mask, pieces one after the other."""
        import torch

        if self.family.name == TEXT:
            padded = self.tokenizer.pad(
                {"input_ids": [item.media["input_ids"][0].tolist() for item in batch]}, return_tensors="pt"
            )
            return {name: padded[name] for name in ("input_ids", "attention_mask")}
        names = batch[0].media
        joined = {name: torch.cat([item.media[name] for item in batch]) for name in names}
        return {**joined, PIECES: torch.tensor([len(item.media[VALID]) for item in batch])}

    def _words(self, text: str) -> Pieces | MediaError:
        import torch

        ids = self.tokenizer(text or " ", verbose=False)["input_ids"]
        if len(ids) > self._most:
            return MediaError(TOO_MANY_TOKENS, "", f"{len(ids)} tokens of text; {self._most} are allowed")
        return Pieces({"input_ids": torch.tensor([ids])}, len(ids))

    def _cached(self, part: Mapping[str, Any], path: Path) -> dict[str, torch.Tensor] | MediaError:
        present(path)
        own = {key: part[key] for key in self.budget.to_json() if key in part}
        budget = replace(self.budget, **own)
        if self.cache is None:
            return self._prepare(part, path, budget)
        request = {key: part[key] for key in ("type", "sound", "start", "end", "box") if key in part}
        key = self.cache.key(path, {**request, "budget": budget.to_json(), "processor": self._made_by})
        if (kept := self.cache.get(key)) is not None:
            return kept
        entry = self._prepare(part, path, budget)
        if not isinstance(entry, MediaError):
            self.cache.put(key, entry)
        return entry

    def _prepare(self, part: Mapping[str, Any], path: Path, budget: Budget) -> dict[str, torch.Tensor] | MediaError:
        if part["type"] == "image":
            picture = open_image(path, budget, 1, part.get("box"))
            return picture if isinstance(picture, MediaError) else self._pictures(picture[None])
        hears = self.family.name == SPEECH
        span = {"start": part.get("start"), "end": part.get("end")}
        clip = open_clip(path, budget, frames=not hears, sound=hears, factor=1, **span)
        if isinstance(clip, MediaError):
            return clip
        entry = self._sound(clip) if hears else self._film(clip)
        return {**entry, "trimmed": _number(clip.trimmed)} if clip.trimmed else entry

    def _sound(self, clip: Clip) -> dict[str, torch.Tensor]:
        """Return the windows of a sound; the last one is filled with silence, whose outputs do not count."""
        import numpy as np
        import torch

        assert clip.sound is not None
        extractor = self.processor
        size = round(extractor.window_seconds * SAMPLING_RATE)
        pieces = [clip.sound[start : start + size] for start in range(0, len(clip.sound), size)]
        windows = [np.pad(piece, (0, size - len(piece))) for piece in pieces]
        features = extractor(windows, sampling_rate=SAMPLING_RATE, return_tensors="pt")
        valid = [max(1, round(len(piece) / SAMPLING_RATE * extractor.outputs_per_second)) for piece in pieces]
        return {self._input: features[extractor.model_input_names[0]], VALID: torch.tensor(valid)}

    def _film(self, clip: Clip) -> dict[str, torch.Tensor]:
        assert clip.frames is not None
        if self.family.name == IMAGE:
            return self._pictures(clip.frames)
        clip = with_frames(clip, int(self.config.num_frames))
        assert clip.frames is not None
        inputs = self.processor(list(clip.frames), return_tensors="pt")
        return {self._input: inputs["pixel_values"], VALID: _number(-1)}

    def _pictures(self, frames: np.ndarray) -> dict[str, torch.Tensor]:
        import torch

        inputs = self.processor(images=list(frames), return_tensors="pt")
        return {self._input: inputs["pixel_values"], VALID: torch.full((len(frames),), -1)}


def _shown(part: Mapping[str, Any], modalities: frozenset[str]) -> bool:
    return part["type"] in modalities or ("audio" in modalities and bool(part.get("sound")))


def _number(value: float) -> torch.Tensor:
    import torch

    return torch.tensor([value])


def _positions(model: Model) -> int:
    """Return how many tokens an encoder of words takes."""
    places = getattr(getattr(model.model.base_model, "embeddings", None), "position_embeddings", None)
    told = int(model.processor.model_max_length)
    if places is None:
        return told
    # Encoders of the RoBERTa kind count positions from behind the number of the padding.
    before = 0 if places.padding_idx is None else places.padding_idx + 1
    return min(told, places.num_embeddings - before)


def _described(model: Model) -> str:
    part = model.processor
    return "" if model.family.name == TEXT else digest(part.to_json_string())

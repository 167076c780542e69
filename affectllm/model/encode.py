"""Encode conversations as tensors: media prepared once per clip and cached, text tokenised, batches padded.

The processor is called with one clip at a time: given its placeholder alone it returns the clip's tensors and the
placeholder expanded into tokens. Those are cached, and spliced into the tokenised conversation afterwards, so that
clips are shared between prompts, prompts between modalities, and media tokens can never be truncated.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError
from affectllm.instruct.conversation import media_parts
from affectllm.instruct.unsafe import CONTROL_TOKEN
from affectllm.model.cache import MediaCache
from affectllm.model.clips.fence import fenced, present
from affectllm.model.clips.media import SAMPLING_RATE, Budget, Clip, MediaError, open_clip, open_image
from affectllm.model.family import Family
from affectllm.model.positions import position_ids
from affectllm.model.processor_arguments import with_frames
from affectllm.run import digest

if TYPE_CHECKING:
    import numpy as np
    import torch

Messages = Sequence[Mapping[str, Any]]
IGNORED = -100
# Raised when what an entry holds changes, so that old entries are not read.
_LAYOUT = 2
_TRIMMED = "trimmed"  # name under which an entry keeps the seconds that were left out
# transformers keeps one compiled template a process, which marks the assistant's tokens in a state of its own.
_RENDERING = threading.Lock()


@dataclass
class Encoded:
    """One conversation, unpadded.

    Args:
        input_ids: ``[length]``.
        labels: ``[length]``; ``-100`` outside the assistant's tokens.
        media: what the model takes beside tokens, each with the clips along dimension 0.
        positions: ``[3, length]`` multimodal rotary positions, or None where the family has none.
        of_clips: how many of the tokens clips have become.
        trimmed: how many of its clips are longer than the budget or the family takes, and were cut.
    """

    input_ids: torch.Tensor
    labels: torch.Tensor
    media: dict[str, torch.Tensor]
    positions: torch.Tensor | None
    of_clips: int = 0
    trimmed: int = 0

    @property
    def length(self) -> int:
        """The number of tokens, media included."""
        return len(self.input_ids)


class Encoder:
    """Converts conversations with media references into model inputs; several threads may encode at once.

    Args:
        processor: of the model, with our chat template.
        family: its family.
        config: the model's configuration (token ids and rotary settings).
        budget: how much of each clip is used.
        roots: corpus name → folder.
        cache: prepared media on disk, or None.
    """

    def __init__(
        self,
        processor: Any,
        family: Family,
        config: Any,
        budget: Budget,
        roots: Mapping[str, Path],
        cache: MediaCache | None = None,
    ) -> None:
        self.processor, self.family, self.config = processor, family, config
        self.budget, self.roots, self.cache = budget, dict(roots), cache
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self._placeholders = {
            part: self.tokenizer.convert_tokens_to_ids(token) for part, token in family.placeholders.items()
        }
        made_by = digest({"layout": _LAYOUT, "backbone": family.name, "processor": _description(processor)})
        self._conditions = {"budget": budget.to_json(), "processor": made_by}
        self._limits = frozenset(budget.to_json())
        self._control = sorted(_control_tokens(self.tokenizer), key=len)

    def encode(self, messages: Messages, *, generation_prompt: bool = False) -> Encoded | MediaError:
        """Encode one conversation; return the ``MediaError`` of the first clip that cannot be used."""
        import torch

        prepared = []
        for part in media_parts(messages):
            self._check_taken(part)
            entry = self.prepare(part)
            if isinstance(entry, MediaError):
                return entry
            prepared.append(entry)
        ids, mask = self._tokenise(messages, generation_prompt)
        expansions = [entry["ids"] for entry in prepared]
        input_ids, answered, starts = self._splice(ids, mask, expansions)
        labels = torch.where(answered, input_ids, IGNORED)
        tensors = [{k: v for k, v in entry.items() if k not in ("ids", _TRIMMED)} for entry in prepared]
        media = self.concatenated(tensors, copy=False)
        positions = position_ids(self.family, self.config, input_ids, tensors, starts)
        of_clips, trimmed = sum(map(len, expansions)), sum(_TRIMMED in entry for entry in prepared)
        return Encoded(input_ids, labels, media, positions, of_clips, trimmed)

    def prepare(self, part: Mapping[str, Any]) -> dict[str, torch.Tensor] | MediaError:
        """Return the tensors of one media part, with its expanded placeholder under ``ids``; cached where possible.

        Whatever a decoder or the processor makes of a broken clip is its ``MediaError``.
        """
        path = self._path(part)
        entry = fenced(path, lambda: self._cached(part, path))
        return _relative(entry, part) if isinstance(entry, MediaError) else entry

    def _cached(self, part: Mapping[str, Any], path: Path) -> dict[str, torch.Tensor] | MediaError:
        present(path)
        if self.cache is None:
            return self._prepare(part, path)
        request = {k: part[k] for k in ("type", "sound", "start", "end") if k in part}
        conditions = {**self._conditions, "budget": self._budget(part).to_json()}
        key = self.cache.key(path, {**request, **conditions})
        entry = self.cache.get(key)
        if entry is not None:
            return entry
        fresh = self._prepare(part, path)
        if not isinstance(fresh, MediaError):
            self.cache.put(key, fresh)
        return fresh

    def collate(self, batch: Sequence[Encoded], *, side: str = "right") -> dict[str, torch.Tensor]:
        """Pad and stack: ``input_ids``, ``attention_mask``, ``labels`` ``[batch, length]`` and the media tensors."""
        import torch

        longest = max(item.length for item in batch)
        pad = self.tokenizer.pad_token_id
        out = {
            "input_ids": torch.stack([_padded(item.input_ids, longest, pad, side) for item in batch]),
            "attention_mask": torch.stack(
                [_padded(torch.ones_like(item.input_ids), longest, 0, side) for item in batch]
            ),
            "labels": torch.stack([_padded(item.labels, longest, IGNORED, side) for item in batch]),
            **self.concatenated([item.media for item in batch], copy=True),
        }
        if self.family.kinds:
            kinds = self.processor.create_mm_token_type_ids(out["input_ids"].tolist())
            out[self.family.kinds] = torch.tensor(kinds)
        if batch[0].positions is not None:
            positions = [_padded(item.positions, longest, 1, side) for item in batch if item.positions is not None]
            out["position_ids"] = torch.stack(positions, dim=1)
        return out

    def concatenated(self, entries: Sequence[Mapping[str, torch.Tensor]], *, copy: bool) -> dict[str, torch.Tensor]:
        """Join the tensors of several clips or conversations, name by name, along dimension 0."""
        # A batch owns its memory; a conversation of one clip may share that clip's, which may be a large mapped file.
        import torch

        out = {}
        for name in dict.fromkeys(name for entry in entries for name in entry):
            tensors = [entry[name] for entry in entries if name in entry]
            if name in self.family.padded:
                tensors = _alike(tensors, self.family.padded[name], self.family.filling.get(name, 0))
            out[name] = torch.cat(tensors) if copy or len(tensors) > 1 else tensors[0]
        return out

    def _check_taken(self, part: Mapping[str, Any]) -> None:
        deaf = part["type"] == "video" and part.get("sound") and not self.family.sound
        if part["type"] not in self.family.placeholders or deaf:
            what = "the sound of a video" if deaf else part["type"]
            takes = ", ".join(sorted(self.family.modalities))
            raise AffectError(f"{self.family.name} does not take {what}", do=f"show it only {takes}")

    def _path(self, part: Mapping[str, Any]) -> Path:
        corpus = part["corpus"]
        if corpus not in self.roots:
            raise AffectError(f"no folder is known for the corpus {corpus}", do=f"pass --root {corpus}=DIR")
        return self.roots[corpus] / part["path"]

    def _budget(self, part: Mapping[str, Any]) -> Budget:
        """Return the recipe's budget with the content part's own settings, within the family's limit of sound."""
        own = {key: part[key] for key in self._limits if key in part}
        longest = self.family.longest_sound
        if longest is not None and _heard(part):
            own["max_seconds"] = min(own.get("max_seconds", self.budget.max_seconds), longest)
        if self.family.same_frames and part["type"] == "video":
            own["max_frames"] = self.budget.max_frames
        return replace(self.budget, **own) if own else self.budget

    def _prepare(self, part: Mapping[str, Any], path: Path) -> dict[str, torch.Tensor] | MediaError:
        factor, budget = self.family.frame_factor, self._budget(part)
        if part["type"] == "image":
            picture = open_image(path, budget, factor)
            return picture if isinstance(picture, MediaError) else self._processed_image(picture)
        clip = open_clip(
            path,
            budget,
            frames=part["type"] == "video",
            sound=_heard(part),
            start=part.get("start"),
            end=part.get("end"),
            factor=factor,
        )
        return clip if isinstance(clip, MediaError) else self._processed(clip)

    def _processed_image(self, picture: np.ndarray) -> dict[str, torch.Tensor]:
        options = self.family.image_options(picture)
        text = [self.family.placeholders["image"]]
        return self._entry(
            self.processor(text=text, images=[picture], images_kwargs=options, **_AS_TENSORS), ("image",)
        )

    def _processed(self, clip: Clip) -> dict[str, torch.Tensor]:
        import torch

        clip = self._long_enough(clip)
        if self.family.same_frames:
            clip = with_frames(clip, self.budget.max_frames)
        marks, text = self.family.placeholders, ""
        options: dict[str, Any] = {}
        if clip.frames is not None:
            text += marks["video"]
            options |= {"videos": [clip.frames], "videos_kwargs": self.family.video_options(clip)}
        if clip.sound is not None:
            options |= {"audio": [clip.sound], "audio_kwargs": self.family.sound_options(self.processor, clip)}
            if clip.frames is not None and self.family.sound == "interleaved":
                options |= {"audio_from_video_indices": [0], "load_audio_from_video": True}
            else:
                text += marks["audio"]
        entry = self._entry(self.processor(text=[text], **options, **_AS_TENSORS), ("video", "audio"))
        return {**entry, _TRIMMED: torch.tensor(clip.trimmed)} if clip.trimmed else entry

    def _entry(self, inputs: Mapping[str, Any], parts: Sequence[str]) -> dict[str, torch.Tensor]:
        import torch

        skipped = ("input_ids", "attention_mask", "mm_token_type_ids", self.family.kinds)
        entry = {name: torch.as_tensor(value) for name, value in inputs.items() if name not in skipped}
        for name in self.family.by_frame & entry.keys():
            entry[name] = entry[name].transpose(0, 1).contiguous()
        ids = inputs["input_ids"][0]
        for first, last in (self.family.bounds[part] for part in parts if part in self.family.bounds):
            begin, end = (ids == self.tokenizer.convert_tokens_to_ids(token) for token in (first, last))
            ids = ids[int(begin.nonzero()[0]) : int(end.nonzero()[-1]) + 1]
        return {"ids": ids, **entry}

    def _long_enough(self, clip: Clip) -> Clip:
        import numpy as np

        missing = round(self.family.shortest_sound * SAMPLING_RATE) - (0 if clip.sound is None else len(clip.sound))
        return clip if clip.sound is None or missing <= 0 else replace(clip, sound=np.pad(clip.sound, (0, missing)))

    def _tokenise(self, messages: Messages, generation_prompt: bool) -> tuple[list[int], list[int]]:
        defused = [self._defused(message) for message in messages]
        with _RENDERING:
            out = self.tokenizer.apply_chat_template(
                defused,
                tokenize=True,
                return_dict=True,
                add_generation_prompt=generation_prompt,
                return_assistant_tokens_mask=True,
            )
        return out["input_ids"], out["assistant_masks"]

    def _defused(self, message: Mapping[str, Any]) -> dict[str, Any]:
        # Words of a corpus may contain "<|im_end|>"; only the template may write control tokens.
        content = message["content"]
        if isinstance(content, str):
            return {**message, "content": self._plain(content)}
        parts = [{**p, "text": self._plain(p["text"])} if p["type"] == "text" else {"type": p["type"]} for p in content]
        return {**message, "content": parts}

    def _plain(self, text: str) -> str:
        for token in self._control:
            if token in text:
                text = text.replace(token, f"{token[0]} {token[1:]}")
        return text

    def _splice(
        self, ids: list[int], mask: list[int], expansions: list[torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
        """Insert the clips' tokens; return the tokens, the mask of answer tokens, and where each clip begins."""
        import torch

        marks = set(self._placeholders.values())
        pieces, answered, begin, waiting = [], [], 0, iter(expansions)
        starts: list[int] = []
        for index, token in enumerate(ids):
            if token in marks:
                starts.append(index + sum(len(before) - 1 for before in expansions[: len(starts)]))
                expansion = next(waiting)
                pieces += [torch.tensor(ids[begin:index], dtype=torch.long), expansion]
                answered += [
                    torch.tensor(mask[begin:index], dtype=torch.bool),
                    torch.zeros(len(expansion), dtype=torch.bool),
                ]
                begin = index + 1
        pieces.append(torch.tensor(ids[begin:], dtype=torch.long))
        answered.append(torch.tensor(mask[begin:], dtype=torch.bool))
        return torch.cat(pieces), torch.cat(answered), starts


# A token that begins a text would otherwise begin every clip.
_AS_TENSORS = {"return_tensors": "pt", "text_kwargs": {"padding": False, "add_special_tokens": False}}


def _control_tokens(tokenizer: Any) -> set[str]:
    # Some vocabularies hold line breaks and tags of HTML as added tokens too; those are words.
    added = tokenizer.added_tokens_decoder.values()
    return {token.content for token in added if token.special or CONTROL_TOKEN.fullmatch(token.content)}


def _heard(part: Mapping[str, Any]) -> bool:
    return part["type"] == "audio" or bool(part.get("sound"))


def _relative(error: MediaError, part: Mapping[str, Any]) -> MediaError:
    return MediaError(error.reason, f"{part['corpus']}:{part['path']}", error.detail)


def _alike(tensors: Sequence[torch.Tensor], dimension: int, value: int) -> list[torch.Tensor]:
    """Pad the tensors at the end of one dimension to the longest of them."""
    import torch

    longest = max(tensor.shape[dimension] for tensor in tensors)
    before = [0, 0] * (tensors[0].ndim - 1 - dimension % tensors[0].ndim)
    return [
        torch.nn.functional.pad(tensor, [*before, 0, longest - tensor.shape[dimension]], value=value)
        for tensor in tensors
    ]


def _padded(tensor: torch.Tensor, length: int, value: int, side: str) -> torch.Tensor:
    import torch

    missing = length - tensor.shape[-1]
    return torch.nn.functional.pad(tensor, (0, missing) if side == "right" else (missing, 0), value=value)


def _description(processor: Any) -> str:
    # Everything that decides what a processor makes of a clip; the tokenizer only gives placeholder ids.
    parts = [getattr(processor, name, None) for name in ("feature_extractor", "image_processor", "video_processor")]
    texts = [part.to_json_string() for part in parts if part is not None]
    tokenizer = getattr(processor, "tokenizer", processor)
    # Its own settings beside those of its parts: how many frames make a token, how long a window is.
    own = {} if tokenizer is processor else processor.to_dict()
    kept = {name: value for name, value in own.items() if isinstance(value, (str, int, float, bool, type(None)))}
    return digest([*texts, {**kept, "chat_template": None}, tokenizer.get_added_vocab()])

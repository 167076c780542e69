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
from affectllm.model.prepared.entry import IDS, TRIMMED, Entry
from affectllm.model.prepared.levels import as_levels, as_numbers, is_levels, levels_of
from affectllm.model.prepared.padding import joined, padded
from affectllm.model.processor_arguments import with_frames
from affectllm.run import digest

if TYPE_CHECKING:
    import numpy as np
    import torch

Messages = Sequence[Mapping[str, Any]]
IGNORED = -100
# Raised when what an entry holds changes, so that old entries are not read.
_LAYOUT = 3
# transformers keeps one compiled template a process, which marks the assistant's tokens in a state of its own.
_RENDERING = threading.Lock()


@dataclass
class Encoded:
    """One conversation, unpadded.

    Args:
        input_ids: ``[length]``.
        labels: ``[length]``; ``-100`` outside the assistant's tokens.
        media: what the model takes beside tokens, each with the clips along dimension 0; pixels as levels where the
            encoder has them so.
        positions: ``[3, length]`` multimodal rotary positions, or None where the family has none.
        of_clips: how many of the tokens clips have become.
        trimmed: how many of its clips are longer than the budget or the family takes, and were cut.
        keys: of its clips in the cache; None where one of them is in none.
    """

    input_ids: torch.Tensor
    labels: torch.Tensor
    media: dict[str, torch.Tensor]
    positions: torch.Tensor | None
    of_clips: int = 0
    trimmed: int = 0
    keys: tuple[str, ...] | None = None

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

    Attributes:
        levels: tensor of pixels → how numbers are made of its levels.
        identity: digest of what decides what becomes of a clip.
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
        self.levels = levels_of(processor, family)
        self._placeholders = {
            part: self.tokenizer.convert_tokens_to_ids(token) for part, token in family.placeholders.items()
        }
        made_by = digest({"layout": _LAYOUT, "backbone": family.name, "processor": processor_digest(processor)})
        self._conditions = {"budget": budget.to_json(), "processor": made_by}
        self.identity = digest(self._conditions)
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
        expansions = [entry[IDS] for entry in prepared]
        input_ids, answered, starts = self._splice(ids, mask, expansions)
        labels = torch.where(answered, input_ids, IGNORED)
        tensors = [entry.media() for entry in prepared]
        media = self._concatenated(tensors, copy=False)
        positions = position_ids(self.family, self.config, input_ids, tensors, starts)
        of_clips, trimmed = sum(map(len, expansions)), sum(TRIMMED in entry for entry in prepared)
        keys = tuple(entry.key for entry in prepared if entry.key is not None)
        known = keys if len(keys) == len(prepared) else None
        return Encoded(input_ids, labels, media, positions, of_clips, trimmed, known)

    def kept(self, keys: Sequence[str]) -> dict[str, torch.Tensor] | None:
        """Return the media tensors of clips by their keys in the cache; None where one is not there any more."""
        entries = []
        for key in keys:
            if self.cache is None or (entry := self.cache.get(key)) is None:
                return None
            entries.append(Entry(entry).media())
        return self._concatenated(entries, copy=False)

    def prepare(self, part: Mapping[str, Any]) -> Entry | MediaError:
        """Return the tensors of one media part; cached where possible.

        Whatever a decoder or the processor makes of a broken clip is its ``MediaError``.
        """
        path = self._path(part)
        entry = fenced(path, lambda: self._cached(part, path))
        return _relative(entry, part) if isinstance(entry, MediaError) else entry

    def _cached(self, part: Mapping[str, Any], path: Path) -> Entry | MediaError:
        present(path)
        if self.cache is None:
            fresh = self._prepare(part, path)
            return fresh if isinstance(fresh, MediaError) else Entry(fresh)
        request = {k: part[k] for k in ("type", "sound", "start", "end", "box") if k in part}
        conditions = {**self._conditions, "budget": self._budget(part).to_json()}
        key = self.cache.key(path, {**request, **conditions})
        tensors: Any = self.cache.get(key)
        if tensors is None:
            tensors = self._prepare(part, path)
            if isinstance(tensors, MediaError):
                return tensors
            self.cache.put(key, tensors)
        entry = Entry(tensors)
        entry.key = key
        return entry

    def collate(
        self, batch: Sequence[Encoded], *, side: str = "right", levels: bool = False
    ) -> dict[str, torch.Tensor]:
        """Pad and stack: ``input_ids``, ``attention_mask``, ``labels`` ``[batch, length]`` and the media tensors.

        Args:
            side: on which rows are padded.
            levels: pixels may stay levels, for ``numbers`` to be called on the device.
        """
        import torch

        out = {
            "input_ids": padded([item.input_ids for item in batch], self.tokenizer.pad_token_id, side),
            "attention_mask": padded([torch.ones_like(item.input_ids) for item in batch], 0, side),
            "labels": padded([item.labels for item in batch], IGNORED, side),
            **self.joined(batch, levels=levels),
        }
        if self.family.kinds:
            kinds = self.processor.create_mm_token_type_ids(out["input_ids"].tolist())
            out[self.family.kinds] = torch.tensor(kinds)
        if batch[0].positions is not None:
            positions = padded([item.positions for item in batch if item.positions is not None], 1, side)
            out["position_ids"] = positions.transpose(0, 1).contiguous()
        return out

    def joined(self, batch: Sequence[Encoded], *, levels: bool = False) -> dict[str, torch.Tensor]:
        """Return the media tensors of a batch, which owns their memory; pixels as levels where ``levels`` allows it."""
        media = self._concatenated([item.media for item in batch], copy=True)
        return media if levels else self.numbers(media)

    def numbers(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return a batch with the numbers that the model takes in place of levels, on the device where those are."""
        return as_numbers(batch, self.levels)

    def _concatenated(self, entries: Sequence[Mapping[str, torch.Tensor]], *, copy: bool) -> dict[str, torch.Tensor]:
        """Join the tensors of several clips or conversations, name by name, along dimension 0."""
        # A batch owns its memory; a conversation of one clip may share that clip's, which may be a large mapped file.
        import torch

        out = {}
        for name in dict.fromkeys(name for entry in entries for name in entry):
            tensors = self._of_one_kind(name, [entry[name] for entry in entries if name in entry])
            if not copy and len(tensors) == 1:
                out[name] = tensors[0]
            elif name in self.family.padded:
                out[name] = joined(tensors, self.family.padded[name], self.family.filling.get(name, 0))
            else:
                out[name] = torch.cat(tensors)
        return out

    def _of_one_kind(self, name: str, tensors: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return all tensors as levels or all as numbers: one clip may have none, and what is padded is a number."""
        kept = [is_levels(tensor, name, self.levels) for tensor in tensors]
        unlike = name in self.family.padded and len({tensor.shape[1:] for tensor in tensors}) > 1
        if not any(kept) or (all(kept) and not unlike):
            return tensors
        return [self.levels[name].numbers(tensor) if its else tensor for tensor, its in zip(tensors, kept, strict=True)]

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
            picture = open_image(path, budget, factor, part.get("box"))
            return picture if isinstance(picture, MediaError) else self.processed_image(picture)
        clip = open_clip(
            path,
            budget,
            frames=part["type"] == "video",
            sound=_heard(part),
            start=part.get("start"),
            end=part.get("end"),
            factor=factor,
        )
        return clip if isinstance(clip, MediaError) else self.processed(clip)

    def processed_image(self, picture: np.ndarray) -> dict[str, torch.Tensor]:
        """Return what the processor makes of a picture: tensors, and the expanded placeholder under ``ids``."""
        options = self.family.image_options(picture)
        text = [self.family.placeholders["image"]]
        return self._entry(
            self.processor(text=text, images=[picture], images_kwargs=options, **_AS_TENSORS), ("image",)
        )

    def processed(self, clip: Clip) -> dict[str, torch.Tensor]:
        """Return what the processor makes of a clip: tensors, and the expanded placeholder under ``ids``."""
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
        return {**entry, TRIMMED: torch.tensor(clip.trimmed)} if clip.trimmed else entry

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
        return {IDS: ids, **as_levels(entry, self.levels)}

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


def processor_digest(processor: Any) -> str:
    """Return the digest of what decides what a processor makes of a clip; of the tokenizer only added tokens do."""
    parts = [getattr(processor, name, None) for name in ("feature_extractor", "image_processor", "video_processor")]
    texts = [part.to_json_string() for part in parts if part is not None]
    tokenizer = getattr(processor, "tokenizer", processor)
    # Its own settings beside those of its parts: how many frames make a token, how long a window is.
    own = {} if tokenizer is processor else processor.to_dict()
    kept = {name: value for name, value in own.items() if isinstance(value, (str, int, float, bool, type(None)))}
    return digest([*texts, {**kept, "chat_template": None}, tokenizer.get_added_vocab()])

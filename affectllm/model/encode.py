"""Conversations into tensors: media prepared once per clip and cached, text tokenised, batches padded.

The processor is asked about one clip at a time: given its placeholder alone it returns the clip's tensors and the
placeholder expanded into tokens. Those are cached, and spliced into the tokenised conversation afterwards, so that
clips are shared between prompts, prompts between modalities, and media tokens can never be truncated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError
from affectllm.model.backbones import Backbone
from affectllm.model.cache import MediaCache
from affectllm.model.fence import fenced, present
from affectllm.model.media import SAMPLING_RATE, Budget, Clip, MediaError, open_clip, open_image
from affectllm.model.positions import position_ids
from affectllm.run import digest

if TYPE_CHECKING:
    import torch

Messages = Sequence[Mapping[str, Any]]
IGNORED = -100
# Raised when what an entry holds changes, so that old entries are not read.
_LAYOUT = 2
_TRIMMED = "trimmed"  # name under which an entry keeps the seconds that were left out
_PADDED_LAST = ("input_features", "feature_attention_mask")


@dataclass
class Encoded:
    """One conversation, unpadded.

    Args:
        input_ids: ``[length]``.
        labels: ``[length]``; ``-100`` outside the assistant's tokens.
        media: what the model takes beside tokens, each with the clips along dimension 0.
        positions: ``[3, length]`` multimodal rotary positions, or None where the family has none.
        trimmed: how many of its clips are longer than the budget or the family takes, and were cut.
    """

    input_ids: torch.Tensor
    labels: torch.Tensor
    media: dict[str, torch.Tensor]
    positions: torch.Tensor | None
    trimmed: int = 0

    @property
    def length(self) -> int:
        """Number of tokens, media included."""
        return len(self.input_ids)


class Encoder:
    """Turns conversations with media references into model inputs.

    Args:
        processor: of the model, with our chat template.
        backbone: its family.
        config: the model's configuration (token ids and rotary settings).
        budget: how much of each clip is used.
        roots: corpus name → folder.
        cache: prepared media on disk, or None.
    """

    def __init__(
        self,
        processor: Any,
        backbone: Backbone,
        config: Any,
        budget: Budget,
        roots: Mapping[str, Path],
        cache: MediaCache | None = None,
    ) -> None:
        self.processor, self.backbone, self.config = processor, backbone, config
        self.budget, self.roots, self.cache = budget, dict(roots), cache
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self._placeholders = {
            part: self.tokenizer.convert_tokens_to_ids(token) for part, token in backbone.placeholders.items()
        }
        made_by = digest({"layout": _LAYOUT, "backbone": backbone.name, "processor": _description(processor)})
        self._conditions = {"budget": budget.to_json(), "processor": made_by}
        self._limits = frozenset(budget.to_json())
        self._control = sorted({str(token) for token in self.tokenizer.added_tokens_decoder.values()}, key=len)

    def encode(self, messages: Messages, *, generation_prompt: bool = False) -> Encoded | MediaError:
        """One conversation; the first clip that cannot be used is returned as its ``MediaError``."""
        import torch

        prepared = []
        for part in _media_parts(messages):
            entry = self.prepare(part)
            if isinstance(entry, MediaError):
                return entry
            prepared.append(entry)
        ids, mask = self._tokenise(messages, generation_prompt)
        input_ids, answered = self._splice(ids, mask, [entry["ids"] for entry in prepared])
        labels = torch.where(answered, input_ids, IGNORED)
        tensors = [{k: v for k, v in entry.items() if k not in ("ids", _TRIMMED)} for entry in prepared]
        media = _concatenated(tensors, copy=False)
        positions = position_ids(self.backbone, self.config, input_ids, media)
        return Encoded(input_ids, labels, media, positions, sum(_TRIMMED in entry for entry in prepared))

    def prepare(self, part: Mapping[str, Any]) -> dict[str, torch.Tensor] | MediaError:
        """Tensors of one media part, with its expanded placeholder under ``ids``; from the cache where it is there.

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
            **_concatenated([item.media for item in batch], copy=True),
        }
        if batch[0].positions is not None:
            positions = [_padded(item.positions, longest, 1, side) for item in batch if item.positions is not None]
            out["position_ids"] = torch.stack(positions, dim=1)
        return out

    def _path(self, part: Mapping[str, Any]) -> Path:
        corpus = part["corpus"]
        if corpus not in self.roots:
            raise AffectError(f"no folder is known for the corpus {corpus}", do=f"pass --root {corpus}=DIR")
        return self.roots[corpus] / part["path"]

    def _budget(self, part: Mapping[str, Any]) -> Budget:
        """The recipe's budget, with what the content part itself says about it, within what the family hears."""
        own = {key: part[key] for key in self._limits if key in part}
        longest = self.backbone.longest_sound
        if longest is not None and _heard(part):
            own["max_seconds"] = min(own.get("max_seconds", self.budget.max_seconds), longest)
        return replace(self.budget, **own) if own else self.budget

    def _prepare(self, part: Mapping[str, Any], path: Path) -> dict[str, torch.Tensor] | MediaError:
        factor, budget = self.backbone.frame_factor, self._budget(part)
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

    def _processed_image(self, picture: Any) -> dict[str, torch.Tensor]:
        # It has its size already: the processor would enlarge small ones again, and refuse strips.
        placeholder = self.backbone.placeholders["image"]
        return _entry(
            self.processor(text=[placeholder], images=[picture], images_kwargs={"do_resize": False}, **_TENSORS)
        )

    def _processed(self, clip: Clip) -> dict[str, torch.Tensor]:
        import torch

        placeholder = self.backbone.placeholders["audio" if clip.frames is None else "video"]
        options: dict[str, Any] = {}
        if clip.sound is not None:
            options |= {"audio": [clip.sound], "audio_kwargs": self._audio_options(clip)}
        if clip.frames is not None:
            options |= {"videos": [clip.frames], "videos_kwargs": self._video_options(clip)}
        if clip.frames is not None and clip.sound is not None:
            options |= {"audio_from_video_indices": [0], "load_audio_from_video": True}
        entry = _entry(self.processor(text=[placeholder], **options, **_TENSORS))
        return {**entry, _TRIMMED: torch.tensor(clip.trimmed)} if clip.trimmed else entry

    def _audio_options(self, clip: Clip) -> dict[str, Any]:
        options: dict[str, Any] = {"sampling_rate": SAMPLING_RATE}
        if self.backbone.name == "qwen2_5_omni" and clip.sound is not None:
            # The processor pads to the longest sound it knows (300 s) and the model drops the padding again; padding
            # to this clip, in whole spectrogram hops, gives the same features at a fraction of the work.
            hop = self.processor.feature_extractor.hop_length
            options["max_length"] = -(-len(clip.sound) // hop) * hop
        return options

    def _video_options(self, clip: Clip) -> dict[str, Any]:
        options: dict[str, Any] = {"do_resize": False, "do_sample_frames": False, "cap_pixels_per_frame": False}
        if self.backbone.name == "qwen2_5_omni":
            return {**options, "fps": clip.fps}
        assert clip.frames is not None
        count, height, width = clip.frames.shape[:3]
        metadata = {"total_num_frames": count, "fps": clip.fps, "height": height, "width": width}
        return {**options, "video_metadata": [{**metadata, "frames_indices": list(range(count))}]}

    def _tokenise(self, messages: Messages, generation_prompt: bool) -> tuple[list[int], list[int]]:
        out = self.tokenizer.apply_chat_template(
            [self._defused(message) for message in messages],
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
    ) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        marks = set(self._placeholders.values())
        pieces, answered, begin, waiting = [], [], 0, iter(expansions)
        for index, token in enumerate(ids):
            if token in marks:
                expansion = next(waiting)
                pieces += [torch.tensor(ids[begin:index], dtype=torch.long), expansion]
                answered += [
                    torch.tensor(mask[begin:index], dtype=torch.bool),
                    torch.zeros(len(expansion), dtype=torch.bool),
                ]
                begin = index + 1
        pieces.append(torch.tensor(ids[begin:], dtype=torch.long))
        answered.append(torch.tensor(mask[begin:], dtype=torch.bool))
        return torch.cat(pieces), torch.cat(answered)


_TENSORS = {"return_tensors": "pt", "text_kwargs": {"padding": False}}


def _entry(inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    import torch

    skipped = ("input_ids", "attention_mask", "mm_token_type_ids")
    entry = {name: torch.as_tensor(value) for name, value in inputs.items() if name not in skipped}
    return {"ids": inputs["input_ids"][0], **entry}


def _heard(part: Mapping[str, Any]) -> bool:
    return part["type"] == "audio" or bool(part.get("sound"))


def _relative(error: MediaError, part: Mapping[str, Any]) -> MediaError:
    return MediaError(error.reason, f"{part['corpus']}:{part['path']}", error.detail)


def _media_parts(messages: Messages) -> list[Mapping[str, Any]]:
    contents = [m["content"] for m in messages if not isinstance(m["content"], str)]
    return [part for content in contents for part in content if part["type"] != "text"]


def _concatenated(entries: Sequence[Mapping[str, torch.Tensor]], *, copy: bool) -> dict[str, torch.Tensor]:
    # A batch owns its memory; a conversation of one clip may share that clip's, which may be a large mapped file.
    import torch

    names = dict.fromkeys(name for entry in entries for name in entry)
    out = {}
    for name in names:
        tensors = [entry[name] for entry in entries if name in entry]
        if name in _PADDED_LAST:
            longest = max(tensor.shape[-1] for tensor in tensors)
            tensors = [_padded(tensor, longest, 0, "right") for tensor in tensors]
        out[name] = torch.cat(tensors) if copy or len(tensors) > 1 else tensors[0]
    return out


def _padded(tensor: torch.Tensor, length: int, value: int, side: str) -> torch.Tensor:
    import torch

    missing = length - tensor.shape[-1]
    return torch.nn.functional.pad(tensor, (0, missing) if side == "right" else (missing, 0), value=value)


def _description(processor: Any) -> str:
    # Everything that decides what a processor makes of a clip; the tokenizer only gives placeholder ids.
    parts = [getattr(processor, name, None) for name in ("feature_extractor", "image_processor", "video_processor")]
    texts = [part.to_json_string() for part in parts if part is not None]
    return digest([*texts, getattr(processor, "tokenizer", processor).get_added_vocab()])

"""Processors of composite models: frames and windows of sound into tensors, placeholders into as many tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature
from transformers.processing_utils import ProcessorMixin

VIDEO, IMAGE, AUDIO, MULTI = "<|video|>", "<|image|>", "<|audio|>", "<|multi|>"
PLACEHOLDERS = (VIDEO, IMAGE, AUDIO, MULTI)


class _Processor(ProcessorMixin):  # type: ignore[misc]
    """What the processors of all three kinds share.

    Args of every processor:
        fusion, tokens_per_frame, frames_per_token: as in the configuration.
        window: seconds of sound that the encoder gets at once; longer sounds become several windows, and what a window
            lacks is silence.
        outputs_per_second: of the audio encoder.
    """

    fusion: str
    tokens_per_frame: int
    frames_per_token: int
    window: float
    outputs_per_second: float
    image_processor: Any = None
    feature_extractor: Any = None
    tokenizer: Any

    def __call__(
        self,
        text: str | Sequence[str],
        images: Sequence[np.ndarray] | None = None,
        videos: Sequence[np.ndarray] | None = None,
        audio: Sequence[np.ndarray] | None = None,
        **options: Any,
    ) -> BatchFeature:
        """Tokenise ``text`` with every placeholder expanded, and make the tensors of the clips in their order.

        Args:
            images: ``[height, width, 3]`` each.
            videos: ``[frames, height, width, 3]`` each.
            audio: mono at the feature extractor's rate; where there are as many sounds as videos in one text, the
                sounds belong to the videos.
        """
        tensors: dict[str, Any] = {}
        counts: dict[str, list[int]] = {VIDEO: [], IMAGE: [], AUDIO: [], MULTI: []}
        if videos:
            tensors |= self._videos(videos, bool(audio))
            counts[VIDEO] = [self._tokens_of_frames(len(video)) for video in videos]
        if images:
            tensors |= self._pictures(images)
            counts[IMAGE] = [self._tokens_of_frames(1) for _ in images]
        if audio:
            tensors |= self._sounds(audio, bool(videos))
            counts[AUDIO] = [self._tokens_of_sound(sound) for sound in audio]
        if videos and audio and self.fusion != "projector":
            counts[MULTI] = [1] * len(videos)
        texts = [self._expanded(one, counts) for one in ([text] if isinstance(text, str) else text)]
        rest = {"add_special_tokens": False, **options.get("text_kwargs", {})}
        tokens = self.tokenizer(texts, **rest, return_tensors=options.get("return_tensors"))
        return BatchFeature({**tokens, **tensors})

    def _expanded(self, text: str, counts: dict[str, list[int]]) -> str:
        """Repeat each placeholder; of a video with its sound, the token of both comes first (AffectGPT's order)."""
        if counts[MULTI]:
            text = text.replace(f"{VIDEO}{AUDIO}", f"{MULTI}{AUDIO}{VIDEO}")
        for token, numbers in counts.items():
            pieces = text.split(token)
            if len(pieces) - 1 != len(numbers):
                raise ValueError(f"the text has {len(pieces) - 1} {token} for {len(numbers)} clips")
            text = pieces[0] + "".join(
                token * number + piece for number, piece in zip(numbers, pieces[1:], strict=True)
            )
        return text

    def _videos(self, videos: Sequence[np.ndarray], sounding: bool) -> dict[str, torch.Tensor]:
        frames = self.image_processor([frame for video in videos for frame in video], return_tensors="pt")
        return {
            "pixel_values_videos": frames["pixel_values"],
            "frames_per_video": torch.tensor([len(video) for video in videos]),
            "video_sounds": torch.tensor([sounding] * len(videos)),
        }

    def _pictures(self, images: Sequence[np.ndarray]) -> dict[str, torch.Tensor]:
        return {"pixel_values": self.image_processor(list(images), return_tensors="pt")["pixel_values"]}

    def _tokens_of_frames(self, frames: int) -> int:
        return frames * self.tokens_per_frame if self.fusion == "projector" else 1

    def _sounds(self, sounds: Sequence[np.ndarray], seen: bool) -> dict[str, torch.Tensor]:
        size = round(self.window * self._rate)
        windows = [sound[start : start + size] for sound in sounds for start in range(0, max(len(sound), 1), size)]
        padded = [np.pad(one, (0, size - len(one))) for one in windows]
        features = self.feature_extractor(padded, sampling_rate=self._rate, return_tensors="pt")
        name = self.feature_extractor.model_input_names[0]
        return {
            "input_features": features[name],
            "windows_per_sound": torch.tensor([-(-max(len(sound), 1) // size) for sound in sounds]),
            "sound_lengths": torch.tensor([self._outputs(len(one)) for one in windows]),
            "sound_is_of_video": torch.tensor([seen] * len(sounds)),
        }

    @property
    def _rate(self) -> int:
        return int(self.feature_extractor.sampling_rate)

    def _outputs(self, samples: int) -> int:
        """Return how many outputs of the encoder hear ``samples``; at least one."""
        return max(1, math.ceil(samples / self._rate * self.outputs_per_second))

    def _tokens_of_sound(self, sound: np.ndarray) -> int:
        if self.fusion != "projector":
            return 1
        size = round(self.window * self._rate)
        lengths = [min(size, len(sound) - start) for start in range(0, max(len(sound), 1), size)]
        return sum(-(-self._outputs(length) // self.frames_per_token) for length in lengths)

    def _keep(self, fusion: str, tokens_per_frame: int, frames_per_token: int, window: float, rate: float) -> None:
        self.fusion, self.tokens_per_frame, self.frames_per_token = fusion, tokens_per_frame, frames_per_token
        self.window, self.outputs_per_second = window, rate


class AffectCompositeProcessor(_Processor):
    """Frames, pictures, sounds and words."""

    def __init__(
        self,
        image_processor: Any,
        feature_extractor: Any,
        tokenizer: Any,
        chat_template: str | None = None,
        fusion: str = "projector",
        tokens_per_frame: int = 4,
        frames_per_token: int = 8,
        window: float = 30.0,
        outputs_per_second: float = 50.0,
    ) -> None:
        self._keep(fusion, tokens_per_frame, frames_per_token, window, outputs_per_second)
        super().__init__(image_processor, feature_extractor, tokenizer, chat_template=chat_template)


class AffectSpeechProcessor(_Processor):
    """Sounds and words."""

    def __init__(
        self,
        feature_extractor: Any,
        tokenizer: Any,
        chat_template: str | None = None,
        fusion: str = "projector",
        tokens_per_frame: int = 4,
        frames_per_token: int = 8,
        window: float = 30.0,
        outputs_per_second: float = 50.0,
    ) -> None:
        self._keep(fusion, tokens_per_frame, frames_per_token, window, outputs_per_second)
        super().__init__(feature_extractor, tokenizer, chat_template=chat_template)


class AffectVisionProcessor(_Processor):
    """Frames, pictures and words."""

    def __init__(
        self,
        image_processor: Any,
        tokenizer: Any,
        chat_template: str | None = None,
        fusion: str = "projector",
        tokens_per_frame: int = 4,
        frames_per_token: int = 8,
        window: float = 30.0,
        outputs_per_second: float = 50.0,
    ) -> None:
        self._keep(fusion, tokens_per_frame, frames_per_token, window, outputs_per_second)
        super().__init__(image_processor, tokenizer, chat_template=chat_template)


PROCESSORS = (AffectCompositeProcessor, AffectSpeechProcessor, AffectVisionProcessor)

"""Configurations of composite models: those of their towers, and how the towers are joined."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

FUSIONS = ("projector", "prefusion", "qformer")
LAYERS = ("last", "all")  # or a number
POOLINGS = ("stack", "mean")
NORMS = ("layer", "standardised")


class AffectCompositeConfig(PreTrainedConfig):
    """A vision encoder, an audio encoder and a language model.

    Args:
        fusion: ``projector`` (a sequence of tokens for frames and sound), ``prefusion`` (one token each for video,
            sound and both together, by gated sums: AffectGPT, ICML 2025) or ``qformer`` (the same with one learned
            query per modality).
        tokens_per_frame: tokens that ``projector`` makes of a frame.
        frames_per_token: encoder outputs of a sound that ``projector`` makes a token of (Ultravox: 8).
        audio_pooling: ``stack`` puts these outputs side by side (Ultravox), ``mean`` averages them: fewer weights, for
            few training samples.
        audio_norm: of a sound's token before ``projector``: ``layer`` over its features, or ``standardised``, each
            feature over the sounds trained on.
        audio_layers: ``last``, the number of one layer of the audio encoder (0: what goes into the first), or ``all``:
            a learned mean of what every layer puts out, since how something is said is known to middle layers more
            than to the last (SUPERB, Interspeech 2021).
        video_token_id, image_token_id, audio_token_id, multi_token_id: placeholders in the prompt.
    """

    model_type = "affect_composite"
    sub_configs_defaults: ClassVar = {
        "text_config": SubConfigSpec(config_class=AutoConfig, model_type="qwen2"),
        "vision_config": SubConfigSpec(config_class=AutoConfig, model_type="clip_vision_model", optional=True),
        "audio_config": SubConfigSpec(config_class=AutoConfig, model_type="whisper", optional=True),
    }

    text_config: dict | PreTrainedConfig | None = None
    vision_config: dict | PreTrainedConfig | None = None
    audio_config: dict | PreTrainedConfig | None = None
    fusion: str = "projector"
    tokens_per_frame: int = 4
    frames_per_token: int = 8
    audio_pooling: str = "stack"
    audio_norm: str = "layer"
    audio_layers: str | int = "last"
    video_token_id: int | None = None
    image_token_id: int | None = None
    audio_token_id: int | None = None
    multi_token_id: int | None = None
    tie_word_embeddings: bool = True

    def __post_init__(self, **kwargs: object) -> None:
        super().__post_init__(**kwargs)
        if self.fusion not in FUSIONS:
            raise ValueError(f"fusion is one of {', '.join(FUSIONS)}, not {self.fusion!r}")
        if self.audio_pooling not in POOLINGS:
            raise ValueError(f"audio_pooling is {' or '.join(POOLINGS)}, not {self.audio_pooling!r}")
        if self.audio_norm not in NORMS:
            raise ValueError(f"audio_norm is {' or '.join(NORMS)}, not {self.audio_norm!r}")
        self._check_layers()

    def _check_layers(self) -> None:
        layers, audio = self.audio_layers, cast(Any, self.audio_config)
        if isinstance(layers, str) and layers not in LAYERS:
            raise ValueError(f"audio_layers is a number or {' or '.join(LAYERS)}, not {layers!r}")
        if isinstance(layers, int) and audio is not None and not 0 <= layers <= audio.num_hidden_layers:
            raise ValueError(f"audio_layers is between 0 and {audio.num_hidden_layers}, not {layers}")


class AffectSpeechConfig(AffectCompositeConfig):
    """An audio encoder and a language model."""

    model_type = "affect_speech"


class AffectVisionConfig(AffectCompositeConfig):
    """A vision encoder and a language model."""

    model_type = "affect_vision"


CONFIGURATIONS = (AffectCompositeConfig, AffectSpeechConfig, AffectVisionConfig)

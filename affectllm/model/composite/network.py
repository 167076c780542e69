"""Composite networks: towers of other checkpoints, a fusion, and a language model that generates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast

from affectllm.model.composite.configuration import AffectCompositeConfig, AffectSpeechConfig, AffectVisionConfig
from affectllm.model.composite.fusion import fusion_of, heard, split

_MEDIA = (
    *("pixel_values_videos", "frames_per_video", "video_sounds", "pixel_values"),
    *("input_features", "windows_per_sound", "sound_lengths", "sound_is_of_video"),
)


def tower_of(config: Any) -> Any:
    """Return the encoder of a configuration without weights: of a model with a decoder its encoder alone."""
    model = AutoModel.from_config(config)
    return model.get_encoder() if config.is_encoder_decoder else model


class AffectCompositePreTrainedModel(PreTrainedModel):  # type: ignore[misc]
    config_class = AffectCompositeConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True


class AffectCompositeModel(AffectCompositePreTrainedModel):
    """Towers, fusion and the language model without its head."""

    def __init__(self, config: AffectCompositeConfig) -> None:
        super().__init__(config)
        if config.vision_config is not None:
            self.vision_tower = tower_of(config.vision_config)
        if config.audio_config is not None:
            self.audio_tower = tower_of(config.audio_config)
        self.language_model = AutoModel.from_config(config.text_config)
        self.fusion: Any = fusion_of(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.language_model.set_input_embeddings(value)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        **inputs: Any,
    ) -> BaseModelOutputWithPast:
        media = {name: inputs.pop(name, None) for name in _MEDIA}
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
        if input_ids is not None:
            for token, vectors in self._vectors(media):
                inputs_embeds = _placed(inputs_embeds, input_ids == token, vectors)
        return self.language_model(
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            **inputs,
        )

    def _vectors(self, media: dict[str, Any]) -> list[tuple[int, Tensor]]:
        """Return placeholder → its embeddings, for the clips of a batch."""
        config, vectors = self.config, []
        frames = outputs = None
        if (pixels := media["pixel_values_videos"]) is not None:
            frames, counts = self._seen(pixels), media["frames_per_video"].tolist()
            vectors.append((config.video_token_id, self.fusion.of_frames(frames, counts)))
        if (pixels := media["pixel_values"]) is not None:
            pictures = self._seen(pixels)
            vectors.append((config.image_token_id, self.fusion.of_frames(pictures, [1] * len(pictures))))
        if (features := media["input_features"]) is not None:
            outputs = self._heard(features)
            windows, lengths = media["windows_per_sound"].tolist(), media["sound_lengths"].tolist()
            vectors.append((config.audio_token_id, self.fusion.of_sounds(outputs, windows, lengths)))
        if config.fusion != "projector" and frames is not None and outputs is not None:
            vectors += self._both(frames, outputs, media)
        return vectors

    def _both(self, frames: Tensor, outputs: Tensor, media: dict[str, Any]) -> list[tuple[int, Tensor]]:
        """Return the tokens of clips that are seen and heard; others of the batch have none."""
        videos = split(frames.mean(1), media["frames_per_video"].tolist())
        sounds = split(heard(outputs, media["sound_lengths"].tolist()), media["windows_per_sound"].tolist())
        video = [one for one, sounds_too in zip(videos, media["video_sounds"].tolist(), strict=True) if sounds_too]
        sound = [one for one, seen in zip(sounds, media["sound_is_of_video"].tolist(), strict=True) if seen]
        return [(self.config.multi_token_id, self.fusion.of_both(video, sound))] if video else []

    def _seen(self, pixels: Tensor) -> Tensor:
        tower: Any = self.vision_tower
        outputs: Tensor = tower(pixel_values=pixels.to(next(tower.parameters()).dtype)).last_hidden_state
        return outputs

    def _heard(self, features: Tensor) -> Tensor:
        tower: Any = self.audio_tower
        features = features.to(next(tower.parameters()).dtype)
        inner = self.config.audio_layers != "last"
        result = tower(**{tower.main_input_name: features}, output_hidden_states=inner)
        outputs: Tensor = self.fusion.layers(result.hidden_states) if inner else result.last_hidden_state
        return outputs


def _placeholders(config: AffectCompositeConfig) -> list[int]:
    names = ("video_token_id", "image_token_id", "audio_token_id", "multi_token_id")
    return [token for name in names if (token := getattr(config, name)) is not None]


def _placed(embeds: Tensor, mask: Tensor, vectors: Tensor) -> Tensor:
    """Put ``vectors`` where ``mask`` says, in order.

    Raises:
        ValueError: when there are more or fewer places than vectors: clips would go to other clips' places.
    """
    if (places := int(mask.sum())) != len(vectors):
        raise ValueError(f"{places} placeholders for {len(vectors)} embeddings of clips")
    return embeds.masked_scatter(mask[..., None], vectors.to(embeds.dtype))


class AffectCompositeForConditionalGeneration(AffectCompositePreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """The whole model with its language-modelling head."""

    _tied_weights_keys = {"lm_head.weight": "model.language_model.embed_tokens.weight"}  # noqa: RUF012  # as its base has it

    def __init__(self, config: AffectCompositeConfig) -> None:
        super().__init__(config)
        self.model = AffectCompositeModel(config)
        text: Any = config.text_config
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        self.post_init()
        with torch.no_grad():  # so that an untrained model does not answer with placeholders
            self.lm_head.weight[_placeholders(config)] = 0

    def get_input_embeddings(self) -> nn.Module:
        return self.model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.model.set_input_embeddings(value)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        labels: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        pixel_values_videos: Tensor | None = None,
        frames_per_video: Tensor | None = None,
        video_sounds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        input_features: Tensor | None = None,
        windows_per_sound: Tensor | None = None,
        sound_lengths: Tensor | None = None,
        sound_is_of_video: Tensor | None = None,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            pixel_values_videos=pixel_values_videos,
            frames_per_video=frames_per_video,
            video_sounds=video_sounds,
            pixel_values=pixel_values,
            input_features=input_features,
            windows_per_sound=windows_per_sound,
            sound_lengths=sound_lengths,
            sound_is_of_video=sound_is_of_video,
            **kwargs,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(outputs.last_hidden_state[:, kept])
        loss = None
        if labels is not None:
            items = {"num_items_in_batch": kwargs["num_items_in_batch"]} if "num_items_in_batch" in kwargs else {}
            size = self.lm_head.out_features
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=size, **items)
        return CausalLMOutputWithPast(
            loss=loss, logits=logits, past_key_values=outputs.past_key_values, hidden_states=outputs.hidden_states
        )

    def prepare_inputs_for_generation(self, input_ids: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """Drop the clips after the first step: the cache holds them."""
        inputs = super().prepare_inputs_for_generation(input_ids, **kwargs)  # type: ignore[misc]
        if not kwargs.get("is_first_iteration") and kwargs.get("use_cache", True):
            inputs.update(dict.fromkeys(_MEDIA))
        return dict(inputs)


def _of(config: type[AffectCompositeConfig], model: type[nn.Module], prefix: str) -> Callable[..., Any]:
    name = model.__name__.replace("AffectComposite", prefix)
    return type(name, (model,), {"config_class": config, "__module__": __name__, "__doc__": model.__doc__})


AffectSpeechModel = _of(AffectSpeechConfig, AffectCompositeModel, "AffectSpeech")
AffectVisionModel = _of(AffectVisionConfig, AffectCompositeModel, "AffectVision")
AffectSpeechForConditionalGeneration = _of(AffectSpeechConfig, AffectCompositeForConditionalGeneration, "AffectSpeech")
AffectVisionForConditionalGeneration = _of(AffectVisionConfig, AffectCompositeForConditionalGeneration, "AffectVision")
MODELS = (
    (AffectCompositeModel, AffectCompositeForConditionalGeneration),
    (AffectSpeechModel, AffectSpeechForConditionalGeneration),
    (AffectVisionModel, AffectVisionForConditionalGeneration),
)

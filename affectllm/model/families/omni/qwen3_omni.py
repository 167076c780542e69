"""Qwen3-Omni: hears and sees with experts, the sound of a video in turn with its frames.

The thinker alone is loaded and saved; its replies are spoken by the whole checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from affectllm.model import tiny_parts as parts
from affectllm.model.family import ATTENTION, EXPERTS, Family, Tiny
from affectllm.model.processor_arguments import image_of_its_size, video_at_a_rate
from affectllm.model.talker import Talker


def _tiny_whole(thinker: Any, tokenizer: Any) -> Any:
    import transformers

    def first(word: str) -> int:
        return int(tokenizer(word)["input_ids"][0])

    # Codes up to 63, then 1,024 that only mark something, as in the checkpoints.
    mark = {name: 64 + number for number, name in enumerate(("pad", "bos", "eos", "nothink", "think_bos", "think_eos"))}
    groups, layers = 4, {**parts.TEXT, "num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 128}
    talker = {
        "text_config": {
            **{**layers, **parts.EXPERTS, "vocab_size": 64 + 1_024, "head_dim": 32},
            **{"shared_expert_intermediate_size": 32, "rope_parameters": {**parts.MROPE, "mrope_interleaved": True}},
        },
        "code_predictor_config": {**layers, "vocab_size": 64, "head_dim": 32, "num_code_groups": groups},
        **{"num_code_groups": groups, "thinker_hidden_size": parts.HIDDEN, "accept_hidden_layer": 1},
        **{f"codec_{name}_id": code for name, code in mark.items() if name != "eos"},
        **{"codec_eos_token_id": mark["eos"], "speaker_id": {"ethan": 70, "chelsie": 71}},
        **{name: getattr(thinker, name) for name in _SHARED},
        **{"position_id_per_seconds": 13, "spatial_merge_size": 2},
    }
    vocoder = {
        **{"codebook_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2},
        **{"num_attention_heads": 2, "num_key_value_heads": 2, "num_quantizers": groups, "decoder_dim": 32},
    }
    roles: dict[str, Any] = {f"{role}_token_id": first(role) for role in ("system", "user", "assistant")}
    return transformers.Qwen3OmniMoeConfig(
        thinker_config=thinker.to_dict(),
        talker_config=talker,
        code2wav_config=vocoder,
        **roles,
        **parts.ids(tokenizer, im_start_token_id="<|im_start|>", im_end_token_id="<|im_end|>"),
        **parts.ids(tokenizer, tts_bos_token_id="<|im_start|>", tts_eos_token_id="<|im_end|>"),
        **parts.ids(tokenizer, tts_pad_token_id="<|endoftext|>"),
    )


def _whole_class() -> Any:
    import transformers

    return transformers.Qwen3OmniMoeForConditionalGeneration


def _tiny_softly(whole: Any, _: Path) -> None:
    whole.code2wav.decoder[-1].conv.weight.data.mul_(0.03)  # random weights are louder than what a WAV holds


def _voices(whole: Any, _: str) -> tuple[str, ...]:
    talker = whole.config.talker_config
    if not hasattr(talker, "audio_config"):  # where transformers looks how long a sound is that the talker is shown
        talker.audio_config = whole.config.thinker_config.audio_config
    return tuple(talker.speaker_id)


_SHARED = ("audio_token_id", "image_token_id", "video_token_id", "audio_start_token_id", "vision_start_token_id")

FAMILY = Family(
    # Hub checkpoints are the full model with its talker.
    model_types=("qwen3_omni_moe", "qwen3_omni_moe_thinker"),
    model_class="Qwen3OmniMoeThinkerForConditionalGeneration",
    processor_class="Qwen3OmniMoeProcessor",
    modalities=frozenset({"text", "audio", "video", "image"}),
    towers={
        "language": "model.language_model",
        "vision": "model.visual",
        "audio": "model.audio_tower",
        "vision_projector": "model.visual.merger",
        "audio_projector": "model.audio_tower.proj1",
    },
    apart={"model.visual.merger_list": "vision_projector", "model.audio_tower.proj2": "audio_projector"},
    targets={
        "language": ATTENTION,
        "vision": ("qkv", "proj", "linear_fc1", "linear_fc2"),
        "audio": ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"),
        "vision_projector": ("mlp.0", "mlp.2"),
        "audio_projector": ("proj1", "proj2"),
    },
    parameters={"language": EXPERTS},
    marks={
        "video": "<|vision_start|><|video_pad|><|vision_end|>",
        "audio": "<|audio_start|><|audio_pad|><|audio_end|>",
        "image": "<|vision_start|><|image_pad|><|vision_end|>",
    },
    placeholders={"video": "<|video_pad|>", "audio": "<|audio_pad|>", "image": "<|image_pad|>"},
    rope="omni",
    padded={"input_features": -1, "feature_attention_mask": -1},
    sound="interleaved",
    video_options=video_at_a_rate(cap_pixels_per_frame=False),
    image_options=image_of_its_size,
    frame_factor=32,
    shortest_sound=1.0,  # the tower takes sounds in pieces of a second, and pads them to the longest piece of the batch
    packs=True,
    older={"model.language_model": "model", "model.visual": "visual", "model.audio_tower": "audio_tower"},
    whole="thinker",
    besides=("talker", "code2wav"),
    talker=Talker(
        whole_class=_whole_class,
        voices=_voices,
        ends=lambda config: (config.talker_config.codec_eos_token_id,),
        codes_per_second=12.5,
        tiny=_tiny_whole,
        finish=_tiny_softly,
    ),
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers
    from transformers.models.qwen3_omni_moe.configuration_qwen3_omni_moe import Qwen3OmniMoeThinkerConfig

    tokenizer = make_tokenizer(
        *("<|audio_pad|>", "<|audio_start|>", "<|audio_end|>", "<|image_pad|>", "<|video_pad|>"),
        *("<|vision_start|>", "<|vision_end|>"),
        named={
            "image_token": "<|image_pad|>",
            "audio_token": "<|audio_pad|>",
            "video_token": "<|video_pad|>",
            "vision_bos_token": "<|vision_start|>",
            "vision_eos_token": "<|vision_end|>",
            "audio_bos_token": "<|audio_start|>",
            "audio_eos_token": "<|audio_end|>",
        },
    )
    rope = {**parts.MROPE, "mrope_interleaved": True}
    config = Qwen3OmniMoeThinkerConfig(
        text_config=parts.text(tokenizer, head_dim=32, rope_parameters=rope, **parts.EXPERTS),
        audio_config=parts.whisper_encoder(output_dim=parts.HIDDEN, downsample_hidden_size=16),
        vision_config=parts.deepstack_vision(),
        position_id_per_seconds=13,  # as the processor counts; the class's own 25 would tear sound and frames apart
        **parts.ids(
            tokenizer,
            audio_token_id="<|audio_pad|>",
            image_token_id="<|image_pad|>",
            video_token_id="<|video_pad|>",
            audio_start_token_id="<|audio_start|>",
            audio_end_token_id="<|audio_end|>",
            vision_start_token_id="<|vision_start|>",
            vision_end_token_id="<|vision_end|>",
        ),
    )
    processor = transformers.Qwen3OmniMoeProcessor(
        tokenizer=tokenizer,
        feature_extractor=parts.spectrograms(30),
        image_processor=transformers.Qwen2VLImageProcessor(patch_size=16),
        video_processor=transformers.Qwen2VLVideoProcessor(patch_size=16),
    )
    return config, processor

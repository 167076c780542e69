"""Qwen2.5-Omni: hears and sees, the sound of a video in turn with its frames. Only the thinker is loaded and saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from affectllm.model import tiny_parts as parts
from affectllm.model.clips.budget import SAMPLING_RATE
from affectllm.model.family import ATTENTION, MLP, Family, Tiny
from affectllm.model.processor_arguments import image_of_its_size, video_at_a_rate

if TYPE_CHECKING:
    from affectllm.model.clips.media import Clip


def _no_padding(processor: Any, clip: Clip) -> dict[str, Any]:
    # The processor pads to the longest sound it knows (300 s) and the model drops the padding again; padding to this
    # clip, in whole spectrogram hops, gives the same features at a fraction of the work. The last windows of the clip
    # reach half their length beyond it, and must find silence there and not the clip mirrored.
    assert clip.sound is not None
    hop, beyond = processor.feature_extractor.hop_length, processor.feature_extractor.n_fft // 2
    return {"sampling_rate": SAMPLING_RATE, "max_length": -(-(len(clip.sound) + beyond) // hop) * hop}


FAMILY = Family(
    # Hub checkpoints are the full model with its talker.
    model_types=("qwen2_5_omni", "qwen2_5_omni_thinker"),
    model_class="Qwen2_5OmniThinkerForConditionalGeneration",
    processor_class="Qwen2_5OmniProcessor",
    modalities=frozenset({"text", "audio", "video", "image"}),
    towers={
        "language": "model.language_model",
        "vision": "model.visual",
        "audio": "model.audio_tower",
        "vision_projector": "model.visual.merger",
        "audio_projector": "model.audio_tower.proj",
    },
    targets={
        "language": ATTENTION + MLP,
        "vision": ("q", "k", "v", "qkv", "proj", *MLP),
        "audio": ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"),
        "vision_projector": ("mlp.0", "mlp.2"),
        "audio_projector": ("proj",),
    },
    marks={
        "video": "<|vision_bos|><|VIDEO|><|vision_eos|>",
        "audio": "<|audio_bos|><|AUDIO|><|audio_eos|>",
        "image": "<|vision_bos|><|IMAGE|><|vision_eos|>",
    },
    placeholders={"video": "<|VIDEO|>", "audio": "<|AUDIO|>", "image": "<|IMAGE|>"},
    system="You are a helpful assistant.",
    rope="omni",
    padded={"input_features": -1, "feature_attention_mask": -1},
    sound="interleaved",
    video_options=video_at_a_rate(cap_pixels_per_frame=False),
    image_options=image_of_its_size,
    sound_options=_no_padding,
    longest_sound=300.0,
    packs=True,
    older={"model.language_model": "model", "model.visual": "visual", "model.audio_tower": "audio_tower"},
    whole="thinker",
    besides=("talker", "token2wav"),
)


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    import transformers
    from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniThinkerConfig

    tokenizer = make_tokenizer(
        *("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>", "<|IMAGE|>", "<|VIDEO|>", "<|vision_bos|>", "<|vision_eos|>"),
        named={
            "image_token": "<|IMAGE|>",
            "audio_token": "<|AUDIO|>",
            "video_token": "<|VIDEO|>",
            "vision_bos_token": "<|vision_bos|>",
            "vision_eos_token": "<|vision_eos|>",
            "audio_bos_token": "<|audio_bos|>",
            "audio_eos_token": "<|audio_eos|>",
        },
    )
    vision = {
        **{"depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 4, "out_hidden_size": parts.HIDDEN},
        **{"fullatt_block_indexes": [1], "window_size": 112},
    }
    config = Qwen2_5OmniThinkerConfig(
        text_config=parts.text(tokenizer, rope_parameters=dict(parts.MROPE)),
        audio_config=parts.whisper_encoder(output_dim=parts.HIDDEN, n_window=100),
        vision_config=vision,
        **parts.ids(
            tokenizer,
            audio_token_index="<|AUDIO|>",
            image_token_index="<|IMAGE|>",
            video_token_index="<|VIDEO|>",
            audio_start_token_id="<|audio_bos|>",
            audio_end_token_id="<|audio_eos|>",
            vision_start_token_id="<|vision_bos|>",
            vision_end_token_id="<|vision_eos|>",
        ),
    )
    processor = transformers.Qwen2_5OmniProcessor(
        tokenizer=tokenizer,
        feature_extractor=parts.spectrograms(300),
        image_processor=transformers.Qwen2VLImageProcessor(),
        video_processor=transformers.Qwen2VLVideoProcessor(),
    )
    return config, processor

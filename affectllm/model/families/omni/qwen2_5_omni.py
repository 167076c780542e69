"""Qwen2.5-Omni: hears and sees, the sound of a video in turn with its frames.

The thinker alone is loaded and saved; its replies are spoken by the whole checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.model import tiny_parts as parts
from affectllm.model.clips.budget import SAMPLING_RATE
from affectllm.model.family import ATTENTION, MLP, Family, Tiny
from affectllm.model.processor_arguments import image_of_its_size, video_at_a_rate
from affectllm.model.talker import Talker

if TYPE_CHECKING:
    from affectllm.model.clips.media import Clip


def _no_padding(processor: Any, clip: Clip) -> dict[str, Any]:
    # The processor pads to the longest sound it knows (300 s) and the model drops the padding again; padding to this
    # clip, in whole spectrogram hops, gives the same features at a fraction of the work. The last windows of the clip
    # reach half their length beyond it, and must find silence there and not the clip mirrored.
    assert clip.sound is not None
    hop, beyond = processor.feature_extractor.hop_length, processor.feature_extractor.n_fft // 2
    return {"sampling_rate": SAMPLING_RATE, "max_length": -(-(len(clip.sound) + beyond) // hop) * hop}


_SPEAKERS = "spk_dict.pt"
_SOFTLY = 0.001  # of random weights, which would be loud beyond what a WAV holds


def _tiny_whole(thinker: Any, tokenizer: Any) -> Any:
    import transformers

    codes = {"pad": 60, "start": 61, "end": 62, "mask": 63}
    words = parts.ids(
        tokenizer,
        tts_text_start_token_id="<|im_start|>",
        tts_text_end_token_id="<|im_end|>",
        tts_text_pad_token_id="<|endoftext|>",
        vision_start_token_id="<|vision_bos|>",
        vision_end_token_id="<|vision_eos|>",
    )
    shared = ("audio_token_index", "image_token_index", "video_token_index", "audio_start_token_id")
    talker = {
        **{name: getattr(thinker, name) for name in (*shared, "audio_end_token_id")},
        **{f"tts_codec_{name}_token_id": code for name, code in codes.items()},
        **{**words, **parts.TEXT, "head_dim": 32, "rope_parameters": dict(parts.MROPE)},
        **{"vocab_size": 64, "embedding_size": parts.HIDDEN, "hidden_size": 64, "num_hidden_layers": 2},
    }
    dit = {
        **{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "head_dim": 16, "emb_dim": 16},
        **{"num_embeds": 64, "mel_dim": 16, "look_ahead_layers": [1], "look_backward_layers": [0]},
        **{"enc_emb_dim": 8, "enc_dim": 8, "enc_channels": [8, 8, 8, 8, 24], "enc_attention_channels": 8},
        **{"enc_res2net_scale": 2, "enc_se_channels": 8},
    }
    vocoder = {
        **{"mel_dim": 16, "upsample_initial_channel": 128},
        **{"resblock_kernel_sizes": [3], "resblock_dilation_sizes": [[1, 3, 5]]},
    }
    return transformers.Qwen2_5OmniConfig(
        thinker_config=thinker.to_dict(),
        talker_config=talker,
        token2wav_config={"dit_config": dit, "bigvgan_config": vocoder},
    )


def _tiny_voices(whole: Any, folder: Path) -> None:
    import torch

    config, noise = whole.config, torch.Generator().manual_seed(0)
    dit = config.token2wav_config.dit_config
    whole.token2wav.code2wav_bigvgan_model.conv_post.weight.data.mul_(_SOFTLY)
    voices = {}
    for name in ("Chelsie", "Ethan"):
        mel = torch.randn(1, 40, dit.mel_dim, generator=noise)
        bos = config.talker_config.tts_text_start_token_id
        voices[name] = {"cond": torch.randn(1, dit.enc_emb_dim, generator=noise), "ref_mel": mel, "bos_token": bos}
    torch.save(voices, folder / _SPEAKERS)


def _whole_class() -> Any:
    import transformers

    theirs = transformers.Qwen2_5OmniForConditionalGeneration
    # Its own from_pretrained reads the voices too, and breaks where one asks which weights were missing.
    reading = vars(transformers.PreTrainedModel)["from_pretrained"]
    return type(theirs.__name__, (theirs,), {"from_pretrained": reading})


def _voices(whole: Any, place: str) -> tuple[str, ...]:
    from transformers.utils import cached_file

    whole.load_speakers(cached_file(place, _SPEAKERS))
    whole.talker.register_forward_pre_hook(_masked, with_kwargs=True)
    return tuple(whole.speaker_map)


def _masked(_: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    # The talker begins its codes, and finds the positions of clips, where it is given a mask. transformers drops one
    # that masks nothing, as that of a conversation alone does.
    if options.get("attention_mask") is None:
        embeds, before = options.get("inputs_embeds"), options.get("past_key_values")
        new = embeds if embeds is not None else options["input_ids"]
        length = new.shape[1] + (before.get_seq_length() if before is not None else 0)
        options["attention_mask"] = new.new_ones((len(new), length)).long()
    return arguments, options


def _ends(config: Any) -> tuple[int, int]:
    return config.talker_config.tts_codec_pad_token_id, config.talker_config.tts_codec_end_token_id


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
    talker=Talker(
        whole_class=_whole_class,
        voices=_voices,
        ends=_ends,
        codes_per_second=50,
        tiny=_tiny_whole,
        files=(_SPEAKERS,),
        finish=_tiny_voices,
    ),
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

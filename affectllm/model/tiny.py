"""Tiny random models of the same classes as the real ones, with a processor, so that everything runs with no download.

A tiny model is built once into the cache folder and then loaded by ``from_pretrained`` like any other checkpoint.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from affectllm.instruct.wording import PROMPTS, load_wording, template_names
from affectllm.model.backbones import Backbone, find_backbone
from affectllm.run import cache_folder

PREFIX = "tiny:"
SEED = 0
_SPECIAL = {
    "qwen2": (),
    "qwen2_audio": ("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"),
    "qwen2_5_vl": ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"),
    "qwen2_5_omni": (
        *("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>", "<|IMAGE|>", "<|VIDEO|>"),
        *("<|vision_bos|>", "<|vision_eos|>"),
    ),
}
_TEXT = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32_768,
}
_MROPE = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [4, 6, 6]}


def tiny_folder(name: str) -> Path:
    """The folder of the tiny ``name`` model, built on first use.

    Raises:
        NotFound: when there is no such backbone.
    """
    backbone = find_backbone(name)
    code = Path(__file__).read_bytes() + b"".join(path.read_bytes() for path in sorted(PROMPTS.glob("*.yaml")))
    code += backbone.chat_template().encode()
    folder = cache_folder() / "tiny" / f"{name}-{hashlib.sha256(code).hexdigest()[:12]}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{name}-"))
        _build_apart(name, scratch) if _one_of_several() else _build(name, scratch)
        try:
            scratch.rename(folder)
        except OSError:  # another process was faster; its bytes are the same
            shutil.rmtree(scratch)
    return folder


def _one_of_several() -> bool:
    import torch.distributed

    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _build_apart(name: str, folder: Path) -> None:
    # Within a process group, save_pretrained writes on the first rank only, and any rank may be the faster one here.
    # A fresh interpreter and not multiprocessing, which would start the caller's script once more.
    code = "import sys; from affectllm.model import tiny; tiny._build(sys.argv[1], sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, name, str(folder)], check=True)


def _build(name: str, folder: Path | str) -> None:
    import torch
    import transformers

    from affectllm.model.torchvision_ops import install

    install()
    backbone = find_backbone(name)
    tokenizer = _tokenizer(backbone)
    config = _CONFIGS[backbone.name](tokenizer)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        model = getattr(transformers, backbone.model_class)(config)
    _widen(model)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    processor = _processor(backbone, tokenizer)
    processor.chat_template = backbone.chat_template()
    processor.save_pretrained(folder)


def _widen(model: Any) -> None:
    # Initialisation at 0.02 is meant for thousands of dimensions; with a hundred, signals die in the towers.
    import torch

    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim >= 2:
                fan_in = parameter[0].numel()
                parameter.mul_(fan_in**-0.5 / parameter.std().clamp(min=1e-6))


def _tokenizer(backbone: Backbone) -> Any:
    """A byte-level BPE tokenizer of the Qwen class, trained on our own prompts and everyday words."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1_500, initial_alphabet=sorted(alphabet), show_progress=False)
    bpe.train_from_iterator(_own_words(), trainer)
    state = _state(bpe)
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *_SPECIAL[backbone.name]]
    extra = {
        "image_token": "<|IMAGE|>",
        "audio_token": "<|AUDIO|>",
        "video_token": "<|VIDEO|>",
        "vision_bos_token": "<|vision_bos|>",
        "vision_eos_token": "<|vision_eos|>",
        "audio_bos_token": "<|audio_bos|>",
        "audio_eos_token": "<|audio_eos|>",
    }
    tokenizer = Qwen2Tokenizer(
        vocab=state["vocab"],
        merges=cast(Any, [tuple(merge) for merge in state["merges"]]),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=extra if backbone.name == "qwen2_5_omni" else {},
        model_max_length=32_768,
    )
    tokenizer.add_tokens([AddedToken(token, special=True) for token in special])
    return tokenizer


def _state(bpe: Any) -> dict[str, Any]:
    import json

    state: dict[str, Any] = json.loads(bpe.to_str())["model"]
    return state


def _own_words() -> Iterator[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    for name in template_names():
        yield from load_wording(name).speeches["en"].questions
    # Everyday words, so that speech takes about a token a word as it does in a real vocabulary.
    for word in sorted(ENGLISH_STOP_WORDS):
        yield from (f" {word}", f" {word}", word.capitalize())


def _processor(backbone: Backbone, tokenizer: Any) -> Any:
    import transformers

    if backbone.name == "qwen2":
        return tokenizer
    parts: dict[str, Any] = {"tokenizer": tokenizer}
    if "audio" in backbone.modalities:
        # Omni takes up to 300 s; Qwen2-Audio's encoder wants exactly its 30 s window.
        seconds = 300 if backbone.name == "qwen2_5_omni" else 30
        parts["feature_extractor"] = transformers.WhisperFeatureExtractor(
            feature_size=128, sampling_rate=16_000, chunk_length=seconds, hop_length=160, n_fft=400
        )
    if "video" in backbone.modalities:
        parts["image_processor"] = transformers.Qwen2VLImageProcessor()
        parts["video_processor"] = transformers.Qwen2VLVideoProcessor()
    return getattr(transformers, backbone.processor_class)(**parts)


def _ids(tokenizer: Any, **tokens: str) -> dict[str, Any]:
    return {key: tokenizer.convert_tokens_to_ids(token) for key, token in tokens.items()}


def _text(tokenizer: Any, **extra: Any) -> dict[str, Any]:
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    # A multiple of 64, so that ZeRO can split the embedding evenly.
    return {"vocab_size": -(-len(tokenizer) // 64) * 64, **_TEXT, **ends, **extra}


def _audio(**extra: Any) -> dict[str, Any]:
    return {
        "num_mel_bins": 128,
        "encoder_layers": 2,
        "encoder_attention_heads": 4,
        "encoder_ffn_dim": 128,
        "d_model": 64,
        "max_source_positions": 1_500,
        **extra,
    }


def _omni_config(tokenizer: Any) -> Any:
    from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniThinkerConfig

    hidden = _TEXT["hidden_size"]
    ids = _ids(
        tokenizer,
        audio_token_index="<|AUDIO|>",
        image_token_index="<|IMAGE|>",
        video_token_index="<|VIDEO|>",
        audio_start_token_id="<|audio_bos|>",
        audio_end_token_id="<|audio_eos|>",
        vision_start_token_id="<|vision_bos|>",
        vision_end_token_id="<|vision_eos|>",
    )
    vision = {
        **{"depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 4, "out_hidden_size": hidden},
        **{"fullatt_block_indexes": [1], "window_size": 112},
    }
    return Qwen2_5OmniThinkerConfig(
        text_config=_text(tokenizer, rope_parameters=dict(_MROPE)),
        audio_config=_audio(output_dim=hidden, n_window=100),
        vision_config=vision,
        **ids,
    )


def _audio_config(tokenizer: Any) -> Any:
    from transformers import Qwen2AudioConfig

    ids = _ids(tokenizer, audio_token_index="<|AUDIO|>")
    return Qwen2AudioConfig(
        text_config={"model_type": "qwen2", **_text(tokenizer)},
        audio_config={"model_type": "qwen2_audio_encoder", **_audio()},
        **ids,
    )


def _vl_config(tokenizer: Any) -> Any:
    from transformers import Qwen2_5_VLConfig

    ids = _ids(
        tokenizer,
        image_token_id="<|image_pad|>",
        video_token_id="<|video_pad|>",
        vision_start_token_id="<|vision_start|>",
        vision_end_token_id="<|vision_end|>",
    )
    vision = {
        **{"depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 4},
        **{"out_hidden_size": _TEXT["hidden_size"], "fullatt_block_indexes": [1], "tokens_per_second": 2},
    }
    return Qwen2_5_VLConfig(text_config=_text(tokenizer, rope_parameters=dict(_MROPE)), vision_config=vision, **ids)


def _text_config(tokenizer: Any) -> Any:
    from transformers import Qwen2Config

    return Qwen2Config(**_text(tokenizer, tie_word_embeddings=True))


_CONFIGS = {
    "qwen2_5_omni": _omni_config,
    "qwen2_audio": _audio_config,
    "qwen2_5_vl": _vl_config,
    "qwen2": _text_config,
}

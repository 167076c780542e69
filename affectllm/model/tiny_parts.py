"""Shared parts of the families' tiny models: sizes, token ids, and the usual parts of processors."""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32_768,
}
LLAVA_OLDER = {
    "model.language_model": "language_model.model",
    "model.vision_tower": "vision_tower",
    "model.multi_modal_projector": "multi_modal_projector",
    "lm_head": "language_model.lm_head",
}
"""Prefix of modules → what transformers 4 called it in the models that are built as LLaVA is."""
HIDDEN: int = TEXT["hidden_size"]
EXPERTS: dict[str, Any] = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
MROPE: dict[str, Any] = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [4, 6, 6]}


def ids(tokenizer: Any, **tokens: str) -> dict[str, Any]:
    """Return configuration field → id of its token."""
    return {key: tokenizer.convert_tokens_to_ids(token) for key, token in tokens.items()}


def text(tokenizer: Any, **extra: Any) -> dict[str, Any]:
    """Return the fields of a language model's configuration."""
    ends = {
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
    }
    # A multiple of 64, so that ZeRO can split the embedding evenly.
    return {"vocab_size": -(-len(tokenizer) // 64) * 64, **TEXT, **ends, **extra}


def whisper_encoder(**extra: Any) -> dict[str, Any]:
    """Return the fields of a Whisper-like audio encoder's configuration."""
    return {
        "num_mel_bins": 128,
        "encoder_layers": 2,
        "encoder_attention_heads": 4,
        "encoder_ffn_dim": 128,
        "d_model": 64,
        "max_source_positions": 1_500,
        **extra,
    }


def squares(side: int, patch: int = 14) -> dict[str, Any]:
    """Fields of the configuration of a tower that sees squares of so many pixels."""
    return {
        **{"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128},
        **{"image_size": side, "patch_size": patch},
    }


def siglip(side: int) -> dict[str, Any]:
    """The same of SigLIP, without the head that nothing reads."""
    return {"model_type": "siglip_vision_model", "vision_use_head": False, **squares(side)}


def spectrograms(seconds: int) -> Any:
    """Return Whisper's feature extractor for windows of ``seconds``."""
    import transformers

    return transformers.WhisperFeatureExtractor(
        feature_size=128, sampling_rate=16_000, chunk_length=seconds, hop_length=160, n_fft=400
    )


def deepstack_vision() -> dict[str, Any]:
    """Return the fields of a vision tower's configuration whose layers all reach the language model (DeepStack)."""
    return {
        **{"depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 4, "out_hidden_size": HIDDEN},
        **{"num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1]},
    }

"""A tiny speech model that hears something in every sound."""

from __future__ import annotations

import json
from pathlib import Path


def tiny_recogniser(folder: Path) -> Path:
    """Save a random wav2vec 2.0 in a new folder, which writes the letters a to d, mostly a."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    folder.mkdir()
    letters = {name: number for number, name in enumerate(("<pad>", "<s>", "</s>", "<unk>", "|", *"abcd"))}
    (folder / "vocab.json").write_text(json.dumps(letters), encoding="utf-8")
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = Wav2Vec2Config(vocab_size=len(letters), conv_dim=(8,) * 7, num_conv_pos_embedding_groups=2, **shape)
    model = Wav2Vec2ForCTC(config)
    with torch.no_grad():
        model.lm_head.bias[5] += 10  # so that it says something: a
    model.save_pretrained(folder)
    Wav2Vec2CTCTokenizer(str(folder / "vocab.json")).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return folder

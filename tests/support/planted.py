"""A tiny model whose first layer knows what no other does, and a corpus in which that is the label.

The label of a word is the product of two signs. What goes into the first layer holds both signs, from which no linear
model gets their product; the first layer's gated product of the two writes it, and the second takes it away again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from toy_corpus import toy_corpus

from affectllm.model.load import load_model

LAYER = 1
SIGNS = {"Q": (1, 1), "X": (-1, -1), "Z": (1, -1), "J": (-1, 1)}
_TASK = """task: planted_choice
class: !function affectllm.evaluate.task.AffectTask
corpus: planted
split: test
template: emotion_choice
gold: {space: toy_3, rater: reader}
modalities: [text]
cluster: speaker
metrics: [accuracy, uar]
metadata: {version: 1}
"""
_TALK = """task: planted_reply
class: !function affectllm.evaluate.task.AffectTask
corpus: planted
split: test
template: empathetic_reply
gold: {space: toy_reply, rater: writer}
modalities: [text]
metrics: [bleu]
metadata: {version: 1}
"""


def planted_corpus(
    folder: Path, monkeypatch: pytest.MonkeyPatch, counts: dict[str, int], classes: tuple[str, ...] = ("joy", "anger")
) -> Path:
    """Write the corpus and its tasks below ``folder``; return its root."""
    root = toy_corpus(folder, monkeypatch, "planted", counts=counts, classes=classes)
    page = folder / "data_builders" / "planted.py"
    words = {"joy": "QX", "anger": "ZJ"}
    text = page.read_text().replace(
        'text=f"words number {number}"', f"text={words!r}[label][number // 2 % 2] if label in {words!r} else None"
    )
    page.write_text(text.replace('f"{split}-{number % 3}"', 'f"{split}-{number % 6}"'))
    (folder / "eval_tasks").mkdir(exist_ok=True)
    (folder / "eval_tasks" / "planted_choice.yaml").write_text(_TASK)
    (folder / "eval_tasks" / "planted_reply.yaml").write_text(_TALK)
    return root


def planted_model(folder: Path) -> Path:
    """Save the model to ``folder`` and return it."""
    import torch

    loaded = load_model("tiny:llama", dtype="float32")
    network, size = loaded.model, loaded.model.config.hidden_size
    with torch.no_grad():
        for layer in network.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
            layer.post_attention_layernorm.weight.fill_(1.0)
        network.model.embed_tokens.weight.zero_()
        network.model.embed_tokens.weight[:, 2] = 1.0
        for word, signs in SIGNS.items():
            (token,) = loaded.tokenizer(word, add_special_tokens=False)["input_ids"]
            network.model.embed_tokens.weight[token, :2] = torch.tensor(signs, dtype=torch.float32)
        # The stream of a word has three, then four entries of one: its mean square is three, four through the size.
        # What the second leaves is rounding, and less than float16 has; a probe's scaling would find it otherwise.
        least = loaded.model.config.rms_norm_eps
        _multiplies(network.model.layers[LAYER - 1].mlp, 3 / size + least)
        _multiplies(network.model.layers[LAYER].mlp, -(4 / size + least))
    network.save_pretrained(folder)
    loaded.processor.save_pretrained(folder)
    return folder


def _multiplies(mlp: Any, scale: float) -> None:
    """Add the product of the first two entries to the fourth: silu(x) − silu(−x) is x."""
    for weight in (mlp.gate_proj.weight, mlp.up_proj.weight):
        weight[:2].zero_()
    mlp.gate_proj.weight[0, 0], mlp.gate_proj.weight[1, 0] = 1.0, -1.0
    mlp.up_proj.weight[:2, 1] = 1.0
    mlp.down_proj.weight[3, 0], mlp.down_proj.weight[3, 1] = scale, -scale

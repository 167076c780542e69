"""Benchmark scoring seven choices about one clip, against seven passes over the whole conversation."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch

from affectllm.model.encode import Encoded, Encoder
from affectllm.model.generate import score_choices
from affectllm.model.load import Model, load_model
from benchmarks.clips import make_clips
from benchmarks.row import Row, alternate, duration
from benchmarks.second_epoch import BUDGET, LABELS

SECONDS = {"full": 5.0, "quick": 5.0, "tiny": 1.0}
ROUNDS = {"full": 7, "quick": 3, "tiny": 1}
CHOICES = LABELS.split(", ")


def measure(size: str) -> list[Row]:
    """Measure one row; the scores of both ways must agree."""
    model = load_model("tiny:qwen2_5_omni", dtype="float32")
    model.model.eval()
    with tempfile.TemporaryDirectory() as scratch:
        make_clips(Path(scratch), [SECONDS[size]])
        encoder = Encoder(model.processor, model.family, model.model.config, BUDGET, {"made": Path(scratch)})
        prompt = _encoded(encoder, _talk(), generation_prompt=True)
        whole = [_encoded(encoder, [*_talk(), _reply(choice)]) for choice in CHOICES]
        ours, full = [s for s, _ in score_choices(model, encoder, prompt, CHOICES)], _full(model, encoder, whole)
        assert all(abs(a - b) < 1e-2 for a, b in zip(ours, full, strict=True)), (ours, full)
        times = alternate(
            lambda: score_choices(model, encoder, prompt, CHOICES), lambda: _full(model, encoder, whole), ROUNDS[size]
        )
    what = f"score 7 choices about a clip of {SECONDS[size]:.0f} s ({prompt.length} tokens), tiny omni model"
    return [Row(what, "seven full passes", duration(times[0]), duration(times[1]), times[1] / times[0], 4.0)]


def _encoded(encoder: Encoder, messages: list[Any], **options: bool) -> Encoded:
    item = encoder.encode(messages, **options)
    assert isinstance(item, Encoded), item
    return item


def _full(model: Model, encoder: Encoder, whole: list[Encoded]) -> list[float]:
    return [_likelihood(model, encoder, item) for item in whole]


def _likelihood(model: Model, encoder: Encoder, item: Encoded) -> float:
    batch = encoder.collate([item])
    labels = batch.pop("labels")[0, 1:]
    with torch.inference_mode():
        logits = model.model(**batch).logits[0, :-1]
    # The end of the turn is the last answered token, and is no part of a choice.
    answered = (labels != -100).nonzero()[:, 0][:-1]
    logs = torch.log_softmax(logits[answered].float(), -1)
    return float(logs.gather(-1, labels[answered, None]).sum())


def _talk() -> list[dict[str, Any]]:
    part = {"type": "video", "corpus": "made", "path": "000.mp4", "sound": True}
    text = {"type": "text", "text": f"Which of these emotions does the speaker show? Choose one: {LABELS}."}
    return [{"role": "user", "content": [part, text]}]


def _reply(choice: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "text", "text": choice}]}

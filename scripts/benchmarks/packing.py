"""Benchmark training on packed rows, against batches that are padded: the same conversations, of unlike length."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from affectllm.model.clips.media import Budget
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.load import Model, load_model
from affectllm.model.packed import bins, packed
from benchmarks.row import Row, alternate

CONVERSATIONS = {"full": 96, "quick": 48, "tiny": 6}
ROUNDS = {"full": 5, "quick": 3, "tiny": 1}
TOKENS = 1024  # of a packed row
TOGETHER = 8  # rows of a padded batch
_WORDS = ["calm", "glad", "angry", "afraid", "alone", "proud", "tired", "of", "the", "and", "never", "again"]


def measure(size: str) -> list[Row]:
    """Measure two rows: against padded batches in a drawn order, and in batches of like length."""
    model = load_model("tiny:qwen3", dtype="float32", trainable=True)
    encoder = Encoder(model.processor, model.family, model.model.config, Budget(), {})
    items = _conversations(encoder, CONVERSATIONS[size])
    tokens = sum(item.length for item in items)
    rows = [packed(encoder, [items[number] for number in row]) for row in bins([i.length for i in items], TOKENS)]
    alike = sorted(items, key=lambda item: item.length)
    what = f"train on {len(items)} conversations of 20 to 900 tokens in rows of {TOKENS:,}, tiny text model"
    measured = []
    for order, against, goal in ((items, "in a drawn order", 1.5), (alike, "of like length", None)):
        batches = [encoder.collate(order[begin : begin + TOGETHER]) for begin in range(0, len(order), TOGETHER)]
        ours, theirs = alternate(_trained(model, rows), _trained(model, batches), ROUNDS[size])
        rates = [f"{tokens / seconds:,.0f} tokens/s" for seconds in (ours, theirs)]
        measured.append(Row(what, f"padded batches of {TOGETHER}, {against}", *rates, theirs / ours, goal))
    return measured


def _conversations(encoder: Encoder, count: int) -> list[Encoded]:
    draw = random.Random(0)
    encoded = []
    for _ in range(count):
        words = " ".join(draw.choices(_WORDS, k=min(600, int(draw.lognormvariate(4.2, 1.0)) + 10)))
        item = encoder.encode([{"role": "user", "content": words}, {"role": "assistant", "content": "sadness"}])
        assert isinstance(item, Encoded), item
        encoded.append(item)
    return encoded


def _trained(model: Model, batches: Sequence[dict[str, Any]]) -> Callable[[], None]:
    """Forward and backward through all batches, without the optimiser, which does the same for both."""

    def train() -> None:
        for batch in batches:
            model.model(**batch, use_cache=False).loss.backward()
        model.model.zero_grad()

    return train

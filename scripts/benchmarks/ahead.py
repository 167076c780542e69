"""Benchmark answering about clips that a thread prepares meanwhile, against clips prepared between the batches."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.generate import generate
from affectllm.model.length import BoundedEncoder, budget_of
from affectllm.model.load import Model, load_model
from affectllm.respond.batch_size import BatchSize
from affectllm.respond.batches import Batches
from benchmarks.clips import make_clips
from benchmarks.row import Row, alternate, duration, seconds
from benchmarks.second_epoch import BUDGET, talk

CLIPS = {"full": 32, "quick": 16, "tiny": 4}
ROUNDS = {"full": 3, "quick": 2, "tiny": 1}
BATCH = 2
LONGER = 1.25  # times the preparation of a batch that the accelerator of the stand-in takes for it
MOST_WAITED = 0.1  # share of its time that the model may wait; the first batch is waited for in any case
Ask = Callable[[Sequence[Any], list[Encoded]], list[str | None]]


def measure(size: str) -> list[Row]:
    """Measure with a model that only takes time, as one on an accelerator does, and with a tiny one on a processor."""
    model = load_model("tiny:qwen2_5_omni", dtype="float32")
    model.model.eval()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        paths = make_clips(folder / "clips", [3 + n % 8 if size != "tiny" else 1 for n in range(CLIPS[size])])
        parts = [{"type": "video", "sound": True, "corpus": "made", "path": f"clips/{path.name}"} for path in paths]
        talks = [talk(part, number)[:1] for number, part in enumerate(parts)]
        encoder = Encoder(model.processor, model.family, model.model.config, BUDGET, {"made": folder})
        step = LONGER * BATCH * _preparation(encoder, talks) / len(talks)

        def sleeping(_: Sequence[Any], prompts: list[Encoded]) -> list[str | None]:
            time.sleep(step * len(prompts) / BATCH)
            return [""] * len(prompts)

        def generating(_: Sequence[Any], prompts: list[Encoded]) -> list[str | None]:
            return generate(model, encoder, prompts, 8)

        named = f"a stand-in that sleeps {duration(step)} a batch"
        rows = _rows(model, encoder, talks, sleeping, named, ROUNDS[size], 1.5)
        return rows + _rows(model, encoder, talks, generating, "the tiny omni model on a core", ROUNDS[size], None)


def _rows(
    model: Model, encoder: Encoder, talks: list[Any], ask: Ask, named: str, rounds: int, goal: float | None
) -> list[Row]:
    shares: dict[int, list[float]] = {0: [], 1: []}

    def answer(workers: int) -> None:
        bounded = BoundedEncoder(encoder, budget_of(model))
        batches = Batches(bounded, BatchSize(BATCH, on_cpu=True), workers)
        for _, answers in batches.answered(talks, lambda messages: messages, ask):
            assert not isinstance(answers, MediaError), answers
        shares[workers].append(batches.waited / (batches.waited + batches.worked))

    ours, other = alternate(lambda: answer(1), lambda: answer(0), rounds)
    what = f"answer about {len(talks)} clips of 3–10 s in batches of {BATCH}, {named}"
    waited, otherwise = min(shares[1]), min(shares[0])
    against, waits = "clips prepared between the batches", f"share of its time that the model waits, {named}"
    rows = [Row(what, against, duration(ours), duration(other), other / ours, goal)]
    rows.append(Row(waits, against, f"{waited:.0%}", f"{otherwise:.0%}", otherwise / waited))
    if goal is not None:
        limit = f"{MOST_WAITED:.0%}"
        rows.append(Row(waits, "the limit", f"{waited:.0%}", limit, MOST_WAITED / waited, 1.0))
    return rows


def _preparation(encoder: Encoder, talks: list[Any]) -> float:
    """Return the seconds that preparing all clips takes."""

    def prepare() -> None:
        for messages in talks:
            assert isinstance(encoder.encode(messages, generation_prompt=True), Encoded)

    prepare()
    return seconds(prepare)

"""Benchmark an SFT step of the tiny omni model through our trainer, against a bare PyTorch loop on ready tensors."""

from __future__ import annotations

import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import Budget
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.load import Model, load_model
from affectllm.train.collator import Collator
from affectllm.train.method import find_method
from affectllm.train.shown.bar import show_bar
from benchmarks.clips import make_clips
from benchmarks.row import Row, duration
from benchmarks.second_epoch import talk

BUDGET = Budget(fps=4.0, max_frames=8, max_pixels=12_544, min_pixels=12_544)
STEPS = {"full": 16, "quick": 8, "tiny": 2}
ROUNDS = {"full": 4, "quick": 2, "tiny": 1}
BATCH = {"full": 16, "quick": 16, "tiny": 2}
RATE, DECAY = 1e-4, 0.01
SFT = find_method("sft")


def measure(size: str) -> list[Row]:
    """Measure the seconds of a step, both loops in turns over the same batches."""
    from affectllm.train.trainer import trainer_class

    trainer_class(SFT)  # its import is long and is not what is measured

    with tempfile.TemporaryDirectory() as scratch:
        folder, model = Path(scratch), _model()
        make_clips(folder / "clips", [2.0] * BATCH[size], size=(112, 112))
        cache = MediaCache(folder / "cache")
        encoder = Encoder(model.processor, model.family, model.model.config, BUDGET, {"made": folder}, cache)
        rows = _rows(BATCH[size], STEPS[size])
        batches = [_ready(encoder, rows[i : i + BATCH[size]]) for i in range(0, len(rows), BATCH[size])]
        ours, bare = [], []
        for _ in range(ROUNDS[size]):
            ours += _trained(_model(), encoder, rows, BATCH[size], folder / "out")
            bare += _bare(_model(), batches)
    tokens = batches[0]["input_ids"].shape
    what = f"SFT step of the tiny omni model, batches of {tokens[0]} × {tokens[1]} tokens from cached clips"
    best = min(ours), min(bare)
    return [
        Row(what, "a bare PyTorch loop on ready tensors", duration(best[0]), duration(best[1]), best[1] / best[0], 0.95)
    ]


def _model() -> Model:
    return load_model("tiny:qwen2_5_omni", dtype="float32")


def _rows(batch: int, steps: int) -> list[dict[str, Any]]:
    parts = [{"type": "video", "sound": True, "corpus": "made", "path": f"clips/{n:03d}.mp4"} for n in range(batch)]
    return [{"id": str(n), "messages": talk(parts[n % batch], n)} for n in range(batch * steps)]


def _ready(encoder: Encoder, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    items = [encoder.encode(row["messages"]) for row in rows]
    return encoder.collate([item for item in items if isinstance(item, Encoded)])


def _trained(model: Model, encoder: Encoder, rows: list[dict[str, Any]], batch: int, out: Path) -> list[float]:
    """Return seconds between the ends of successive steps of the product's trainer, without set-up."""
    from datasets import Dataset, Features, Json, List, Value
    from transformers import TrainerCallback

    from affectllm.train.trainer import trainer_class

    marks: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append(time.perf_counter())

    data = Dataset.from_list(rows, features=Features({"id": Value("string"), "messages": List(Json())}))
    trainer = trainer_class(SFT)(
        model=model.model,
        args=_arguments(batch, out),
        data_collator=Collator(encoder),
        train_dataset=data,
        processing_class=model.processor,
        callbacks=[Clock()],
    )
    show_bar(trainer)  # as the product does; else what is logged is printed
    trainer.train()
    return [after - before for before, after in itertools.pairwise(marks)]


def _arguments(batch: int, out: Path) -> Any:
    from trl import SFTConfig

    return SFTConfig(
        output_dir=str(out),
        per_device_train_batch_size=batch,
        num_train_epochs=1,
        learning_rate=RATE,
        weight_decay=DECAY,
        train_sampling_strategy="sequential",
        save_strategy="no",
        report_to="none",
        logging_steps=10,
        disable_tqdm=True,
        activation_checkpointing=False,
        bf16=False,
        dataloader_pin_memory=False,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        use_cpu=True,
    )


def _bare(model: Model, batches: list[dict[str, torch.Tensor]]) -> list[float]:
    """Time a bare loop: forward, loss, backward, clipping, AdamW, schedule; nothing else."""
    network = model.model.train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, len(batches))
    marks = []
    for batch in batches:
        network(**batch, use_cache=False).loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        marks.append(time.perf_counter())
    return [after - before for before, after in itertools.pairwise(marks)]

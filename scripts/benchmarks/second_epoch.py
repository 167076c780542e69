"""Benchmark the second epoch: encoding and collating cached clips, against reading the bytes of their cache entries.

Pixels stay levels, as they do in a training until they are on the device.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import Budget
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.load import load_model
from affectllm.model.prepared.tokens import KeptTokens, TokensWriter, as_numbers, tokens_file
from affectllm.train.collator import Collator
from affectllm.train.data import NUMBER
from benchmarks.clips import make_clips
from benchmarks.row import Row, alternate, duration

BUDGET = Budget(fps=2.0, max_frames=16, max_pixels=200_704, min_pixels=50_176)  # of the shipped 7B recipe
CLIPS = {"full": 32, "quick": 12, "tiny": 2}
ROUNDS = {"full": 9, "quick": 7, "tiny": 1}
BATCH = 4
LABELS = "anger, disgust, fear, joy, neutral, sadness, surprise"


def measure(size: str) -> list[Row]:
    """Measure with sound and pictures, and with sound alone."""
    model = load_model("tiny:qwen2_5_omni")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        paths = make_clips(folder / "clips", [3 + n % 8 if size != "tiny" else 1 for n in range(CLIPS[size])])
        rows = []
        for part, named in (({"type": "video", "sound": True}, "video and sound"), ({"type": "audio"}, "sound alone")):
            cache = MediaCache(folder / named.replace(" ", "_"))
            encoder = Encoder(model.processor, model.family, model.model.config, BUDGET, {"made": folder}, cache)
            talks = [talk({**part, "corpus": "made", "path": f"clips/{path.name}"}, n) for n, path in enumerate(paths)]
            rows.append(_row(encoder, talks, cache, named, ROUNDS[size]))
        return rows


def _row(encoder: Encoder, talks: list[Any], cache: MediaCache, named: str, rounds: int) -> Row:
    rows = [{"id": str(n), "split": "train", NUMBER: n, "messages": messages} for n, messages in enumerate(talks)]
    tokens = TokensWriter(tokens_file(cache.folder.parent, named.replace(" ", "_"), encoder))
    for messages in talks:
        encoded = encoder.encode(messages)
        assert isinstance(encoded, Encoded), encoded
        tokens.add([as_numbers(encoded)])
    tokens.finish()
    collator = Collator(encoder, tokens={"train": KeptTokens(tokens.path, encoder)}, levels=True)
    entries = sorted(cache.folder.glob("??/*.safetensors"))
    ours, reading = alternate(lambda: epoch(collator, rows), lambda: [read(path) for path in entries], rounds)
    mean = sum(path.stat().st_size for path in entries) / len(entries) / 2**20
    what = f"second epoch, {len(talks)} clips of 3–10 s ({named}, {mean:.1f} MiB each), batches of {BATCH}"
    against = "read_bytes and safetensors.torch.load of the cache entries"
    times = (f"{duration(elapsed / len(talks))}/clip" for elapsed in (ours, reading))
    return Row(what, against, *times, reading / ours, 0.8)


def epoch(collator: Collator, rows: list[Any]) -> None:
    """Make all batches, as the loader of a training does."""
    for start in range(0, len(rows), BATCH):
        collator(rows[start : start + BATCH])


def read(path: Path) -> Mapping[str, Any]:
    """Read a cache entry, bytes and tensors alone."""
    from safetensors.torch import load

    return load(path.read_bytes())


def talk(part: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Return a conversation about one media part."""
    question = f"Clip {number}. Which of these emotions does the speaker show? Choose one: {LABELS}."
    answer = LABELS.split(", ")[number % 7]
    return [
        {"role": "user", "content": [part, {"type": "text", "text": question}]},
        {"role": "assistant", "content": [{"type": "text", "text": answer}]},
    ]

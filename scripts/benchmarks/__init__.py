"""The measurements of scripts/bench, one file each: ``measure(size)`` returns rows, ``size`` is full, quick or tiny."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable

from benchmarks.row import Row

NAMES = (
    "decode",
    "second_epoch",
    "step",
    "packing",
    "choices",
    "suite",
    "predictions",
    "ahead",
    "build",
    "corpora",
    "metrics",
    "minhash",
    "report",
    "startup",
)


def run(names: Iterable[str], size: str) -> list[Row]:
    """Run several measurements in one process, one after the other, and return their rows."""
    import torch

    torch.set_num_threads(1)
    rows: list[Row] = []
    for name in names:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"benchmarks.{name}").measure(size)
    return rows

"""Build the samples of one corpus in a run folder: skipped when its files have not changed, resumed after a kill."""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from affectllm.corpus import shards
from affectllm.corpus.identity import identity
from affectllm.run import Run

BUILT = ("samples/**/*", "conversations/**/*", "rejected.jsonl")
"""What a build vouches for. Cards and galleries beside it may be edited."""


def build_samples(
    name: str, root: Path, folder: Path, processes: Executor | None = None, workers: int = 1
) -> dict[str, Any]:
    """Build the samples of one corpus, without a question; skipped when no file has changed, resumed after a kill."""
    with Run(folder, "build", {"corpora": {name: identity(name, root)}}, BUILT) as run:
        if not run.done:
            run.outputs = shards.build(name, root, run.folder, processes, workers)
        return run.outputs

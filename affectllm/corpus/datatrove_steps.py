"""A build as a pipeline of datatrove, for its executors: a local pool, Slurm or Ray.

Two stages, since shards are put together only when all are there::

    from datatrove.executor import SlurmPipelineExecutor
    from affectllm.corpus.datatrove_steps import BuildShards, MergeShards

    shards = SlurmPipelineExecutor(pipeline=[BuildShards("goemotions", root, out)], tasks=64, …)
    SlurmPipelineExecutor(pipeline=[MergeShards("goemotions", out)], tasks=1, depends=shards, …).run()

It needs ``pip install datatrove``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datatrove.pipeline.base import PipelineStep

from affectllm.corpus import shards

_TOTAL = ".total"


class BuildShards(PipelineStep):  # type: ignore[misc]
    """Writes the shards of one task: those whose number is its rank modulo the number of tasks.

    Args:
        corpus: name of the builder.
        root: folder of the corpus, the same on every machine.
        out: folder to write into, shared by all machines.
    """

    name = "affectllm: build shards"

    def __init__(self, corpus: str, root: str | Path, out: str | Path) -> None:
        super().__init__()
        self.corpus, self.root, self.out = corpus, Path(root), Path(out)

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Any:
        """Pass on whatever came in; the shards are files."""
        total = shards.build_rank(self.corpus, self.root, self.out, rank, world_size)
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / _TOTAL).write_text(str(total), encoding="utf-8")
        self.stat_update("shards", value=total, unit="corpus")
        yield from data or ()


class MergeShards(PipelineStep):  # type: ignore[misc]
    """Puts the shards together, after every task of ``BuildShards`` has finished; run it with one task."""

    name = "affectllm: merge shards"

    def __init__(self, corpus: str, out: str | Path) -> None:
        super().__init__()
        self.corpus, self.out = corpus, Path(out)

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Any:
        """Pass on whatever came in."""
        total = self.out / _TOTAL
        shards.merge(self.corpus, self.out, int(total.read_text(encoding="utf-8")))
        total.unlink()
        yield from data or ()

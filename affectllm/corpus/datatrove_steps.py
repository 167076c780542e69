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
from affectllm.errors import AffectError
from affectllm.folders import discard

_TOTAL = ".total"


class BuildShards(PipelineStep):  # type: ignore[misc]
    """Writes the shards of one task: those whose number is its rank modulo the number of tasks.

    Args:
        corpus: name of the builder.
        root: folder of the corpus; what lies there is the same on every machine, where it lies need not be.
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
        """Pass on whatever came in.

        Raises:
            AffectError: when a shard is missing, or there are none.
        """
        total = self.out / _TOTAL
        if (self.out / shards.SHARDS).is_dir():
            shards.merge(self.corpus, self.out, int(total.read_text(encoding="utf-8")))
        elif not (self.out / shards.REJECTED).is_file():
            raise AffectError("there are no shards", where=str(self.out), do="run every task of BuildShards first")
        # Else a task that was killed here has merged them, and is started again.
        discard(self.out / shards.SHARDS)
        total.unlink(missing_ok=True)
        yield from data or ()

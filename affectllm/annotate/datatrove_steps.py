"""An annotation in shards as a pipeline of datatrove, for its executors: a local pool, Slurm, or Ray.

Two stages, since the whole is put together when every shard has its answers::

    from datatrove.executor import SlurmPipelineExecutor
    from affectllm.annotate.datatrove_steps import AnnotateShard, MergeShards

    where = {"page": "page.yaml", "out": "runs/mine", "answers": "answers/mine"}
    shards = SlurmPipelineExecutor(pipeline=[AnnotateShard(**where)], tasks=8, …)
    SlurmPipelineExecutor(pipeline=[MergeShards(**where)], tasks=1, depends=shards, …).run()

It needs ``pip install datatrove``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datatrove.pipeline.base import PipelineStep

from affectllm.annotate.command import annotate, annotate_shard
from affectllm.annotate.page import load_annotation
from affectllm.annotate.source import source_of
from affectllm.corpus.roots import Roots


class _OfPage(PipelineStep):  # type: ignore[misc]
    """Args:
    page: path of the annotation page.
    out: run folder, shared by all machines.
    answers: folder of the answers, shared by all machines.
    roots: ``NAME=DIR`` texts, the same on every machine.
    """

    def __init__(self, page: str | Path, out: str | Path, answers: str | Path, roots: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.page, self.out, self.answers, self.roots = Path(page), Path(out), Path(answers), roots

    def _opened(self) -> tuple[Any, Any]:
        page = load_annotation(self.page)
        return page, source_of(page, Roots.parse(self.roots))


class AnnotateShard(_OfPage):
    """Asks what the samples of one task need: those whose number is its rank modulo the number of tasks."""

    name = "affectllm: annotate a shard"

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Any:
        """Pass on whatever came in; the answers are files."""
        page, source = self._opened()
        annotate_shard(page, source, self.out, self.answers, rank, world_size)
        yield from data or ()


class MergeShards(_OfPage):
    """Writes the annotated samples, after every task of ``AnnotateShard`` has finished; run it with one task."""

    name = "affectllm: merge shards"

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Any:
        """Pass on whatever came in."""
        page, source = self._opened()
        annotate(page, source, self.out, self.answers)
        yield from data or ()

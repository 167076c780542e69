"""Process stored samples block by block: each result is a pure function of the mixture and the block.

So the bytes are the same from any number of processes and after a kill; a finished block is a folder under its final
name, and is skipped.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affectllm.corpus import TRAIN, Rejection, Sample, shards
from affectllm.corpus.store import Writer, opened, read_rows
from affectllm.folders import whole
from affectllm.hints.attach import counted
from affectllm.instruct.conversations import conversation_schema
from affectllm.instruct.dropped import Copy
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.sampling import ASKED_SPLITS, Census, Decision, Plan
from affectllm.run import write_json
from affectllm.voice import bar

GROUPS_PER_BLOCK = 10
WORK, REJECTED, COUNTS, ROWS = ".work", "rejected.jsonl", "counts.json", "rows.parquet"


@dataclass(frozen=True)
class Block:
    """Consecutive row groups of a split of a corpus."""

    number: int
    corpus: str
    split: str
    groups: tuple[int, ...]


def blocks_of(corpora: Sequence[str], out: Path) -> Iterator[Block]:
    number = 0
    for split in ASKED_SPLITS:
        for name in corpora:
            with opened(out / "samples" / name / f"{split}.parquet") as file:
                groups = range(file.num_row_groups)
            for start in range(0, len(groups), GROUPS_PER_BLOCK):
                yield Block(number, name, split, tuple(groups[start : start + GROUPS_PER_BLOCK]))
                number += 1


@dataclass(frozen=True)
class Work:
    """The inputs that all blocks share: mixture, plans, folders."""

    mixture: Mixture
    seed: int
    out: Path
    dropped: Mapping[str, Mapping[str, Copy]]

    def run(
        self,
        task: Callable[..., Any],
        blocks: Sequence[Block],
        processes: Executor | None,
        description: str,
        decided: Any,
    ) -> list[Any]:
        """Return ``task(work, block, decided)`` of every block, in their order."""
        calls = [(self._of(block.corpus), block, decided) for block in blocks]
        if processes is None:
            results: Iterator[Any] = (task(work, block, decisions) for work, block, decisions in calls)
        else:
            futures = [processes.submit(task, work, block, decisions) for work, block, decisions in calls]
            results = (future.result() for future in futures)
        return list(bar(results, total=len(calls), desc=description, unit=" blocks"))

    def _of(self, corpus: str) -> Work:
        """Return a copy with only what a block of ``corpus`` needs: processes get it by pickle."""
        return replace(self, dropped={corpus: self.dropped.get(corpus, {})})

    def plans(self, corpus: str, decided: Sequence[Mapping[str, Any]] | None) -> list[tuple[int, Plan]]:
        """Return the plans of the parts that draw on ``corpus``, with their numbers."""
        rows, copies = self.mixture.validation_rows, self.dropped.get(corpus, {})
        return [
            (number, Plan(part, self.seed, rows, Decision(**decided[number]) if decided else None, copies))
            for number, part in enumerate(self.mixture.mixture)
            if part.corpus == corpus
        ]

    def samples(self, block: Block) -> Iterator[Sample | Rejection]:
        """Yield the samples of a block, or rejections of those left out before anything is asked."""
        file = self.out / "samples" / block.corpus / f"{block.split}.parquet"
        gone = self.dropped.get(block.corpus, {}) if block.split == TRAIN else {}
        for row in read_rows(file, block.groups):
            sample = Sample.from_json(row)
            of, left = gone.get(sample.id, ("", ()))
            if of and not left:
                yield Rejection(sample.id, "duplicate", sample.source, f"of {of}")
            elif self.mixture.languages and sample.language and sample.language not in self.mixture.languages:
                yield Rejection(sample.id, "other_language", sample.source, sample.language)
            else:
                yield sample


def count(work: Work, block: Block, decided: Sequence[Mapping[str, Any]] | None) -> dict[int, Census]:
    """Return the census of one block for each part that draws on its corpus."""
    samples = [item for item in work.samples(block) if isinstance(item, Sample)]
    return {number: plan.census(iter(samples)) for number, plan in work.plans(block.corpus, decided)}


def render(work: Work, block: Block, decided: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Write the conversations of one block into a folder that appears when complete, and return its counts."""
    place = place_of(work.out, block)
    if not place.is_dir():
        with whole(place) as scratch, shards.seldom_collected():
            _fill(work, block, decided, scratch)
    counts: dict[str, Any] = json.loads((place / COUNTS).read_text(encoding="utf-8"))
    return counts


def _fill(work: Work, block: Block, decided: Sequence[Mapping[str, Any]], folder: Path) -> None:
    rejected: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    hints: Counter[str] = Counter()
    with (
        (folder / REJECTED).open("w", encoding="utf-8") as log,
        Writer(folder / ROWS, conversation_schema(work.mixture.rejects)) as rows,
    ):

        def refuse(item: Rejection, template: str | None = None) -> None:
            rejected[item.reason] += 1
            record = {"corpus": block.corpus, **item.to_json(), **({"template": template} if template else {})}
            log.write(json.dumps(record, ensure_ascii=False) + "\n")

        samples = []
        for item in work.samples(block):
            if isinstance(item, Rejection):
                refuse(item)
            else:
                samples.append(item)
        for _, plan in work.plans(block.corpus, decided):
            for row in plan.rows(iter(samples)):
                if isinstance(row, Rejection):
                    refuse(row, plan.part.template)
                else:
                    rows.write(row)
                    parts[f"{block.corpus}/{plan.part.template}"] += 1
                    hints.update(counted(row["asked_by"].get("hints", ())))
    write_json(
        folder / COUNTS, {"rows": rows.rows, "rejected": dict(rejected), "parts": dict(parts), "hints": dict(hints)}
    )


def place_of(out: Path, block: Block) -> Path:
    return out / WORK / "blocks" / f"{block.number:06d}"
